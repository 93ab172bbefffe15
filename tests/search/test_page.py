"""The page of a search in a browser: hits with pictures, excerpts that play, nothing from the network."""

import json
import os

import cv2
import pytest

from twlv_mm.embeddings import Video, VideoFiles
from twlv_mm.search import answer_page, duplicates_page, find_duplicates, find_moments
from twlv_mm.search.excerpts import read_excerpt

from ..chromium import Chromium, find_chromium
from ..commands import run_tool, start_tool

CHROMIUM = find_chromium()
PLAY = """(async () => {
  const films = [...document.querySelectorAll('video')];
  for (const film of films) await film.play();
  await new Promise(done => setTimeout(done, 300));
  return films.map(film => [film.videoWidth, film.duration, film.currentTime > 0, film.error && film.error.message]);
})()"""


@pytest.fixture(scope='module')
def tool(videos, embedded, tmp_path_factory):
    """What the command printed, its page and its json."""
    out = tmp_path_factory.mktemp('out')
    arguments = [
        videos.parent / 'moment.mp4', '--in', embedded / 'multi-clip/parquet', '--reversed', '--top', '3',
        '--videos', videos, '--html', out / 'pages/page.html', '--json', out / 'answer.json',
    ]  # fmt: skip
    done = start_tool('search.py', *arguments).finish()
    assert done.returncode == 0, done.stderr
    return done.stdout, out / 'pages/page.html', json.loads((out / 'answer.json').read_text())


def test_command_prints_a_table_and_writes_the_same_to_json(tool):
    printed, _, answer = tool
    assert '39 clips of 3 videos searched' in printed
    for view in ('forward', 'reversed'):
        for hit in answer[view]['hits']:
            assert f'{hit["start"]:.2f}' in printed
            assert f'{hit["cosine"]:.4f}' in printed
    assert {hit['video_id'] for hit in answer['forward']['hits'][:2]} == {'one', 'two'}
    assert ('the same best moment' in printed) == answer['same_best']


@pytest.mark.skipif(CHROMIUM is None, reason='there is no chromium to open the page with')
def test_page_shows_hits_and_plays_excerpts_without_any_other_file(tool, tmp_path):
    _, page, answer = tool
    with Chromium(CHROMIUM, str(tmp_path / 'profile'), size=(1200, 900)) as browser:
        browser.open(page.as_uri())
        names = browser.run("[...document.querySelectorAll('.name')].map(one => one.innerText)")
        films = browser.run(PLAY)
        widths = browser.run("[...document.querySelectorAll('img')].map(one => one.naturalWidth)")
        assert browser.complaints() == []
        assert [url for url in browser.urls() if not url.startswith(('file:', 'data:'))] == []
    hits = answer['forward']['hits'] + answer['reversed']['hits']
    assert len(names) == len(films) == len(widths) == 1 + len(hits)
    assert names[1].startswith(f'1. {hits[0]["video_id"]}')
    assert all(width > 100 for width in widths)
    for (width, duration, played, error), hit in zip(films[1:], hits, strict=True):
        assert (width, played, error) == (64, True, None)
        assert duration == pytest.approx(hit['end'] - hit['start'], abs=0.2)


def test_excerpt_of_a_long_moment_is_its_middle_and_says_so(videos, embedded, monkeypatch):
    monkeypatch.setattr('twlv_mm.search.excerpts.SECONDS', 1)
    answer = find_moments('one', embedded / 'multi-clip/npy', top=1)
    page, failures = answer_page(answer, VideoFiles(videos))
    assert not failures
    assert 'the film is from ' in page


def test_picture_as_query_is_shown_and_names_are_text(videos, embedded, tmp_path):
    picture = tmp_path / '<b>.png'
    cv2.imwrite(str(picture), 255 * cv2.getGaussianKernel(64, 9).repeat(64, 1))
    page, failures = answer_page(find_moments(str(picture), embedded / 'multi-clip/npy', top=2), VideoFiles(videos))
    assert not failures
    assert page.count('<img') == 3
    assert page.count('<video') == 2
    assert '<b>.png' not in page
    assert '&lt;b&gt;.png' in page


def test_excerpt_of_a_listed_segment_is_taken_from_where_the_segment_is(videos):
    path = str(videos / 'one.mp4')
    of_file = read_excerpt(Video('one', path), 2.5, 4)
    assert read_excerpt(Video('one_2.000_6.000', path, segment=(2.0, 6.0)), 0.5, 2)[:3] == of_file[:3]


def test_command_lists_duplicates_and_says_what_is_wrong(embedded, tmp_path, capsys):
    def run(*arguments):
        return run_tool('search.py', *arguments), ''.join(capsys.readouterr())

    folder = embedded / 'multi-clip/npy'
    code, told = run('--duplicates', folder, '--threshold', 0.95, '--json', tmp_path / 'pairs.json')
    assert code == 0
    assert '1 pair of videos' in told
    record = json.loads((tmp_path / 'pairs.json').read_text())
    assert record['folders'] == [dict(folder=str(folder), videos=3, missing=[])]
    (pair,) = record['pairs']
    assert {pair['video_id'], pair['other_id']} == {'one', 'two'}
    for arguments, message in (
        (['one', '--in', tmp_path / 'none'], 'does not exist'),
        (['four', '--in', folder], "no video 'four'"),
        (['one', '--in', folder, '--html', 'x.html'], '--html needs --videos'),
        (['one', '--in', folder, '--text', 'a dog'], 'give QUERY or --text TEXT'),
        (['one'], 'give the folder to search: --in FOLDER'),
        (['--duplicates', folder, folder, folder], 'one folder with itself or with one other'),
    ):
        code, told = run(*arguments)
        assert code == 2
        assert message in told


def test_video_without_a_file_is_listed_and_the_page_is_there(videos, embedded, tmp_path):
    os.symlink(videos / 'one.mp4', tmp_path / 'one.mp4')
    answer = find_moments('two', embedded / 'multi-clip/npy', top=9)
    page, failures = answer_page(answer, VideoFiles(tmp_path))
    assert {video_id for video_id, _ in failures} == {'two', 'three'}
    assert 'no frames: it is not among the videos of' in page


def test_page_of_duplicates_has_two_excerpts_a_pair(videos, embedded):
    pairs = find_duplicates(embedded / 'multi-clip/npy', threshold=0.95)
    assert [{*pair[:2]} for pair in pairs] == [{'one', 'two'}]
    page, failures = duplicates_page(pairs, 'twice', VideoFiles(videos), VideoFiles(videos))
    assert not failures
    assert page.count('<video') == 2
