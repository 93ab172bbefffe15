import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from twlv_mm.compat import _modules, drn_stub

INSTALLED = Path(find_spec('mmaction').origin).parent
of_the_wheel = pytest.mark.skipif(
    (INSTALLED / 'models/localizers/drn').is_dir(), reason='this mmaction2 is a clone, which has DRN'
)


@of_the_wheel
def test_other_localizers_import_and_drn_says_what_is_missing():
    from mmaction.models import BMN, DRN
    from mmaction.registry import MODELS

    assert MODELS.get('BMN') is BMN
    with pytest.raises(ImportError, match='its wheel lacks the folder mmaction/models/localizers/drn'):
        DRN()


@of_the_wheel
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
    (tmp_path / 'halfpackage' / 'inner' / 'plain').mkdir()
    (tmp_path / 'halfpackage' / 'inner' / 'plain' / 'module.py').write_text('')
    monkeypatch.syspath_prepend(tmp_path)
    there = ['halfpackage', *(f'halfpackage.inner{name}' for name in ('', '.leaf', '.plain', '.plain.module'))]
    found = [
        name
        for name in (*there, 'halfpackage.other', 'halfpackage.inner.plain.other', 'nopackage.x')
        if _modules.is_installed(name)
    ]
    assert found == there


@pytest.mark.parametrize('torchvision', [False, True])
def test_clone_of_mmaction2_is_used_as_far_as_torchvision_is_there(torchvision, tmp_path):
    """A clone has the folder, without an __init__.py, which the wheel lacks."""
    if not torchvision and find_spec('torchvision'):
        pytest.skip('torchvision is installed')
    shutil.copytree(INSTALLED, tmp_path / 'mmaction', ignore=shutil.ignore_patterns('.mim', '__pycache__'))
    drn = tmp_path / 'mmaction/models/localizers/drn/drn.py'
    drn.parent.mkdir(exist_ok=True)
    drn.write_text('import torchvision\n\n\nclass DRN:\n    pass\n')
    if torchvision:
        (tmp_path / 'torchvision.py').touch()
    script = (
        'import sys\n'
        'sys.path.insert(0, sys.argv[1])\n'
        'import twlv_mm, mmaction.models\n'
        'print(mmaction.models.BMN.__module__)\n'
        'print(sys.modules[mmaction.models.DRN.__module__].__file__)\n'
        'mmaction.models.DRN()\n'
    )
    run = subprocess.run([sys.executable, '-c', script, tmp_path], capture_output=True, text=True, check=False)
    bmn, file = run.stdout.splitlines()
    assert bmn == 'mmaction.models.localizers.bmn'
    if torchvision:
        assert (run.returncode, file) == (0, str(drn))
    else:
        assert (run.returncode, file) == (1, drn_stub.__file__)
        assert 'DRN needs torchvision' in run.stderr
