"""The speed of an encoder is that of its matrix products."""

import pytest

from twlv_mm.encoders.speed import encoder_rate


def test_encoder_counts_its_matrix_products(measured_once):
    rate = encoder_rate('twlv_small_synthetic')
    tokens, dims, depth = 64, 128, 4
    layers = depth * 2 * tokens * 12 * dims**2
    attention = depth * 2 * 2 * tokens**2 * dims
    patches = 2 * tokens * dims * 3 * 4 * 8 * 8
    assert rate['gflop'] * 1e9 == pytest.approx(layers + attention + patches, rel=1e-6)
    assert rate['share'] == pytest.approx(rate['gflops'] / rate['best_matmul_gflops'])
