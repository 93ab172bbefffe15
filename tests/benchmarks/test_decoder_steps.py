"""The two decoders that are compared do the same but for who attends to whom."""

import pytest
import torch

from benchmarks.decoder_steps import WAYS, training_step


@pytest.mark.parametrize('way', WAYS)
@torch.no_grad()
def test_only_plain_queries_see_the_tokens_of_other_frames(way):
    torch.manual_seed(0)
    decoder, _ = training_step(
        way, 1, (3, 3), in_channels=8, num_frames=4, num_queries=5, num_layers=1, embed_dims=16, num_heads=2
    )
    decoder.eval()
    features, padding = torch.randn(1, 8, 4, 3, 3), torch.zeros(1, 3, 3, dtype=torch.bool)
    before = decoder(features, padding)
    features[:, :, 1] += 1
    changed = (decoder(features, padding) - before).abs().amax(dim=(0, 1, 4)) > 1e-6
    assert changed[1].all()
    assert changed[0].any() == (way == 'plain')


@pytest.mark.parametrize('way', WAYS)
def test_step_trains(way):
    decoder, loss = training_step(way, 2, (2, 2), in_channels=8, num_frames=2, num_layers=1, embed_dims=16, num_heads=2)
    loss().backward()
    assert decoder.spatial_queries.weight.grad.any()
