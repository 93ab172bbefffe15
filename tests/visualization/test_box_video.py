"""Boxes stand where they should, on every frame of the video."""

from fractions import Fraction

import numpy as np
import pytest

from twlv_mm.video import VideoError, open_video, write_video
from twlv_mm.visualization.box_video import DrawnBox, draw_box_video, draw_boxes

from ..video.conftest import encode

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def edges_of(picture, colour, slack=60):
    """Columns and rows of the pixels of a colour, from the first to after the last, as shares of the picture."""
    rows, columns = np.nonzero(np.abs(picture.astype(int) - 255 * np.array(colour)).max(axis=-1) <= slack)
    if not len(rows):
        return None
    height, width = picture.shape[:2]
    return columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height


def grey(count, size=(90, 160)):
    return np.full((count, *size, 3), 128, np.uint8)


def read(path):
    with open_video(path) as video:
        return video.read(np.arange(len(video.frame_times))), video.frame_times


@pytest.mark.parametrize('size', [(90, 160), (481, 359), (1080, 1920)])
def test_box_is_where_its_shares_say_in_a_picture_of_any_size(size):
    box = np.array([0.25, 0.5, 0.75, 0.9])
    drawn = draw_boxes(grey(1, size)[0], [DrawnBox(box, colour=RED)])
    assert not any(side % 2 for side in drawn.shape[:2])
    assert min(drawn.shape[:2]) >= 360
    assert drawn.shape[1] / drawn.shape[0] == pytest.approx(size[1] / size[0], rel=0.005)
    np.testing.assert_allclose(edges_of(drawn, RED), box, atol=0.006)
    assert (drawn[drawn.shape[0] * 7 // 10, drawn.shape[1] // 2] == 128).all()


def test_text_stands_at_its_box_within_the_picture():
    white = DrawnBox(np.array([0.4, 0.5, 0.6, 0.7]), ('stand 0.93', 'talk to'), (1.0, 1.0, 1.0))
    left, top, right, bottom = edges_of(draw_boxes(grey(1)[0], [white]), white.colour, 5)
    assert (left, right, bottom) == pytest.approx((0.4, 0.6, 0.7), abs=0.02)
    assert 0.35 < top < 0.42  # two lines above the box
    below = draw_boxes(grey(1)[0], [white._replace(below=True)])
    left, top, right, bottom = edges_of(below, white.colour, 5)
    assert top == pytest.approx(0.5, abs=0.01)
    assert 0.78 < bottom < 0.85
    for box in ((0.9, 0.0, 1.0, 0.2), (0.9, 0.9, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0)):
        for under in (False, True):
            drawn = draw_boxes(grey(1)[0], [white._replace(box=np.array(box), below=under)])
            # Nothing is cut: as much of the label's ground is white, letters are not.
            assert (drawn == 0).all(axis=-1).sum() == pytest.approx((below == 0).all(axis=-1).sum(), rel=0.05)


def test_text_of_unlikely_boxes_covers_none_of_the_likely_ones():
    box = np.array([0.3, 0.4, 0.6, 0.8])
    likely = DrawnBox(box, ('stand 0.93', 'talk to 0.90'), (1.0, 1.0, 1.0), score=0.93)
    alone = draw_boxes(grey(1)[0], [likely])
    letters = (alone < 10).all(axis=-1)
    unlikely = [
        DrawnBox(box + 0.02 * np.array([x, y, x, y]), (f'walk {place}',), BLUE, score=0.05)
        for place, (x, y) in enumerate(np.ndindex(5, 5))
    ]
    crowded = draw_boxes(grey(1)[0], [likely, *unlikely])
    assert (crowded[letters] < 10).all()
    # Their lines are paler than that of the likely one: the grey of the picture is seen through.
    faint = draw_boxes(grey(1)[0], [DrawnBox(box, colour=BLUE, score=0.05)])
    strong = draw_boxes(grey(1)[0], [DrawnBox(box, colour=BLUE, score=1.0)])
    assert edges_of(faint, BLUE, 20) is None
    assert edges_of(strong, BLUE, 20) is not None
    assert (faint != 128).any(axis=-1).sum() < (strong != 128).any(axis=-1).sum() / 2


def test_a_box_of_many_actions_names_the_best():
    lines = tuple(f'action {number}' for number in range(20))
    many = draw_boxes(grey(1)[0], [DrawnBox(np.array([0.1, 0.7, 0.3, 0.9]), lines, (1.0, 1.0, 1.0))])
    few = draw_boxes(grey(1)[0], [DrawnBox(np.array([0.1, 0.7, 0.3, 0.9]), lines[:5], (1.0, 1.0, 1.0))])
    assert edges_of(many, (1.0, 1.0, 1.0), 5)[1] == edges_of(few, (1.0, 1.0, 1.0), 5)[1]


def test_boxes_are_drawn_from_their_keyframe_until_the_next(tmp_path):
    write_video(tmp_path / 'in.mp4', grey(20), 8)
    left, right = np.array([0.1, 0.2, 0.4, 0.8]), np.array([0.6, 0.2, 0.9, 0.8])
    keyframes = [(0.5, [DrawnBox(left, colour=RED)]), (1.0, []), (1.5, [DrawnBox(right, colour=BLUE)])]
    draw_box_video(tmp_path / 'in.mp4', keyframes, tmp_path / 'out.mp4')
    frames, times = read(tmp_path / 'out.mp4')
    assert len(frames) == 20
    np.testing.assert_allclose(times, read(tmp_path / 'in.mp4')[1], atol=1e-3)
    for number, frame in enumerate(frames):
        red, blue = edges_of(frame, RED, 90), edges_of(frame, BLUE, 90)
        assert (red is not None) == (4 <= number < 8)
        assert (blue is not None) == (number >= 12)
        if red:
            assert red == pytest.approx(left, abs=0.01)
        if blue:
            assert blue == pytest.approx(right, abs=0.01)


def test_box_with_times_moves_between_them(tmp_path):
    write_video(tmp_path / 'in.mp4', grey(16), 8)
    start, end = np.array([[0.0, 0.2, 0.2, 0.8], [0.8, 0.2, 1.0, 0.8]])
    moving = DrawnBox(np.stack([start, end]), colour=RED, times=np.array([0.0, 1.0]))
    draw_box_video(tmp_path / 'in.mp4', [(0, [moving])], tmp_path / 'out.mp4')
    frames, times = read(tmp_path / 'out.mp4')
    found = [edges_of(frame, RED, 90)[0] for frame in frames]
    np.testing.assert_allclose(found, np.minimum(0.8 * times[:, 0], 0.8), atol=0.01)


def test_video_of_odd_size_and_rate_keeps_both(tmp_path):
    encode(tmp_path / 'in.avi', grey(30, (363, 427)), 'mpeg4', Fraction(30000, 1001))
    draw_box_video(tmp_path / 'in.avi', [(0, [DrawnBox(np.array([0, 0, 1, 1]), colour=RED)])], tmp_path / 'out.mp4')
    frames, times = read(tmp_path / 'out.mp4')
    assert frames.shape == (30, 364, 428, 3)
    assert times[-1, 1] == pytest.approx(1.001, abs=2e-4)


def test_nothing_is_left_of_a_video_that_cannot_be_read(tmp_path):
    (tmp_path / 'broken.mp4').write_text('not a video')
    with pytest.raises(VideoError, match=r'broken\.mp4'):
        draw_box_video(tmp_path / 'broken.mp4', [], tmp_path / 'out.mp4')
    write_video(tmp_path / 'in.mp4', grey(4), 8)
    crooked = DrawnBox(np.zeros((2, 4)), times=np.zeros(3))
    with pytest.raises(ValueError, match='not of the same length'):
        draw_box_video(tmp_path / 'in.mp4', [(0.25, [crooked])], tmp_path / 'out.mp4')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['broken.mp4', 'in.mp4']
