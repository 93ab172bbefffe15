"""tools/test.py --show-dir draws what was found on each keyframe, and what is annotated."""

import json

import cv2
import numpy as np
import pytest

from twlv_mm.detection.box_video_hook import DetectionVisualizationHook
from twlv_mm.engine import launch
from twlv_mm.visualization import class_colour

from ..written import colour_mask
from .stand_in import true_box, write_set


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp('detection'))


def test_command_draws_every_nth_keyframe_only_when_it_is_asked_to(config, tmp_path):
    command = [config, '--work-dir', str(tmp_path / 'run')]
    launch.main_test(command)
    assert not list(tmp_path.rglob('*.png'))
    (results,) = tmp_path.rglob('results.json')
    assert json.loads(results.read_text())['metrics'] == {'mAP@0.5': 100}
    launch.main_test([*command, '--show-dir', str(tmp_path / 'drawn'), '--interval', '2'])
    drawn = sorted(path.relative_to(tmp_path / 'drawn').as_posix() for path in (tmp_path / 'drawn').rglob('*.png'))
    assert drawn == ['a/0901.png', 'a/0903.png', 'b/0902.png']
    picture = cv2.imread(str(tmp_path / 'drawn/b/0902.png'))[..., ::-1]
    assert picture.shape == (5 * 72, 5 * 120, 3)
    row = picture[picture.shape[0] * 2 // 3].astype(int)
    columns = np.nonzero(colour_mask(row, class_colour(1)))[0] / picture.shape[1]
    left, _, right, _ = true_box(2)
    assert (columns.min(), columns.max()) == pytest.approx((left, right), abs=0.02)
    # The picture is that of the keyframe: white up to the box's right edge, and not beyond.
    edge = int(right * picture.shape[1])
    assert (row[edge - 12 : edge - 6] > 200).all()
    assert (row[edge + 6 : edge + 12] < 150).all()
    # The useless box, of a score below what is drawn, is not there.
    assert (picture[:30, :60].std(axis=(0, 1)) < 5).all()


def test_annotated_boxes_are_drawn_where_nothing_is_found(config, tmp_path):
    shown = ['default_hooks.visualization.min_score=0.95']
    command = [config, '--work-dir', str(tmp_path / 'run'), '--show-dir', str(tmp_path), '--cfg-options', *shown]
    launch.main_test(command)
    picture = cv2.imread(str(tmp_path / 'a/0902.png'))[..., ::-1].astype(int)
    assert not colour_mask(picture, class_colour(1)).any()
    # Its text stands below it, black on white.
    below = picture[int(0.76 * picture.shape[0]) : int(0.9 * picture.shape[0])]
    assert (below == 255).all(axis=-1).sum() > 500
    assert (below == 0).all(axis=-1).sum() > 20


def test_windows_are_refused():
    with pytest.raises(ValueError, match='use --show-dir DIR'):
        DetectionVisualizationHook(enable=True, show=True)
