"""An encoder with a pooling of its own gets the same linear probe from every command."""

from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope

from twlv_mm.encoders import read_config
from twlv_mm.evaluation.encoder import find_encoder
from twlv_mm.evaluation.tasks import paper_tasks
from twlv_mm.registry import MODELS

CONFIG = Path(__file__).parents[2] / 'configs/twlv/k400_linear.py'
SMALL = dict(img_size=28, num_frames=2, embed_dims=32, depth=1, num_heads=2, output_dims=12)


@pytest.mark.parametrize('name', ['clip_large', 'dfn_huge'])
def test_training_and_the_whole_evaluation_build_one_probe_and_write_one_protocol(name):
    trained = read_config(CONFIG, name, encoder_overrides=SMALL | dict(allow_random=True))
    encoder = find_encoder(name)._replace(overrides=SMALL)
    evaluated = next(task for task in paper_tasks() if task.name == 'k400_linear').read(encoder, 'embeddings')
    init_default_scope('mmaction')
    found = []
    for cfg in (trained, evaluated):
        model = MODELS.build(cfg.model)
        torch.manual_seed(0)
        model.backbone.init_weights()
        vectors = model.extract_feat(torch.rand(1, 2, 3, 2, 28, 28))[0]
        steps = cfg.test_dataloader.dataset.pipeline
        shapes = {key: value.shape for key, value in model.state_dict().items()}
        found.append((vectors.shape, shapes, model.choices, steps))
    assert found[0] == found[1]
    shape, weights, protocol, steps = found[0]
    # The projected vector of the class tokens, not the mean of the 32-wide patch tokens.
    assert shape == (2, 12)
    assert weights['cls_head.fc_cls.weight'] == (400, 12)
    assert protocol['pooling'] == 'class_token'
    assert (steps[1]['num_clips'], steps[3]['num_crops']) == (4, 3)
