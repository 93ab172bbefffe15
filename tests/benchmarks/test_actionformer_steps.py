"""The benchmark compares ways to the same result."""

import pytest
import torch

from benchmarks.actionformer_steps import FULL, training_step
from twlv_mm.localization import pyramid
from twlv_mm.localization.local_attention import local_attention


@pytest.mark.parametrize('name', FULL)
def test_all_ways_give_the_same_result_where_a_step_is_valid(name):
    query, key, value = torch.randn(3, 2, 150, 8)
    valid = torch.ones(2, 150, dtype=torch.bool)
    valid[1, 70:] = False
    ours, full = (attention(query, key, value, valid, 2, 19) for attention in (local_attention, FULL[name]))
    torch.testing.assert_close(ours[valid], full[valid], atol=1e-6, rtol=0)


@pytest.mark.parametrize('name', ['local', *FULL])
def test_step_of_each_way_trains_the_model_with_that_attention(name, monkeypatch):
    monkeypatch.setattr(pyramid, 'local_attention', local_attention)  # put back at the end
    model, loss = training_step(name, 64, 1, 8, channels=16)
    assert pyramid.local_attention is FULL.get(name, local_attention)
    loss().backward()
    assert any(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())
