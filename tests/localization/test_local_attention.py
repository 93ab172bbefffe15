"""Local attention is masked attention over all steps, without its cost."""

import pytest
import torch

from twlv_mm.localization.local_attention import BLOCK, local_attention

HEADS, DIMS = 2, 8


def full_attention(query, key, value, valid, window):
    """Softmax over all keys in float64, one step at a time."""
    result = torch.zeros_like(query, dtype=torch.float64)
    for video in range(len(query)):
        for step in range(query.shape[1]):
            near = valid[video].clone()
            if window != -1:
                near &= (torch.arange(len(near)) - step).abs() <= window // 2
            if not near.any():
                continue
            q = query[video, step].double().view(HEADS, 1, -1)
            k, v = (x[video, near].double().view(-1, HEADS, DIMS // HEADS).transpose(0, 1) for x in (key, value))
            weights = (q @ k.transpose(1, 2) / (DIMS // HEADS) ** 0.5).softmax(-1)
            result[video, step] = (weights @ v).flatten()
    return result


def make(length, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(2, length, DIMS, generator=generator) for _ in range(3)]


@pytest.mark.parametrize('window', [3, 19, 2 * BLOCK + 7, -1])
@pytest.mark.parametrize('length', [1, 7, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK - 5])
def test_equals_masked_attention_over_all_steps(length, window):
    query, key, value = make(length)
    # One video of full length; one whose valid keys come first, with a gap in which some queries see none.
    valid = torch.ones(2, length, dtype=torch.bool)
    valid[1, length // 3 :] = False
    valid[1, length - 2 :] = True
    ours = local_attention(query, key, value, valid, HEADS, window)
    torch.testing.assert_close(ours.double(), full_attention(query, key, value, valid, window), atol=1e-6, rtol=0)


@pytest.mark.parametrize('window', [5, -1])
@pytest.mark.parametrize('length', [20, 90])
def test_hidden_keys_have_no_influence_and_steps_without_keys_give_zero(length, window):
    query, key, value = make(length)
    valid = torch.zeros(2, length, dtype=torch.bool)
    valid[0, :10] = True
    ours = local_attention(query, key, value, valid, HEADS, window)
    key, value = (torch.where(valid[..., None], x, 1e4) for x in (key, value))
    assert torch.equal(local_attention(query, key, value, valid, HEADS, window), ours)
    assert (ours[1] == 0).all()
    assert (ours[0, :10] != 0).all()


@pytest.mark.parametrize('window', [5, -1])
def test_gradients_are_finite_and_only_where_keys_are_seen(window):
    query, key, value = (x.requires_grad_() for x in make(90))
    valid = torch.zeros(2, 90, dtype=torch.bool)
    valid[0, :50] = True
    local_attention(query, key, value, valid, HEADS, window).square().sum().backward()
    assert all(x.grad.isfinite().all() for x in (query, key, value))
    assert (value.grad[~valid] == 0).all()
    assert (value.grad[valid] != 0).all()


def test_gradients_equal_those_of_attention_over_all_steps():
    length, window = 2 * BLOCK + 3, 9
    grads = []
    valid = torch.ones(2, length, dtype=torch.bool)
    valid[1, 40:] = False
    for attention in (
        lambda *x: local_attention(*x, valid, HEADS, window),
        lambda *x: full_attention(*x, valid, window),
    ):
        inputs = [x.requires_grad_() for x in make(length)]
        (attention(*inputs).double() * torch.arange(DIMS)).sum().backward()
        grads.append([x.grad for x in inputs])
    for ours, expected in zip(*grads, strict=True):
        torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('window', [0, 1, 2, 18, -2])
def test_window_without_a_middle_is_refused(window):
    query, key, value = make(4)
    with pytest.raises(ValueError, match=f'window={window} is neither -1'):
        local_attention(query, key, value, torch.ones(2, 4, dtype=torch.bool), HEADS, window)
