"""The picture of actions in time: what is where, in which colour."""

import cv2
import numpy as np
import pytest

from twlv_mm.visualization.colours import class_colour
from twlv_mm.visualization.time_axis import figure_over_time, finish_axes
from twlv_mm.visualization.timeline import draw_timeline

from ..written import pixels_of


def action(label, start, end, **score):
    return dict(label=label, start=start, end=end, **score)


def test_bars_are_where_the_actions_are_and_as_strong_as_their_scores(tmp_path):
    path = tmp_path / 'timeline.png'
    predictions = [action('serve', 40, 50, score=1.0), action('serve', 30, 60, score=0.5)]
    draw_timeline(path, 100, predictions, [action('return', 0, 100), action('serve', 70, 90)])
    _, axis = pixels_of(path, class_colour(0))  # 'return' goes from end to end
    left, width = axis.min(), np.ptp(axis)
    rows, columns = pixels_of(path, class_colour(1))
    times = 100 * (columns - left) / width
    true = times > 65
    assert times[true].min() == pytest.approx(70, abs=1)
    assert times[true].max() == pytest.approx(90, abs=1)
    assert times[~true].min() == pytest.approx(40, abs=1)  # the sure one covers the other, though listed first
    assert times[~true].max() == pytest.approx(50, abs=1)
    assert rows[~true].min() > rows[true].max()  # predictions are beneath
    half = 1 - 0.5 * (1 - np.array(class_colour(1)))
    _, columns = pixels_of(path, half)
    times = 100 * (columns - left) / width
    assert (times.min(), times.max()) == (pytest.approx(30, abs=1), pytest.approx(60, abs=1))


def test_class_keeps_its_colour_whatever_else_occurs(tmp_path):
    for name, actions in (('one', [action('c', 1, 2)]), ('both', [action('a', 0, 3), action('c', 1, 2)])):
        draw_timeline(tmp_path / f'{name}.png', 3, [], actions, classes=['a', 'b', 'c'])
        assert len(pixels_of(tmp_path / f'{name}.png', class_colour(2))[0]) > 1000
    draw_timeline(tmp_path / 'alone.png', 3, [], [action('c', 1, 2)])
    assert len(pixels_of(tmp_path / 'alone.png', class_colour(2))[0]) == 0
    assert len({class_colour(index) for index in range(20)}) == 20
    assert class_colour(21) == class_colour(1)


def test_frames_stand_at_their_times(tmp_path):
    path = tmp_path / 'frames.png'
    red, lime = (1.0, 0, 0), (0, 1.0, 0)
    frames = [np.full((30, 40, 3), np.uint8(255) * np.array(colour, np.uint8)) for colour in (red, lime)]
    draw_timeline(path, 100, [], [action('a', 0, 100)], frames, [25, 75])
    _, axis = pixels_of(path, class_colour(0))
    for colour, time in ((red, 25), (lime, 75)):
        _, columns = pixels_of(path, colour)
        assert 100 * (columns.mean() - axis.min()) / np.ptp(axis) == pytest.approx(time, abs=1)


@pytest.mark.parametrize('num_classes', [0, 1, 20])
def test_picture_grows_with_the_classes(tmp_path, num_classes):
    predictions = [action(f'costs $5 or $6 {i}', i, i + 2, score=i / 20) for i in range(num_classes)]
    path = tmp_path / 'timeline.png'
    draw_timeline(path, 300, predictions, frames=[np.zeros((9, 16, 3), np.uint8)] * 3, title='$')
    picture = cv2.imread(str(path))
    assert picture.shape[1] == 12 * 120
    assert picture.shape[0] > 0.4 * 120 * num_classes


def test_what_cannot_be_drawn_is_refused(tmp_path):
    path, frames = tmp_path / 'x.png', [np.zeros((9, 16, 3), np.uint8)] * 2
    with pytest.raises(ValueError, match='duration is 0'):
        draw_timeline(path, 0, [])
    with pytest.raises(ValueError, match="'a' ends at 1 s, before it starts at 2 s"):
        draw_timeline(path, 9, [action('a', 2, 1, score=1)])
    with pytest.raises(ValueError, match="'a' is not one of the 1 classes"):
        draw_timeline(path, 9, [action('a', 1, 2, score=1)], classes=['b'])
    with pytest.raises(ValueError, match='2 frames, but 1 frame_times'):
        draw_timeline(path, 9, [], frames=frames, frame_times=[1])
    with pytest.raises(ValueError, match='must ascend'):
        draw_timeline(path, 9, [], frames=frames, frame_times=[1, 1])


@pytest.mark.parametrize('duration', [0.4, 50.0, 5000.0, 1e6, 1e12])
def test_axis_has_a_few_ticks_however_long_the_video(duration):
    figure, axes = figure_over_time(1.0, 1.0, ['jump'], duration)
    finish_axes(axes, ['jump'], duration)
    figure.draw_without_rendering()
    ticks = [tick for tick in axes.get_xticks() if 0 <= tick <= duration]
    assert 3 <= len(ticks) <= 13
