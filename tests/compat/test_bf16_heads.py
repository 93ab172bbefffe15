import torch


def test_recognizer_trains_under_bf16_autocast():
    import mmaction.models  # noqa: F401
    from mmaction.registry import MODELS
    from mmaction.structures import ActionDataSample

    head = MODELS.build(dict(type='I3DHead', num_classes=5, in_channels=8, _scope_='mmaction'))
    samples = [ActionDataSample().set_gt_label(label) for label in (0, 1)]
    with torch.autocast('cpu', torch.bfloat16):
        scores = head(torch.randn(2, 8, 2, 4, 4))
        assert scores.dtype == torch.bfloat16
        losses = head.loss_by_feat(scores, samples)
    assert losses['loss_cls'].dtype == torch.float32
    losses['loss_cls'].backward()
    assert head.fc_cls.weight.grad.abs().sum() > 0
