"""tools/visualize.py segmentation: several runs one above the other."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from twlv_mm.segmentation.comparison import compare_runs
from twlv_mm.segmentation.predictions import read_predictions, video_entry, write_predictions
from twlv_mm.synthetic import write_video
from twlv_mm.visualization.colours import class_colour

from ..commands import run_tool
from ..written import colour_mask, shades

ROOT = Path(__file__).parents[2]
CLASSES = ['cut', 'stir', 'pour', 'background']


def write_run(path, classes=CLASSES, fps=15.0, **videos):
    """Predictions of videos: each with its truth and prediction."""
    entries = {video_id: video_entry(fps, *map(np.array, labels)) for video_id, labels in videos.items()}
    write_predictions(path, classes, ['background'], entries)
    return str(path)


@pytest.fixture
def runs(tmp_path):
    """Two runs, of which the second lacks a video."""
    truth = [0] * 15 + [3] * 15
    return dict(
        one=write_run(tmp_path / 'one.json', a=(truth, [0] * 30), b=(truth, truth)),
        two=write_run(tmp_path / 'two.json', a=(truth, [1] * 30)),
    )


def has_colour(path, label):
    return colour_mask(path, class_colour(label)).sum() > 2000


def test_every_run_has_its_bar_and_videos_that_one_lacks_are_listed(tmp_path, runs):
    found = compare_runs(runs, tmp_path / 'out')
    assert found == (['a'], {'b': ['two']}, [])
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['a.png']
    assert [has_colour(tmp_path / 'out/a.png', label) for label in range(4)] == [True, True, False, False]
    alone = compare_runs({'one': runs['one']}, tmp_path / 'alone', ['b'])
    assert alone == (['b'], {}, [])
    assert not has_colour(tmp_path / 'alone/b.png', 1)
    assert cv2.imread(str(tmp_path / 'alone/b.png')).shape[0] < cv2.imread(str(tmp_path / 'out/a.png')).shape[0]


def test_frames_of_the_files_are_shown_and_missing_ones_listed(tmp_path, runs):
    noise = np.random.default_rng(0).integers(0, 255, (16, 32, 32, 3), np.uint8)
    (tmp_path / 'videos/P03').mkdir(parents=True)
    write_video(tmp_path / 'videos/P03/cereals.mp4', noise)  # as Breakfast names its files
    truth = [0, 0, 1]
    run = write_run(tmp_path / 'run.json', P03_cereals=(truth, truth), other=(truth, truth))
    found = compare_runs({'run': run}, tmp_path / 'out', video_root=str(tmp_path / 'videos'))
    ((video_id, reason),) = found.frameless
    assert (video_id, reason) == ('other', f'it is not among the videos of {tmp_path / "videos"}')
    assert shades(tmp_path / 'out/P03_cereals.png') > 3 * shades(tmp_path / 'out/other.png')


def test_runs_that_cannot_be_compared_are_refused(tmp_path, runs):
    def compare(error, **options):
        path = write_run(tmp_path / 'other.json', **options)
        with pytest.raises(ValueError, match=error):
            compare_runs({**runs, 'other': path}, tmp_path / 'out')

    truth = [0] * 15 + [3] * 15
    compare(
        'other.json has 3 classes, .*one.json has 4, and they are not the same', classes=CLASSES[1:], a=([0] * 30,) * 2
    )
    compare('the same, in the same order', classes=CLASSES[::-1], a=(truth, truth))
    compare('other.json and .*one.json differ in the truth of a', a=(truth[::-1], truth))
    compare('differ in the fps of a', a=(truth, truth), fps=30.0)
    compare('differ in the num_frames of a', a=(truth + [3], truth + [3]))
    compare('none of the 3 videos is in all runs', c=(truth, truth))
    with pytest.raises(ValueError, match='no run has c, d; their 2 videos are a, b'):
        compare_runs(runs, tmp_path / 'out', ['a', 'c', 'd'])
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('video_id', ['../../{}', '{}', 'sub/../../{}'])
def test_no_picture_is_written_outside_of_its_folder(tmp_path, video_id):
    video_id = video_id.format(tmp_path / 'stray' if video_id == '{}' else 'stray')
    run = write_run(tmp_path / 'run.json', **{video_id: ([0, 0, 1], [0, 0, 1])})
    with pytest.raises(ValueError, match=r'stray\.png.* leads out of .*pictures'):
        compare_runs({'run': run}, tmp_path / 'a/pictures')
    assert not list(tmp_path.rglob('stray*'))


def test_file_without_predictions_is_refused(tmp_path, runs):
    with pytest.raises(FileNotFoundError, match='file of predictions .*gone.json does not exist'):
        read_predictions(tmp_path / 'gone.json')
    for text in ('no json', '{"version": "VERSION 1.3", "results": {}}', '[]', '{"version": 1, "classes": []}'):
        (tmp_path / 'x.json').write_text(text)
        with pytest.raises(ValueError, match='x.json is not the predictions.json that a test of a segmentation model'):
            read_predictions(tmp_path / 'x.json')
    contents = json.loads(Path(runs['one']).read_text())
    (tmp_path / 'x.json').write_text(json.dumps({**contents, 'version': 2}))
    with pytest.raises(ValueError, match='has version 2; only 1 is supported'):
        read_predictions(tmp_path / 'x.json')


def test_command_lists_drawn_and_missing_videos(tmp_path, runs, capsys):
    def run(*arguments):
        return run_tool('visualize.py', 'segmentation', *arguments)

    named = [f'{name}={path}' for name, path in runs.items()]
    assert run('--runs', *named, '--out', tmp_path / 'out', '--videos', 'a', 'b') == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f'1 videos drawn, in {tmp_path / "out"}', '  not drawn: b, missing in two']
    assert (tmp_path / 'out/a.png').exists()
    assert run('--runs', *named, named[0], '--out', tmp_path / 'out') == 2
    error = 'error: two arguments have the same name: give each its own, NAME=PATH\n'
    assert capsys.readouterr().err == error
    assert run('--runs', 'one.json', '--out', tmp_path / 'out') == 2
    assert "'one.json' is not NAME=PATH" in capsys.readouterr().err
