import sys

import pytest

from twlv_mm.compat import _modules, drn_stub


def test_other_localizers_import_and_drn_says_what_is_missing():
    from mmaction.models import BMN, DRN
    from mmaction.registry import MODELS

    assert MODELS.get('BMN') is BMN
    with pytest.raises(ImportError, match='its wheel lacks the folder mmaction/models/localizers/drn'):
        DRN()


def test_config_with_drn_meets_the_same_error():
    import mmaction.models  # noqa: F401
    from mmaction.registry import MODELS

    with pytest.raises(ImportError, match='its wheel lacks the folder'):
        MODELS.build({'type': 'DRN', '_scope_': 'mmaction'})


def test_complete_mmaction_is_left_alone(monkeypatch):
    monkeypatch.delitem(sys.modules, drn_stub.NAME)
    monkeypatch.setattr(drn_stub, 'is_installed', lambda name: True)
    drn_stub.apply()
    assert drn_stub.NAME not in sys.modules


def test_a_submodule_is_looked_for_on_disk_without_importing(tmp_path, monkeypatch):
    (tmp_path / 'halfpackage' / 'inner').mkdir(parents=True)
    (tmp_path / 'halfpackage' / '__init__.py').write_text('raise ImportError')
    (tmp_path / 'halfpackage' / 'inner' / '__init__.py').write_text('raise ImportError')
    (tmp_path / 'halfpackage' / 'inner' / 'leaf.py').write_text('')
    monkeypatch.syspath_prepend(tmp_path)
    found = [
        name
        for name in ('halfpackage', 'halfpackage.inner', 'halfpackage.inner.leaf', 'halfpackage.other', 'nopackage.x')
        if _modules.is_installed(name)
    ]
    assert found == ['halfpackage', 'halfpackage.inner', 'halfpackage.inner.leaf']
