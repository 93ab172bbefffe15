"""Pictures and pages of points in the plane."""

import html

import cv2
import numpy as np
import pytest

from tests.chromium import Chromium, find_chromium
from twlv_mm.analysis import (
    draw_embeddings,
    find_clusters,
    load_vectors,
    scatter_fragment,
    scatter_html,
    scatter_png,
    video_thumbnails,
)
from twlv_mm.analysis.scatter import Panel
from twlv_mm.video import write_video
from twlv_mm.visualization import class_colours

from ..written import colour_mask
from .saved import clusters, save_folder

CHROMIUM = find_chromium()


def one_panel(count=90, classes=3, title='an encoder', **fields):
    random = np.random.default_rng(0)
    labels = np.arange(count) % classes
    names = [f'v{number:03d}' for number in range(count)]
    xy = random.normal(size=(count, 2)) + 9 * np.column_stack([np.cos(labels), np.sin(labels)])
    return Panel(title, xy, labels, names, None, ('', ''), 'a note', **fields)


def has_colour(picture, colour):
    return colour_mask(picture[..., ::-1], colour).sum() > 20


def test_picture_has_a_legend_of_few_classes_and_none_of_many(tmp_path):
    names = [f'class {number}' for number in range(60)]
    scatter_png(tmp_path / 'few.png', [one_panel()], names[:3])
    scatter_png(tmp_path / 'many.png', [one_panel(classes=60)] * 2, names)
    few, many = (cv2.imread(str(tmp_path / f'{name}.png')) for name in ('few', 'many'))
    # The spots of the legend are not translucent.
    assert all(has_colour(few, colour) for colour in class_colours(3))
    assert not any(has_colour(many, colour) for colour in class_colours(60))
    assert many.shape[1] == pytest.approx(2 * few.shape[1], rel=0.1)
    assert few.shape[0] > many.shape[0] + 20


def test_classes_have_colours_of_their_own_however_many():
    for count in (3, 20, 400):
        assert len({tuple(np.round(colour, 6)) for colour in class_colours(count)}) == count


def test_name_of_a_file_or_class_cannot_break_out_of_the_page():
    evil = '</script><script>alert(1)</script>'
    panel = one_panel()._replace(video_ids=[evil] * 90, title=evil)
    page = scatter_html([panel], [evil, '<b>', '&amp;'], title=evil)
    assert evil not in page
    assert page.count('</script>') == 2


# What a hand with a mouse does in the page: how many pictures it is shown, and what it is told.
HAND = """(() => {
  const canvas = document.querySelector('canvas'), box = canvas.getBoundingClientRect();
  const at = (x, y) => ({ clientX: box.left + box.width * x, clientY: box.top + box.height * y, cancelable: true });
  const tip = document.querySelector('.tip'), told = [];
  let pictures = 0;
  canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: -300, ...at(0.5, 0.5) }));
  document.querySelectorAll('.legend button')[1].click();
  for (let y = 0; y < 1; y += 0.02) for (let x = 0; x < 1; x += 0.02) {
    canvas.dispatchEvent(new PointerEvent('pointermove', at(x, y)));
    if (tip.style.display === 'block') {
      told.push(tip.innerText.trim().replaceAll('\\n', ' '));
      pictures += tip.querySelectorAll('img').length;
    }
  }
  document.querySelector('.bar button').click();
  canvas.dispatchEvent(new PointerEvent('pointerleave'));
  return [pictures, ...new Set(told)];
})()"""


@pytest.mark.skipif(CHROMIUM is None, reason='there is no chromium to open the page with')
def test_page_draws_zooms_and_tells_in_a_browser_without_any_other_file(tmp_path):
    panels = [one_panel(title=title)._replace(spans=np.tile([0.5, 2.25], (90, 1))) for title in ('left', 'right')]
    pixel = 'data:image/gif;base64,R0lGODlhAQABAAAAACw='
    page = scatter_html(panels, ['up', 'down', '<b>bold'], title='two', thumbnails={'v001': pixel})
    assert 'http' not in page
    (tmp_path / 'page.html').write_text(page)
    with Chromium(CHROMIUM, str(tmp_path / 'profile'), size=(900, 700)) as browser:
        browser.open((tmp_path / 'page.html').as_uri())
        pictures, *told = browser.run(HAND)
        browser.screenshot(tmp_path / 'page.png', whole=False)
        assert browser.complaints() == []
    names = [line.split(',')[0] for line in told]
    assert names
    assert set(names) <= {f'v{number:03d}' for number in range(1, 90, 3)}  # those of the class that was clicked on
    assert all(line.endswith(', 0.50 to 2.25 s down') for line in told)
    assert (pictures > 0) == ('v001' in names)
    picture = cv2.imread(str(tmp_path / 'page.png'))
    assert all(has_colour(picture, colour) for colour in class_colours(3))
    for half in np.array_split(picture[100:400], 2, axis=1):
        assert half.std() > 5  # something is drawn in either panel


def test_page_of_many_points_stays_small():
    fragment = scatter_fragment([one_panel(20_000, 400)], [str(number) for number in range(400)])
    assert len(fragment) < 700_000


def test_thumbnails_are_bounded_and_missing_videos_listed(tmp_path):
    for number in range(4):
        write_video(tmp_path / f'v{number:03d}.mp4', np.full((8, 32, 48, 3), 60 * number, np.uint8), 8)
    names = [f'v{number:03d}' for number in range(5)]
    found, failures = video_thumbnails(str(tmp_path), names)
    assert sorted(found) == names[:4]
    assert [video_id for video_id, _ in failures] == ['v004']
    assert all(uri.startswith('data:image/jpeg;base64,') and len(uri) < 4000 for uri in found.values())
    assert len(video_thumbnails(str(tmp_path), names[:4], limit=2)[0]) == 2


def test_encoders_of_either_format_stand_side_by_side(tmp_path):
    clips, labels = clusters(30)
    save_folder(tmp_path / 'npy', clips, labels)
    save_folder(tmp_path / 'parquet', dict(list(clips.items())[:24]), labels, 'parquet')
    drawn = draw_embeddings(
        dict(one=tmp_path / 'npy', two=tmp_path / 'parquet'), tmp_path / 'out', perplexity=5, scope='clip'
    )
    assert drawn.points == dict(one=48, two=48)
    assert drawn.left_out == dict(one=6)
    assert {path.name for path in (tmp_path / 'out').iterdir()} == {
        f'{method}.{kind}' for method in ('pca', 'tsne', 'lda') for kind in ('png', 'html')
    }


def test_discriminants_without_classes_are_left_out_with_a_note(tmp_path):
    save_folder(tmp_path / 'npy', clusters(9)[0])
    drawn = draw_embeddings(dict(one=tmp_path / 'npy'), tmp_path / 'out')
    assert {path.suffix: path.stem for path in drawn.files} == {'.png': 'tsne', '.html': 'tsne'}
    assert [note.split(':')[0] for note in drawn.notes] == [
        'The videos have no classes', 't-SNE has a perplexity of 2 instead of 30', 'lda is not drawn',
    ]  # fmt: skip
    page = (tmp_path / 'out/tsne.html').read_text()
    assert all(html.escape(note) in page for note in drawn.notes)
    with pytest.raises(ValueError, match='lda needs several classes'):
        draw_embeddings(dict(one=tmp_path / 'npy'), tmp_path / 'out', ['lda'])


def test_folders_are_offered_as_classes_and_taken(tmp_path):
    clips, labels = clusters(30)
    in_folders = {f'{labels[name]}/{name}': vectors for name, vectors in clips.items()}
    save_folder(tmp_path / 'npy', in_folders, form='parquet')
    drawn = draw_embeddings(dict(one=tmp_path / 'npy'), tmp_path / 'out', ['pca'])
    assert drawn.notes == ['The videos have no classes, but 3 folders (0, 1, 2): --by-folder uses these as classes.']
    drawn = draw_embeddings(dict(one=tmp_path / 'npy'), tmp_path / 'out', ['pca', 'lda'], by_folder=True)
    assert (drawn.num_classes, drawn.notes) == (3, [])
    save_folder(tmp_path / 'flat', clips)
    with pytest.raises(ValueError, match='30 videos of .* are in no sub-folder'):
        draw_embeddings(dict(one=tmp_path / 'flat'), tmp_path / 'out', by_folder=True)


def test_groups_are_those_that_are_there_and_are_named_by_a_member(tmp_path):
    clips, labels = clusters(30)
    save_folder(tmp_path / 'npy', clips, labels)
    points = load_vectors(tmp_path / 'npy', 'clip')
    found, medoids = find_clusters(points, 3)
    pairs = set(zip(found.labels.tolist(), points.labels.tolist(), strict=True))
    assert len(pairs) == 3  # the groups are the classes
    for group, row in enumerate(medoids):
        assert found.labels[row] == group
        start, end = points.spans[row]
        video_id = points.video_ids[points.videos[row]]
        size = (found.labels == group).sum()
        assert found.classes[group] == f'{group + 1}: {video_id}, {start:.1f} to {end:.1f} s ({size})'
    with pytest.raises(ValueError, match='60 points cannot form 61 clusters'):
        find_clusters(points, 61)


@pytest.mark.skipif(CHROMIUM is None, reason='there is no chromium to open the page with')
def test_map_has_pictures_of_clips_and_tells_the_one_under_the_mouse(tmp_path):
    clips, _ = clusters(6)
    save_folder(tmp_path / 'npy', clips)
    (tmp_path / 'videos').mkdir()
    for number, name in enumerate(clips):
        frames = np.full((16, 32, 32, 3), 40 * number, np.uint8)
        frames[8:, :, :, 0] = 255  # what the second clip shows
        write_video(tmp_path / f'videos/{name}.mp4', frames, 8)
    drawn = draw_embeddings(
        dict(one=tmp_path / 'npy'),
        tmp_path / 'out',
        ['pca', 'lda'],
        scope='clip',
        clusters=2,
        videos=tmp_path / 'videos',
    )
    assert [note.split(' ')[0] for note in drawn.notes] == ['Clusters', 'lda']
    with Chromium(CHROMIUM, str(tmp_path / 'profile'), size=(900, 900)) as browser:
        browser.open((tmp_path / 'out/pca.html').as_uri())
        browser.run('new Promise(done => setTimeout(done, 500))')
        pictures, *told = browser.run(HAND)
        assert pictures > 0
        assert any(line.partition(',')[2].startswith(' 1.00 to 2.00 s ') for line in told)
        browser.screenshot(tmp_path / 'page.png', whole=False)
        assert browser.run("document.querySelectorAll('.legend img').length") == 2
        assert browser.complaints() == []
    canvas = cv2.imread(str(tmp_path / 'page.png'))[120:800]
    assert (canvas[..., 2].astype(int) - canvas[..., 1] > 50).mean() > 0.005  # the red of second clips
