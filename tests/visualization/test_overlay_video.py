"""A drawn-on video shows each frame when the original does."""

import numpy as np
import pytest

from tests.video.conftest import grey_of, write_numbered
from twlv_mm.video import open_video
from twlv_mm.visualization.overlay_video import draw_on_video


@pytest.mark.parametrize(
    'times',
    [np.arange(20) / 30, [0.0, 0.1, 0.2, 3.0, 3.04, 3.08], np.arange(4) * 1500.0],
    ids=['constant', 'gap', 'slow'],
)
def test_frames_keep_their_times(tmp_path, times):
    source, out = write_numbered(tmp_path / 'in.mp4', times), tmp_path / 'out.mp4'
    drawn = []
    draw_on_video(source, lambda frame, start, middle: drawn.append((start, middle)) or frame, out)
    with open_video(source) as one, open_video(out) as other:
        np.testing.assert_allclose(other.frame_times, one.frame_times, atol=1e-3)
        assert [grey_of(frame) for frame in other.frames(range(len(times)))] == list(range(len(times)))
        np.testing.assert_allclose(drawn, np.stack([one.frame_times[:, 0], one.frame_times.mean(axis=1)], axis=1))
