import inspect
import sys

import pytest
import torch
from mmengine.utils.dl_utils import mmcv_full_available

from twlv_mm.compat import _modules, mmcv_ext

lite_only = pytest.mark.skipif(_modules.is_installed('mmcv._ext'), reason='the compiled mmcv is installed')


@lite_only
def test_missing_operator_names_itself_and_the_cure():
    from mmcv.ops import nms_match

    with pytest.raises(
        NotImplementedError, match=r'^nms_match is a compiled operator of mmcv.*pip install mmcv==2\.1\.0'
    ):
        nms_match(torch.rand(2, 5), 0.5)


@lite_only
def test_mmengine_still_sees_that_mmcv_is_not_compiled():
    assert not mmcv_full_available()


@lite_only
def test_stand_in_can_be_inspected():
    extension = sys.modules['mmcv._ext']
    assert not hasattr(extension, '__wrapped__')
    assert inspect.unwrap(extension) is extension
    assert extension.nms_match.__name__ == 'nms_match'


def test_model_with_an_unused_operator_is_built():
    import mmdet.models  # noqa: F401
    from mmdet.registry import MODELS

    roi_align = {'type': 'RoIAlign', 'output_size': 7}
    extractor = MODELS.build(
        {
            'type': 'SingleRoIExtractor',
            '_scope_': 'mmdet',
            'roi_layer': roi_align,
            'out_channels': 8,
            'featmap_strides': [16],
        }
    )
    assert [layer.output_size for layer in extractor.roi_layers] == [(7, 7)]


def test_compiled_mmcv_is_left_alone(monkeypatch):
    monkeypatch.delitem(sys.modules, mmcv_ext.NAME, raising=False)
    monkeypatch.setattr(mmcv_ext, 'is_installed', lambda name: True)
    mmcv_ext.apply()
    assert mmcv_ext.NAME not in sys.modules
