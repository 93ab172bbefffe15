import pytest
import torch
from mmengine.registry import MODELS
from torch import nn


class TinyBackbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(3, 8, 3, stride=2, padding=1)

    def forward(self, x):
        return self.conv(x)

    def init_weights(self):
        pass


@pytest.fixture
def recognizer():
    """A Recognizer3D that has TSNHead on a 3D backbone."""
    import mmaction.models  # noqa: F401
    from mmaction.registry import MODELS as ACTION_MODELS

    torch.manual_seed(0)
    MODELS.register_module(name='TinyBackbone', module=TinyBackbone, force=True)
    return ACTION_MODELS.build(
        {
            'type': 'Recognizer3D',
            '_scope_': 'mmaction',
            'backbone': {'type': 'mmengine.TinyBackbone'},
            'cls_head': {'type': 'TSNHead', 'num_classes': 5, 'in_channels': 8, 'average_clips': 'prob'},
            'data_preprocessor': {
                'type': 'ActionDataPreprocessor',
                'format_shape': 'NCTHW',
                'mean': [0.0],
                'std': [255.0],
            },
        }
    )


def batch(videos, views):
    from mmaction.structures import ActionDataSample

    inputs = [torch.randint(0, 255, (views, 3, 4, 16, 16), dtype=torch.uint8) for _ in range(videos)]
    return {'inputs': inputs, 'data_samples': [ActionDataSample().set_gt_label(i) for i in range(videos)]}


def test_recognizer_3d_trains_with_tsn_head(recognizer):
    data = recognizer.data_preprocessor(batch(videos=2, views=1), training=True)
    recognizer(**data, mode='loss')['loss_cls'].backward()
    assert recognizer.backbone.conv.weight.grad.abs().sum() > 0


def test_recognizer_3d_averages_the_views_of_each_video(recognizer):
    recognizer.eval()
    data = recognizer.data_preprocessor(batch(videos=2, views=3))
    results = recognizer(**data, mode='predict')
    assert len(results) == 2
    for video, result in zip(data['inputs'], results, strict=True):
        maps = recognizer.backbone(video).mean((2, 3, 4))
        expected = recognizer.cls_head.fc_cls(maps).softmax(-1).mean(0)
        torch.testing.assert_close(result.pred_score, expected)


def test_segments_of_a_2d_recognizer_are_still_averaged(recognizer):
    head = recognizer.cls_head.eval()
    maps = torch.randn(6, 8, 7, 7)
    expected = head.fc_cls(maps.mean((2, 3)).view(2, 3, 8).mean(1))
    torch.testing.assert_close(head(maps, 3), expected)
    torch.testing.assert_close(head(maps, num_segs=3), expected)
