"""The two ways that are compared do the same but for what the encoder runs on."""

import pytest
import torch

from benchmarks.pretraining_steps import ALL, training_step

WAYS = {ALL: 0.75, '75% masked': 0.75}


@pytest.mark.parametrize('way', WAYS)
def test_only_the_way_that_encodes_all_runs_on_masked_patches(way):
    torch.manual_seed(0)
    tiny = dict(img_size=32, patch_size=8, num_frames=8, embed_dims=48, depth=2, num_heads=4)
    model, loss = training_step(way, WAYS, 'twlv_base', 2, **tiny)
    lengths = []
    model.backbone.blocks[0].register_forward_hook(lambda _, args, output: lengths.append(output.shape[1]))
    model.predictor.blocks[0].register_forward_hook(lambda _, args, output: lengths.append(output.shape[1]))
    loss().backward()
    assert lengths == [64 if way == ALL else 16, 64]
    assert model.backbone.patch_embed.proj.weight.grad.any()
