"""Searching for moments: what is found, how clips become hits, and what cannot be compared."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import twlv_mm
from twlv_mm.embeddings import Extractor, VideoFiles, write_embeddings
from twlv_mm.search import Collection, find_moments
from twlv_mm.search.moments import answer, overlap
from twlv_mm.search.query import Query
from twlv_mm.video import open_video

from .conftest import CLIP, PLANTED, unit


def spans(hits):
    return [(hit.video_id, hit.start, hit.end) for hit in hits]


def save(folder, **videos):
    """Clips of a second every half a second, by their vectors."""
    for video_id, vectors in videos.items():
        starts = np.arange(len(vectors)) / 2
        times = np.stack([starts, starts + 1], axis=1)
        write_embeddings(folder, video_id, vectors, times, dict(duration=float(times[-1, 1]), num_frames=10))
    return Collection(folder)


def ask(collection, angle=0, top=10, **options):
    query = Query('q', dict(forward=unit(angle)[0]), 0, 1, 1, None, options.pop('own', frozenset()))
    return answer(query, collection, top, **options).hits['forward']


@pytest.mark.parametrize('split', ['npy', 'parquet'])
def test_planted_moment_is_found_first_where_it_is_to_within_a_clip(videos, embedded, split):
    found = find_moments(videos.parent / 'moment.mp4', embedded / 'multi-clip' / split, top=3)
    hits = found.hits['forward']
    assert {hit.video_id for hit in hits[:2]} == set(PLANTED)
    for hit in hits[:2]:
        start, end = PLANTED[hit.video_id]
        assert abs(hit.start - start) <= CLIP
        assert abs(hit.end - end) <= CLIP
        assert hit.cosine > 0.95 > found.typical_cosine['forward']
    assert found.num_clips == 3 * 13


def test_both_formats_give_the_same_hits(videos, embedded):
    answers = [
        find_moments(videos.parent / 'moment.mp4', embedded / 'multi-clip' / split).hits for split in ('npy', 'parquet')
    ]
    assert answers[0] == answers[1]


def test_clips_of_one_moment_are_one_hit_and_no_two_hits_overlap(tmp_path):
    #        best is the third; the fourth is nearly as near, the second is not; the last is another moment
    a = unit(90, 60, 0, 5, 80, 90, 20)
    collection = save(tmp_path, a=a, b=unit(90, 90, 90, 90))
    hits = [hit for hit in ask(collection) if hit.cosine > 0.5]
    assert spans(hits) == [('a', 1.0, 2.5), ('a', 3.0, 4.0)]
    assert (hits[0].best_start, hits[0].best_end, hits[0].num_clips) == (1.0, 2.0, 2)
    everything = ask(collection, top=100)
    for one in everything:
        assert not any(
            one != other and one.video_id == other.video_id and one.start < other.end and other.start < one.end
            for other in everything
        )


def test_hits_are_those_of_all_cosines_however_few_clips_are_looked_at_first(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    collection = save(tmp_path, **{f'v{n}': rng.standard_normal((20, 8), dtype=np.float32) for n in range(9)})
    query = Query('q', dict(forward=rng.standard_normal(8, dtype=np.float32)), 0, 1, 1, None, frozenset(['v3']))
    hits = answer(query, collection, 12, without_own=True).hits['forward']
    monkeypatch.setattr('twlv_mm.search.moments.CLIPS_A_HIT', 1)
    assert hits == answer(query, collection, 12, without_own=True).hits['forward']
    kept = np.array([collection.video_of(row) != 'v3' for row in range(len(collection))])
    vectors = collection.vectors[kept] / np.linalg.norm(collection.vectors[kept], axis=1, keepdims=True)
    cosines = vectors @ query.vectors['forward'] / np.linalg.norm(query.vectors['forward'])
    assert hits[0].cosine == pytest.approx(cosines.max(), abs=1e-6)
    assert [hit.cosine for hit in hits] == sorted((hit.cosine for hit in hits), reverse=True)


def test_own_video_is_left_out_by_id_by_name_and_by_file(videos, embedded, tmp_path):
    folder = embedded / 'multi-clip/npy'
    renamed = tmp_path / 'renamed.mp4'
    renamed.symlink_to(videos / 'two.mp4')
    for query, options in (
        ('two', {}),
        ('two#3', {}),
        (videos / 'two.mp4', dict(start=3.5, end=5.5)),
        (renamed, dict(files=VideoFiles(videos))),
    ):
        found = find_moments(str(query), folder, without_own=True, **options)
        assert found.left_out == ['two']
        assert {hit.video_id for hit in found.hits['forward']} == {'one', 'three'}
    assert find_moments('two', folder).left_out == []
    assert find_moments(str(renamed), folder, without_own=True).left_out == []


def test_part_of_a_file_and_the_stored_clip_of_that_part_are_the_same_query(videos, embedded):
    folder = embedded / 'multi-clip/npy'
    of_file = find_moments(str(videos / 'one.mp4'), folder, start=2, end=4, reverse=True)
    stored = find_moments('one#4', folder, reverse=True)
    for view in ('forward', 'reversed'):
        np.testing.assert_allclose(of_file.query.vectors[view], stored.query.vectors[view], atol=1e-6)
    assert of_file.query.num_clips == stored.query.num_clips == 1
    assert (stored.query.start, stored.query.end) == (2, 4)
    assert spans(of_file.hits['forward']) == spans(stored.hits['forward'])
    assert stored.hits['forward'] != stored.hits['reversed']


def test_folder_of_reversed_clips_is_searched_with_reversed_clips(videos, embedded):
    forward, backward = (
        find_moments(str(videos / 'one.mp4'), embedded / sampling / 'npy', start=2, end=4, reverse=True).query.vectors
        for sampling in ('multi-clip', 'multi-clip-reversed')
    )
    np.testing.assert_array_equal(forward['forward'], backward['reversed'])
    np.testing.assert_array_equal(forward['reversed'], backward['forward'])
    stored = find_moments('one#4', embedded / 'multi-clip-reversed/npy', reverse=True).query.vectors
    np.testing.assert_allclose(stored['reversed'], forward['forward'], atol=1e-6)


def test_picture_finds_the_video_it_is_from(videos, embedded, tmp_path):
    with open_video(str(videos / 'three.mp4')) as reader:
        frame = reader.read([30])[0]
    cv2.imwrite(str(tmp_path / 'frame.png'), frame[..., ::-1])
    found = find_moments(str(tmp_path / 'frame.png'), embedded / 'multi-clip/npy')
    assert found.hits['forward'][0].video_id == 'three'


def test_folder_of_another_encoder_is_refused(embedded, videos, tmp_path):
    moment = str(videos.parent / 'moment.mp4')
    other = twlv_mm.get_model('twlv_base', depth=1, embed_dims=32, num_heads=2, frozen=True, allow_random=True)
    with pytest.raises(ValueError, match=r'another encoder or other settings.*model is .twlv_small_synthetic. there'):
        find_moments(moment, embedded / 'multi-clip/npy', model=other)
    with pytest.warns(UserWarning, match='random'), pytest.raises(ValueError, match='weights_sha256 is'):
        find_moments(moment, embedded / 'multi-clip/npy', model='twlv_small_synthetic')
    save(tmp_path / 'unsaid', a=unit(0, 10))
    with pytest.raises(ValueError, match='does not name the encoder of its vectors'):
        find_moments(moment, tmp_path / 'unsaid')
    assert find_moments('a#1', tmp_path / 'unsaid').hits['forward'][0].video_id == 'a'


def test_folder_with_weights_that_are_not_here_asks_for_them(tmp_path, videos):
    save(tmp_path, a=unit(0, 10))
    settings = dict(model='twlv_base', weights_sha256='ab' * 32, sampling='multi-clip', clip_seconds=1.0)
    (tmp_path / 'manifest.json').write_text(json.dumps(dict(settings=[settings], videos=['a'])))
    with pytest.raises(ValueError, match='twlv_base with the weights of SHA-256 abababababab…: give that file'):
        find_moments(str(videos.parent / 'moment.mp4'), tmp_path)


def test_folder_of_two_kinds_is_refused_and_two_versions_are_one_kind(tmp_path, videos, extractor):
    save(tmp_path, a=np.ones((2, 192), np.float32))
    kinds = [dict(extractor.settings, version=version) for version in ('0.0.9', '0.1.0')]
    (tmp_path / 'manifest.json').write_text(json.dumps(dict(settings=kinds, videos=['a'])))
    assert Collection(tmp_path).settings['model'] == 'twlv_small_synthetic'
    kinds[1]['clip_seconds'] = 4.0
    (tmp_path / 'manifest.json').write_text(json.dumps(dict(settings=kinds, videos=['a'])))
    with pytest.raises(ValueError, match=r'different settings.*clip_seconds is 2\.0 and 4\.0'):
        find_moments(str(videos.parent / 'moment.mp4'), tmp_path)


@pytest.mark.parametrize(
    ('query', 'options', 'message'),
    [
        ('twoo', {}, "no video 'twoo' among its 3; the nearest is 'two'"),
        ('two#13', {}, 'two has clips 0 to 12, but two#13 asks for clip 13'),
        ('two', dict(start=90), 'two has no clip centred between 90'),
        ('two', dict(top=0), 'ask for 1 hit or more'),
    ],
)
def test_missing_files_are_reported(embedded, query, options, message):
    with pytest.raises(ValueError, match=message):
        find_moments(query, embedded / 'multi-clip/npy', **options)


def test_published_embeddings_are_searched_with_the_times_that_are_given(tmp_path):
    np.save(tmp_path / 'a_c.npy', unit(90, 0, 90, 90))
    (tmp_path / 'a.json').write_text('{"num_frames": 100, "duration": 2.5}')
    with pytest.raises(ValueError, match='has no clip times: give clip_seconds'):
        find_moments('a#1', tmp_path)
    (hit, *_) = find_moments('a#1', Collection(tmp_path, 1.0, 0.5)).hits['forward']
    assert (hit.start, hit.end) == (0.5, 1.5)


def test_videos_that_are_not_embedded_are_reported(tmp_path):
    save(tmp_path, a=unit(0, 10))
    (tmp_path / 'manifest.json').write_text(json.dumps(dict(settings=[], videos=['a', 'b'])))
    failure = dict(video_id='c', path='c.mp4', stage='open', reason='no')
    (tmp_path / 'failures.jsonl').write_text(json.dumps(failure) + '\n')
    assert find_moments('a#1', tmp_path).missing == ['b', 'c']


def test_reversed_query_needs_the_reversed_view(tmp_path):
    save(tmp_path / 'multi-clip/all', a=unit(0, 10))
    with pytest.raises(FileNotFoundError, match='extract with --views forward,reversed'):
        find_moments('a#1', tmp_path / 'multi-clip/all', reverse=True)


def test_encoder_of_a_config_embeds_the_query(videos, embedded, tmp_path):
    config = tmp_path / 'config.py'
    backbone = "dict(type='twlv_mm.VideoViT', arch='twlv_small_synthetic')"
    config.write_text(f"encoder_weights = 'official'\nmodel = dict(backbone={backbone})\n")
    moment = str(videos.parent / 'moment.mp4')
    folder = embedded / 'multi-clip/npy'
    assert find_moments(moment, folder, model=str(config)).hits == find_moments(moment, folder).hits


def test_encoder_that_is_built_already_and_uniform_sampling(videos, tmp_path):
    model = twlv_mm.get_model('twlv_small_synthetic', 'official', frozen=True)
    extract = Extractor(model, sampling='uniform')
    embeddings, info = extract(str(videos / 'one.mp4'))
    write_embeddings(tmp_path, 'one', embeddings[-1].vector[None], np.array([[0, 8.0]]), dict(info, **extract.settings))
    (hit,) = find_moments(str(videos / 'one.mp4'), tmp_path, model=model).hits['forward']
    assert (hit.video_id, hit.start, hit.end) == ('one', 0, 8)
    assert hit.cosine == pytest.approx(1, abs=1e-5)


def test_moments_that_only_touch_do_not_overlap():
    first, middle, last = (SimpleNamespace(video_id='v', start=start, end=start + 2) for start in (0, 1, 2))
    assert overlap(first, middle)
    assert not overlap(first, last)
    assert not overlap(last, first)
