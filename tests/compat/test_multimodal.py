import types
from importlib import metadata
from importlib.util import find_spec

import pytest

from twlv_mm.compat import multimodal


@pytest.mark.skipif(not find_spec('transformers'), reason="needs transformers: pip install 'twlv-i[hf]'")
def test_models_import_beside_transformers_and_vindlu_says_what_it_needs():
    assert metadata.version('transformers')  # otherwise this shows nothing
    from mmaction.models import Recognizer3D  # noqa: F401
    from mmaction.registry import MODELS
    from mmaction.utils.dependency import WITH_MULTIMODAL

    if not WITH_MULTIMODAL:
        with pytest.raises(ImportError, match='requires extra multi-modal dependencies'):
            MODELS.build({'type': 'VindLURetrieval', '_scope_': 'mmaction'})


@pytest.mark.parametrize('dropped', [(), multimodal.DROPPED[:1]])
@pytest.mark.parametrize('with_timm', [True, False])
def test_what_vindlu_can_use_is_left_to_it(with_timm, dropped, tmp_path, monkeypatch):
    (tmp_path / 'modeling_utils.py').write_text('import ' + ', '.join(set(multimodal.DROPPED) - set(dropped)))
    found = types.SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(multimodal.importlib.util, 'find_spec', lambda name: found)
    monkeypatch.setattr(multimodal, 'is_installed', lambda name: with_timm or not name.startswith('timm'))
    dependency = types.SimpleNamespace(WITH_MULTIMODAL=True)
    multimodal._tell(dependency)
    assert dependency.WITH_MULTIMODAL is (with_timm and not dropped)
