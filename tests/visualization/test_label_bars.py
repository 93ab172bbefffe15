"""The picture of labels in time: which colour is where, and what the legend names."""

import cv2
import numpy as np
import pytest

from twlv_mm.visualization.colours import class_colour
from twlv_mm.visualization.label_bars import draw_label_bars

from ..written import pixels_of

CLASSES = [f'action {label}' for label in range(48)]
GREY = (0.88, 0.88, 0.88)


def bars_of(path, colour, top, bottom):
    """Columns of a colour in some of the rows, as shares of the axis, which a row of class 0 fills from end to end."""
    _, axis = pixels_of(path, class_colour(0))
    rows, columns = pixels_of(path, colour)
    inside = columns[(rows > top) & (rows < bottom)]
    return (inside - axis.min()) / np.ptp(axis)


def test_bars_are_where_the_segments_are_and_the_first_row_is_on_top(tmp_path):
    path = tmp_path / 'bars.png'
    rows = [('ground truth', [(0, 0, 100)]), ('one', [(1, 20, 40), (2, 40, 100)]), ('two', [(1, 70, 90)])]
    draw_label_bars(path, rows, 100, CLASSES)
    above, _ = pixels_of(path, class_colour(0))
    first, _ = pixels_of(path, class_colour(2))
    bars = (np.percentile(first, 5), np.percentile(first, 70))  # the legend has the colour too
    assert np.percentile(above, 90) < bars[0]
    found = bars_of(path, class_colour(1), *bars)
    assert (found.min(), found.max()) == (pytest.approx(0.2, abs=0.01), pytest.approx(0.4, abs=0.01))
    found = bars_of(path, class_colour(1), bars[1] + 0.1, bars[1] + 0.2)
    assert (found.min(), found.max()) == (pytest.approx(0.7, abs=0.01), pytest.approx(0.9, abs=0.01))


def test_background_is_grey_and_other_classes_keep_their_colours(tmp_path):
    for name, background in (('no', ()), ('one', (0,))):
        segments = [(0, 0, 50), (3, 50, 100)]
        draw_label_bars(tmp_path / f'{name}.png', [('x', segments)], 100, CLASSES, background=background)
    assert len(pixels_of(tmp_path / 'no.png', GREY)[0]) < 100 < 1000 < len(pixels_of(tmp_path / 'one.png', GREY)[0])
    assert len(pixels_of(tmp_path / 'one.png', class_colour(0))[0]) == 0
    assert len(pixels_of(tmp_path / 'one.png', class_colour(3))[0]) > 1000


def test_classes_of_one_colour_differ_in_their_pattern(tmp_path):
    shares = []
    for label in (5, 25, 45):
        draw_label_bars(tmp_path / 'bars.png', [('x', [(label, 0, 100)])], 100, CLASSES)
        shares.append(len(pixels_of(tmp_path / 'bars.png', class_colour(label))[0]))
    assert shares[1] < 0.9 * shares[0]
    assert shares[2] < 0.9 * shares[0]
    assert abs(shares[1] - shares[2]) > 0.05 * shares[0]


@pytest.mark.parametrize('num_classes', [0, 1, 48])
def test_picture_grows_with_what_the_legend_names(tmp_path, num_classes):
    path = tmp_path / 'bars.png'
    segments = [(label, label, label + 1) for label in range(num_classes)]
    names = [f'costs $^$ in the {label}. of many shops' for label in range(48)]
    draw_label_bars(path, [('$^$', segments)] * 3, 60, names, title='$^$')
    picture = cv2.imread(str(path))
    assert picture.shape[1] == 12 * 120
    legend = picture.shape[0] - (1 + 3 * 0.45 + 0.1) * 120
    assert legend == pytest.approx({0: 0, 1: 0.19 * 120, 48: 12 * 0.19 * 120}[num_classes], abs=2)
    # Nothing is cut off at the sides or at the bottom.
    assert (picture[:, :2].min(), picture[:, -2:].min(), picture[-2:].min()) == (255, 255, 255)


def test_frames_stand_at_their_times(tmp_path):
    path = tmp_path / 'bars.png'
    red, lime = (1.0, 0, 0), (0, 1.0, 0)
    frames = [np.full((30, 40, 3), np.uint8(255) * np.array(colour, np.uint8)) for colour in (red, lime)]
    draw_label_bars(path, [('x', [(0, 0, 100)])], 100, CLASSES, frames=frames, frame_times=[25, 75])
    for colour, time in ((red, 25), (lime, 75)):
        assert 100 * bars_of(path, colour, 0, 1).mean() == pytest.approx(time, abs=1)
    draw_label_bars(path, [('x', [(0, 0, 100)])], 100, CLASSES, frames=frames, frame_times=[25, 125])
    assert len(bars_of(path, red, 0, 1)) > 1000 > len(bars_of(path, lime, 0, 1))


def test_what_cannot_be_drawn_is_refused(tmp_path):
    path = tmp_path / 'bars.png'
    with pytest.raises(ValueError, match='duration is 0'):
        draw_label_bars(path, [('x', [])], 0, CLASSES)
    with pytest.raises(ValueError, match='x has a segment that ends at 1 s, before it starts at 2 s'):
        draw_label_bars(path, [('x', [(0, 2, 1)])], 9, CLASSES)
    with pytest.raises(ValueError, match='x has a segment of class 48, but there are 48 classes'):
        draw_label_bars(path, [('x', [(48, 1, 2)])], 9, CLASSES)
    frames = [np.zeros((9, 16, 3), np.uint8)] * 2
    with pytest.raises(ValueError, match='2 frames, but 1 frame_times'):
        draw_label_bars(path, [('x', [])], 9, CLASSES, frames=frames, frame_times=[1])
