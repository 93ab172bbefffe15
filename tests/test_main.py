import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import mmcv
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from twlv_mm import diagnosis
from twlv_mm.__main__ import main

ROOT = Path(__file__).resolve().parents[1]


def set_versions(monkeypatch, **versions):
    """Pretend that these versions are installed; None: not installed."""
    plain = metadata.version

    def version(name):
        if versions.get(name, '') is None:
            raise metadata.PackageNotFoundError(name)
        return versions.get(name) or plain(name)

    monkeypatch.setattr(metadata, 'version', version)


def row(component):
    return next(row for row in diagnosis.examine() if row.component == component)


def line_of(component, text):
    return next(line for line in text.splitlines() if line.startswith(component))


def test_sound_environment_gives_zero_and_names_every_version(capsys):
    assert main() == 0
    text = capsys.readouterr().out
    for name in ('mmengine', 'mmaction2', 'mmdet', 'torch', 'numpy', 'av'):
        assert metadata.version(name) in line_of(name, text)


@pytest.mark.parametrize(
    ('distribution', 'module', 'fix'),
    [
        ('mmaction2', 'mmaction', "pip install 'mmaction2>=1.2.0,<1.3'"),
        ('mmengine', 'mmengine', "pip install 'mmengine>=0.10.7,<0.11'"),
        ('av', 'av', "pip install 'av>=17'"),
    ],
)
def test_absent_component_is_named_with_its_fix(distribution, module, fix, monkeypatch, capsys):
    set_versions(monkeypatch, **{distribution: None})
    monkeypatch.setitem(sys.modules, module, None)
    assert main() == 1
    text = capsys.readouterr().out
    assert 'not installed' in line_of(distribution, text)
    assert line_of(distribution, text).endswith(fix)
    assert f'Missing or wrong: {distribution}' in text


@pytest.mark.parametrize('version', ['0.10.6', '0.11.0', '1.0.0rc1'])
def test_wrong_version_is_named_with_its_fix(version, monkeypatch):
    set_versions(monkeypatch, mmengine=version)
    assert row('mmengine')[1:3] == (version, '>=0.10.7,<0.11')
    assert row('mmengine').fix == "pip install 'mmengine>=0.10.7,<0.11'"


def test_broken_component_says_why_its_import_fails(monkeypatch, tmp_path, capsys):
    (tmp_path / 'av.py').write_text("raise OSError('libavcodec.so: no such file')")
    monkeypatch.delitem(sys.modules, 'av', raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    assert main() == 1
    text = capsys.readouterr().out
    assert 'import fails' in line_of('av', text)
    assert 'pip install --force-reinstall' in line_of('av', text)
    assert 'av: OSError: libavcodec.so: no such file' in text


def test_decord_is_asked_for_only_where_it_has_wheels(monkeypatch):
    set_versions(monkeypatch, decord=None)
    monkeypatch.setitem(sys.modules, 'decord', None)
    monkeypatch.setattr(diagnosis.platform, 'machine', lambda: 'x86_64')
    assert [row.component for row in diagnosis.missing(diagnosis.examine())] == ['decord']
    monkeypatch.setattr(diagnosis.platform, 'machine', lambda: 'aarch64')
    assert not diagnosis.missing(diagnosis.examine())


@pytest.mark.parametrize(
    'versions',
    [
        {'mmcv': '2.1.0', 'mmcv-lite': '2.1.0'},
        {'mmcv': '2.2.0', 'mmcv-lite': None},
        {'mmcv': None, 'mmcv-lite': None},
    ],
    ids=['both', 'too new', 'neither'],
)
def test_mmcv_is_fixed_by_uninstalling_what_is_there_first(versions, monkeypatch):
    set_versions(monkeypatch, **versions)
    assert row('mmcv or mmcv-lite').fix.startswith('pip uninstall -y mmcv mmcv-lite && ')
    assert row('mmcv or mmcv-lite').fix.endswith('mmcv-lite==2.1.0')


@pytest.mark.parametrize(
    ('source', 'found', 'required'),
    [
        (None, 'none', False),
        ('', 'compiled', False),
        ("raise ImportError('undefined symbol: _ZN3c10')", 'do not load', True),
    ],
)
def test_compiled_operators_are_optional_unless_they_are_there_and_broken(
    source, found, required, monkeypatch, tmp_path
):
    if source is not None:
        (tmp_path / '_ext.py').write_text(source)
    monkeypatch.delitem(sys.modules, 'mmcv._ext', raising=False)
    monkeypatch.setattr(mmcv, '__path__', [str(tmp_path)])
    operators = row('mmcv operators')
    assert operators.found == found
    assert bool(diagnosis.missing([operators])) is required


def test_absent_optional_component_is_named_with_its_fix_and_no_fault(monkeypatch, capsys):
    set_versions(monkeypatch, **{'scikit-learn': None})
    monkeypatch.setitem(sys.modules, 'sklearn', None)
    assert main() == 0
    assert line_of('scikit-learn', capsys.readouterr().out).endswith("pip install 'scikit-learn>=1.3'")


@pytest.fixture
def without_mmengine(tmp_path):
    """The environment of a process in which mmengine is not installed."""
    (tmp_path / 'sitecustomize.py').write_text(
        'import sys\n'
        'from importlib import metadata\n'
        'plain = metadata.version\n'
        'def version(name):\n'
        "    if name == 'mmengine':\n"
        '        raise metadata.PackageNotFoundError(name)\n'
        '    return plain(name)\n'
        'metadata.version = version\n'
        "sys.modules['mmengine'] = None\n"
    )
    return {**os.environ, 'PYTHONPATH': f'{tmp_path}{os.pathsep}{ROOT}'}


def test_command_prints_its_table_when_the_package_cannot_be_imported(without_mmengine):
    run = subprocess.run(
        [sys.executable, '-m', 'twlv_mm'], env=without_mmengine, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert 'Traceback' not in run.stderr
    assert line_of('mmengine', run.stdout).endswith("pip install 'mmengine>=0.10.7,<0.11'")
    # mmcv is sound and only lacks mmengine; reinstalling it would help nobody.
    assert line_of('mmcv or', run.stdout).endswith('fix the rows above, then look again')


def test_import_in_an_incomplete_environment_names_the_fix(without_mmengine):
    run = subprocess.run(
        [sys.executable, '-c', 'import twlv_mm'], env=without_mmengine, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert 'ImportError: twlv_mm cannot be imported' in run.stderr
    assert "pip install 'mmengine>=0.10.7,<0.11'" in run.stderr


def test_error_that_no_component_explains_stays_as_it_is():
    with pytest.raises(RuntimeError, match='a defect of our own'), diagnosis.explained():
        raise RuntimeError('a defect of our own')


def test_table_asks_for_what_setup_installs():
    ranges = {component.distribution: SpecifierSet(component.needed) for component in diagnosis.COMPONENTS}
    files = ('runtime.txt', 'analysis.txt')
    lines = [line for name in files for line in (ROOT / 'requirements' / name).read_text().splitlines()]
    for requirement in (Requirement(line) for line in lines if not line.startswith('#')):
        assert ranges[requirement.name] == requirement.specifier, requirement


def test_modules_of_the_current_folder_are_not_imported(tmp_path):
    for name in ('torch', 're', 'platform'):
        (tmp_path / f'{name}.py').write_text("open('it_ran', 'w').close()\n")
    environment = {key: value for key, value in os.environ.items() if key != 'PYTHONSAFEPATH'}
    tool = Path(__file__).parents[1] / 'tools/dist_test.sh'
    for command in ([sys.executable, '-m', 'twlv_mm'], ['bash', str(tool), 'no_config.py', '1']):
        environment['PYTHON'] = sys.executable
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert not (tmp_path / 'it_ran').exists(), command
