"""Builds and installs this checkout offline, as a user would, and tries the result from another project's folder."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import twlv_mm

ROOT = Path(__file__).resolve().parents[1]
LEFT_BEHIND = shutil.ignore_patterns(
    '.git', '.venv*', '.*_cache', '__pycache__', '*.egg-info', 'build', 'dist', 'work_dirs', 'tests'
)


def run(*command, cwd, **env):
    """Run a command without what would bring this checkout in by another way; return what it prints."""
    env = {**os.environ, **env}
    env.pop('PYTHONPATH', None)
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """A copy, so that building leaves nothing in the checkout and takes nothing from earlier builds."""

    def ignore(folder, names):
        # Datasets of the user's are in data/ of the checkout; tools/data/ is ours.
        return {*LEFT_BEHIND(folder, names), *(['data'] if Path(folder) == ROOT else [])}

    return shutil.copytree(ROOT, tmp_path_factory.mktemp('src') / 'twlv', symlinks=True, ignore=ignore)


def build_wheel(source, folder):
    pip_wheel = ('-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation', '--no-index', '-w', folder, source)
    run(sys.executable, *pip_wheel, cwd=folder)
    (wheel,) = folder.glob('*.whl')
    return wheel


@pytest.fixture(scope='module')
def wheel(checkout, tmp_path_factory):
    return build_wheel(checkout, tmp_path_factory.mktemp('wheel'))


@pytest.fixture(scope='module', params=['editable', 'wheel'])
def python(request, checkout, tmp_path_factory):
    """The interpreter of an environment that has this environment's packages and an install of its own of ours."""
    target = ('-e', checkout) if request.param == 'editable' else (request.getfixturevalue('wheel'),)
    folder = tmp_path_factory.mktemp(request.param)
    venv.create(folder, symlinks=True)
    python = folder / 'bin' / 'python'
    (site,) = folder.glob('lib/python*/site-packages')
    (site / 'outer.pth').write_text('\n'.join(path for path in sys.path if path.endswith('-packages')))
    install = ('install', '-q', '--no-deps', '--no-build-isolation', '--no-index', '--ignore-installed')
    run(sys.executable, '-m', 'pip', '--python', python, *install, *target, cwd=folder)
    return python


def test_config_of_another_project_inherits_ours(python, checkout, tmp_path):
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'twlv_mm::twlv/k400_linear.py'\nmodel = dict(cls_head=dict(num_classes=7))\n"
    )
    script = (
        'import json, twlv_mm\n'
        'from mmengine import Config, hub\n'
        "mine = Config.fromfile('mine.py')\n"
        "ours = hub.get_config('twlv_mm::twlv/k400_linear.py')\n"
        'print(json.dumps([twlv_mm.__file__, mine.to_dict(), ours.to_dict()]))\n'
    )
    location, mine, ours = json.loads(run(python, '-c', script, cwd=tmp_path).splitlines()[-1])
    # The test is about this environment's install, not about one that the tests themselves run from.
    assert Path(location).is_relative_to(python.parents[1]) or Path(location).is_relative_to(checkout)
    assert mine['model']['cls_head']['num_classes'] == 7
    assert mine['model']['backbone'] == ours['model']['backbone']
    assert '_scope_' not in str(mine)


def test_wheel_holds_every_config_tool_and_template_as_a_file(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    templates = 'analysis/scatter.html', 'search/page.html', *(f'report/{name}' for name in ('page.html', 'style.css'))
    for name in (*templates, 'report/errors/page.html'):
        assert (tmp_path / 'twlv_mm' / name).is_file(), name
    mim = tmp_path / 'twlv_mm' / '.mim'
    shipped = {path.relative_to(mim).as_posix() for path in mim.rglob('*') if path.is_file()}
    ours = [path for folder in ('configs', 'tools') for path in (ROOT / folder).rglob('*') if path.is_file()]
    expected = {path.relative_to(ROOT).as_posix() for path in ours if '__pycache__' not in path.parts}
    assert shipped == expected | {'model-index.yml'}
    assert (mim / 'model-index.yml').read_bytes() == (ROOT / 'model-index.yml').read_bytes()


def test_wheel_installs_the_package_and_its_console_command_only(wheel):
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split('/')[0] for name in archive.namelist()}
        (first_module,) = [
            archive.read(name).split()[0] for name in archive.namelist() if name.endswith('/top_level.txt')
        ]
    assert {name for name in top if not name.endswith('.dist-info')} == {'twlv_mm', 'twlv_tools.py'}
    assert first_module == b'twlv_mm'  # what mim takes for the package


def test_wheel_has_our_version_and_requires_no_mmcv_and_no_exact_torch(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith('.dist-info/METADATA')]
        metadata = archive.read(name).decode()
    required = [
        Requirement(line) for line in re.findall(r'^Requires-Dist: (.+)$', metadata, re.M) if 'extra' not in line
    ]
    assert f'\nVersion: {twlv_mm.__version__}\n' in metadata
    names = {requirement.name for requirement in required}
    assert {'torch', 'mmengine', 'mmdet', 'mmaction2'} <= names
    assert not names & {'mmcv', 'mmcv-lite'}
    (torch,) = [requirement for requirement in required if requirement.name == 'torch']
    assert [specifier.operator for specifier in torch.specifier] == ['>=']
    (decord,) = [requirement for requirement in required if requirement.name == 'decord']
    assert decord.marker.evaluate({'platform_machine': 'x86_64'})
    assert not decord.marker.evaluate({'platform_machine': 'aarch64'})


def test_wheel_built_from_the_source_archive_is_the_same(checkout, wheel, tmp_path):
    script = 'import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])'
    run(sys.executable, '-c', script, tmp_path, cwd=checkout)
    (archive,) = tmp_path.glob('*.tar.gz')
    shutil.unpack_archive(archive, tmp_path)
    again = build_wheel(tmp_path / archive.name.removesuffix('.tar.gz'), tmp_path)
    with zipfile.ZipFile(wheel) as direct, zipfile.ZipFile(again) as indirect:
        assert sorted(direct.namelist()) == sorted(indirect.namelist())


def read_requirements(path):
    return [Requirement(line) for line in path.read_text().splitlines() if not line.startswith('#')]


def test_lock_file_satisfies_what_setup_requires():
    lock = read_requirements(ROOT / 'requirements' / 'lock.txt')
    for python_version in ('3.10', '3.11', '3.12', '3.13'):
        there = {'python_version': python_version, 'platform_machine': 'x86_64'}
        locked = [r for r in lock if r.marker is None or r.marker.evaluate(there)]
        assert len({r.name for r in locked}) == len(locked), f'two versions of one package on Python {python_version}'
        versions = {r.name: str(r.specifier).removeprefix('==') for r in locked}
        for name in ('build.txt', 'runtime.txt', 'tests.txt', 'analysis.txt'):
            for requirement in read_requirements(ROOT / 'requirements' / name):
                if requirement.marker is not None and not requirement.marker.evaluate(there):
                    continue
                assert requirement.specifier.contains(versions[requirement.name]), (python_version, requirement)


@pytest.fixture
def project(tmp_path):
    """What `make setup` reads, and a .venv whose python notes how it is called and fails where FAIL says."""
    for name in ('Makefile', 'requirements', 'setup.py', 'pyproject.toml'):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    python = tmp_path / '.venv' / 'bin' / 'python'
    python.parent.mkdir(parents=True)
    python.write_text(
        '#!/bin/sh\n'
        'echo "$*" >> calls\n'
        'echo "$PIP_TARGET $PIP_PREFIX $PIP_USER $PYTHONPATH $VIRTUAL_ENV" >> surroundings\n'
        'case "$*" in *"$FAIL"*) exit 1;; esac\n'
    )
    python.chmod(0o755)
    return tmp_path


NO_MMCV = 'version("mmcv")'


def change_lock_file(project):
    # A minute ahead, because two changes within one tick of the clock look simultaneous to make.
    os.utime(project / 'requirements' / 'lock.txt', (time.time() + 60,) * 2)


def make(folder, *arguments, fail=NO_MMCV, **surroundings):
    # As typed by a user, also when these tests run under make.
    env = {name: value for name, value in os.environ.items() if name not in ('MAKEFLAGS', 'MAKELEVEL', 'PYTHON')}
    env = {**env, **surroundings, 'FAIL': fail}
    return subprocess.run(['make', *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_second_set_up_does_nothing_until_the_lock_file_changes(project):
    calls = project / 'calls'
    assert make(project, 'setup').returncode == 0
    done = calls.read_text()
    assert '-e .' in done
    assert make(project, 'setup').returncode == 0
    assert calls.read_text() == done
    change_lock_file(project)
    assert make(project, 'setup').returncode == 0
    assert len(calls.read_text()) > len(done)


@pytest.mark.parametrize('step', ['build.txt', '.venv/lock.txt', 'torch', '-e .', '-m twlv_mm'])
def test_failed_set_up_is_not_finished(step, project):
    assert make(project, 'setup', fail=step).returncode != 0
    assert make(project, '--question', 'setup').returncode == 1


@pytest.mark.parametrize(('fail', 'lite'), [(NO_MMCV, True), ('nothing', False)], ids=['no mmcv', 'compiled mmcv'])
def test_set_up_leaves_a_compiled_mmcv_in_place(fail, lite, project):
    assert make(project, 'setup', fail=fail).returncode == 0
    locked = {requirement.name for requirement in read_requirements(project / '.venv' / 'lock.txt')}
    assert 'mmengine' in locked
    assert ('mmcv-lite' in locked) is lite


def test_set_up_stays_out_of_other_environments(project):
    names = ('PIP_TARGET', 'PIP_PREFIX', 'PIP_USER', 'PYTHONPATH', 'VIRTUAL_ENV')
    assert make(project, 'setup', **dict.fromkeys(names, 'elsewhere')).returncode == 0
    assert 'elsewhere' not in (project / 'surroundings').read_text()


def test_old_python_is_refused_with_the_way_to_name_another(project, tmp_path):
    shutil.rmtree(project / '.venv')
    old = tmp_path / 'python3.8'
    old.write_text('#!/bin/sh\nexit 1\n')
    old.chmod(0o755)
    done = make(project, 'setup', f'PYTHON={old}')
    assert done.returncode != 0
    assert f'No Python 3.10 or newer: {old}' in done.stdout + done.stderr
    assert 'make PYTHON=' in done.stdout + done.stderr
    assert not (project / '.venv').exists()


def test_nothing_in_the_name_of_a_video_is_run(project):
    make(project, 'setup')
    name = """a `touch ran` $(touch ran) $(shell touch ran) "; touch ran; 'b$c.mp4"""
    for variable, goal in (('VIDEO', 'demo'), ('PRETRAIN', 'small')):
        make(project, goal, f'{variable}={name}')
        make(project, goal, **{variable: name})
    assert not (project / 'ran').exists()
