"""The benchmark of reading measures the same thing on both sides."""

import pytest

from benchmarks.reading import peak_memory, reading_rate
from twlv_mm.synthetic import item_rng, render_clip, write_video
from twlv_mm.video import ClipSampling

SAMPLING = ClipSampling('multi-clip', clip_seconds=1.0, stride_seconds=0.5, num_frames=4, size=32)


def test_reading_compares_equal_clips(tmp_path):
    frames, *_ = render_clip(item_rng(0, 'test', 0), 'test', num_frames=24)
    write_video(str(tmp_path / 'x.mp4'), frames, fps=8)
    rate = reading_rate(str(tmp_path / 'x.mp4'), SAMPLING)
    assert (rate['clips'], rate['frames']) == (5, 20)
    assert rate['ratio'] == pytest.approx(rate['stock'] / rate['ours'])
    assert 0 < peak_memory('ours', str(tmp_path / 'x.mp4'), SAMPLING) < 2**30
