"""The benchmarks measure the same thing on both sides."""

import pytest

from twlv_mm.embeddings.encoder_benchmark import encoder_rate
from twlv_mm.embeddings.reading_benchmark import peak_memory, reading_rate
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


def test_encoder_counts_its_matrix_products():
    rate = encoder_rate('twlv_small_synthetic', seconds=0.1, least=1)
    tokens, dims, depth = 64, 128, 4
    layers = depth * 2 * tokens * 12 * dims**2
    attention = depth * 2 * 2 * tokens**2 * dims
    patches = 2 * tokens * dims * 3 * 4 * 8 * 8
    assert rate['gflop'] * 1e9 == pytest.approx(layers + attention + patches, rel=1e-6)
    assert rate['share'] == pytest.approx(rate['gflops'] / rate['best_matmul_gflops'])
