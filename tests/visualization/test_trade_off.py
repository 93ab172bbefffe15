"""The picture of two scores against each other."""

import cv2
import numpy as np

from twlv_mm.visualization import draw_trade_off


def test_panels_stand_side_by_side_and_names_keep_their_colours(tmp_path):
    points = {'pixels': [[10, 60], [20, 70]], 'teacher': [[80, 20]]}
    draw_trade_off(tmp_path / 'one.png', {'linear': points}, ('appearance', 'motion'))
    draw_trade_off(tmp_path / 'two.png', {'linear': points, 'knn': {'teacher': [[50, 50]]}}, ('appearance', 'motion'))
    one, two = (cv2.imread(str(tmp_path / name)) for name in ('one.png', 'two.png'))
    assert two.shape[1] == 2 * one.shape[1]
    orange = np.abs(two.astype(int) - (14, 127, 255)).sum(2) < 30  # BGR of the second colour
    assert orange[:, : one.shape[1]].any()
    assert orange[:, one.shape[1] :].any()
