"""The benchmark compares ways to the same result."""

import pytest
import torch

from twlv_mm.localization.attention_benchmark import FULL, benchmark_local_attention
from twlv_mm.localization.local_attention import local_attention


@pytest.mark.parametrize('name', FULL)
def test_all_ways_give_the_same_result_where_a_step_is_valid(name):
    query, key, value = torch.randn(3, 2, 150, 8)
    valid = torch.ones(2, 150, dtype=torch.bool)
    valid[1, 70:] = False
    ours, full = (attention(query, key, value, valid, 2, 19) for attention in (local_attention, FULL[name]))
    torch.testing.assert_close(ours[valid], full[valid], atol=1e-6, rtol=0)


def test_benchmark_reports_time_and_memory_of_all():
    rates = benchmark_local_attention(length=64, batch_size=1, in_channels=8, iterations=1, channels=16)
    assert list(rates) == ['local', *FULL]
    for rate in rates.values():
        assert rate['seconds'] > 0
        assert rate['peak_bytes'] >= 0
