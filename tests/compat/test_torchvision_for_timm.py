"""timm's models are there without torchvision, and only timm meets the stand-in for it."""

import importlib.util
import sys

import pytest

from twlv_mm.compat import torchvision_for_timm


def test_stand_in_is_there_for_the_import_alone_and_raises_when_used():
    before = {name for name in sys.modules if name.startswith('torchvision')}
    finders = list(sys.meta_path)
    with torchvision_for_timm.stand_in():
        from torchvision.ops.misc import FrozenBatchNorm2d
        from torchvision.transforms import functional

        assert not isinstance(0, FrozenBatchNorm2d)
        assert {functional.InterpolationMode.NEAREST: 0, functional.InterpolationMode.BICUBIC: 1}
        type('Resize', (functional.Resize,), {})
        with pytest.raises(ImportError, match='FrozenBatchNorm2d needs torchvision, which is missing'):
            FrozenBatchNorm2d(3)
    assert {name for name in sys.modules if name.startswith('torchvision')} <= before
    assert sys.meta_path == finders


@pytest.mark.skipif(importlib.util.find_spec('timm') is None, reason="needs timm: pip install 'twlv-i[timm]'")
def test_timm_is_imported_whether_torchvision_is_there_or_not():
    torchvision_for_timm.apply()
    import timm

    assert timm.create_model('resnet10t', num_classes=0).num_features == 512
