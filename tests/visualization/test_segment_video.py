"""Labels and the bar of segments are on the frames that they are of."""

import numpy as np
import pytest

from twlv_mm.video import VideoError, open_video, write_video
from twlv_mm.visualization import draw_segment_video
from twlv_mm.visualization.colours import class_colour

from ..written import colour_mask

SEGMENTS = [
    dict(label='sit', index=0, start=0.0, end=1.0, score=1.0),
    dict(label='run', index=1, start=1.0, end=2.0, score=1.0),
]


def share_of(picture, colour):
    """Share of the pixels of a picture that have a colour, as far as the video keeps it."""
    return colour_mask(picture, colour, 59).mean()


def test_each_moment_has_its_label_and_the_bar_has_all(tmp_path):
    write_video(tmp_path / 'in.mp4', np.full((16, 90, 160, 3), 128, np.uint8), 8)
    draw_segment_video(tmp_path / 'in.mp4', SEGMENTS, 2.0, tmp_path / 'out.mp4')
    with open_video(tmp_path / 'out.mp4') as video:
        frames, times = video.read(np.arange(16)), video.frame_times
    assert frames.shape[1:3] == (360 + 26, 640)
    assert times[-1, 1] == pytest.approx(2, abs=1e-3)
    for number, frame in enumerate(frames):
        label, (left, right) = frame[:30, :60], np.split(frame[362:384], 2, axis=1)
        now, other = class_colour(number // 8), class_colour(1 - number // 8)
        assert share_of(label, now) > 0.2 > 0.02 > share_of(label, other)
        assert share_of(left, class_colour(0)) > 0.9 < share_of(right, class_colour(1))
    # A mark moves from the left to the right.
    marks = [np.flatnonzero((frame[370] < 60).all(axis=-1)).mean() / 640 for frame in frames]
    np.testing.assert_allclose(marks, (np.arange(16) + 0.5) / 16, atol=0.01)


def test_background_is_named_and_not_in_the_bar(tmp_path):
    write_video(tmp_path / 'in.mp4', np.full((4, 360, 360, 3), 255, np.uint8), 8)
    draw_segment_video(tmp_path / 'in.mp4', SEGMENTS[:1], 0.5, tmp_path / 'out.mp4', background=[0])
    with open_video(tmp_path / 'out.mp4') as video:
        (frame,) = video.read([0])
    assert share_of(frame[362:384, 100:], class_colour(0)) == 0
    assert (frame[:30, :60] < 200).any()


def test_video_that_cannot_be_read_leaves_nothing(tmp_path):
    (tmp_path / 'broken.mp4').write_text('not a video')
    with pytest.raises(VideoError, match=r'broken\.mp4'):
        draw_segment_video(tmp_path / 'broken.mp4', SEGMENTS, 2.0, tmp_path / 'out.mp4')
    assert [path.name for path in tmp_path.iterdir()] == ['broken.mp4']
