"""The sliding window is masked attention over all steps, without its cost."""

import pytest
import torch

from benchmarks.asformer_steps import training_step
from twlv_mm.segmentation.attention import full_attention, window_attention


def one_by_one(query, key, value, count, size):
    """Softmax over what each step sees, in float64, one step at a time; count (int): steps that are no padding."""
    rows = []
    for step in range(count):
        first = step // size * size - size // 2
        seen = slice(max(first, 0), min(first + 2 * size - 1, count))
        scores = query[step].double() @ key[seen].double().T / query.shape[-1] ** 0.5
        rows.append(scores.softmax(-1) @ value[seen].double())
    return torch.stack(rows)


@pytest.mark.parametrize('size', [2, 4, 16, 64])
@pytest.mark.parametrize('length', [1, 2, 7, 64, 65, 100])
def test_each_step_sees_its_block_and_half_a_block_on_either_side(length, size):
    query, key = torch.randn(2, 3, length, 8)
    value = torch.randn(3, length, 5)
    counts = [length, max(length // 2, 1), 1]
    valid = (torch.arange(length) < torch.tensor(counts)[:, None]).float()[..., None]
    ours = window_attention(query, key, value, valid, size)
    for video, count in enumerate(counts):
        expected = one_by_one(query[video], key[video], value[video], count, size)
        torch.testing.assert_close(ours[video, :count].double(), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(window_attention(query[:1], key[:1], value[:1], None, size), ours[:1])


def test_attention_to_all_steps_leaves_out_padding():
    query, key, value = torch.randn(3, 2, 30, 8)
    valid = torch.ones(2, 30, 1)
    valid[1, 11:] = 0
    ours = full_attention(query, key, value, valid)
    expected = (query[1, :11] @ key[1, :11].T / 8**0.5).softmax(-1) @ value[1, :11]
    torch.testing.assert_close(ours[1, :11], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize('window', ['sliding', 'full'])
def test_benchmarked_step_trains_the_model_with_that_attention(window):
    model, loss = training_step(window, 40, 8, channels=8, num_layers=2, num_decoders=1)
    assert model.encoder.layers[0].att_layer.window == window
    loss().backward()
    assert model.encoder.conv_1x1.weight.grad.any()
