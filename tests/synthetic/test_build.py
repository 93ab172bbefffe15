"""A folder is built once, completed when it is not finished, and never mixed with something else."""

import json
import os
from pathlib import Path

import pytest

from twlv_mm.synthetic import FolderError, build


def write(folder, name):
    (Path(folder) / name).write_text(f'content of {name}')
    return dict(name=name)


def fail(folder, name):
    raise OSError('no space left')


def run(folder, *, function=write, names='abc', workers=1, **settings):
    def annotate(results):
        (folder / 'list.txt').write_text(' '.join(result['name'] for result in results))

    jobs = [(function, dict(folder=str(folder), name=name)) for name in names]
    return build(folder, jobs, settings=dict(seed=0, **settings), annotate=annotate, workers=workers)


@pytest.fixture
def folder(tmp_path):
    run(tmp_path / 'set')
    return tmp_path / 'set'


def test_finished_folder_has_a_manifest_and_is_left_alone(folder):
    manifest = json.loads((folder / 'manifest.json').read_text())
    assert manifest['complete']
    assert manifest['settings']['seed'] == 0
    assert set(manifest['files']) == {'a', 'b', 'c', 'list.txt'}
    assert (folder / 'list.txt').read_text() == 'a b c'
    before = os.stat(folder / 'a').st_mtime_ns
    assert run(folder) is False
    assert os.stat(folder / 'a').st_mtime_ns == before


def test_other_settings_are_refused_and_named(folder):
    with pytest.raises(FolderError, match=r'quality is None, not 3.*another folder'):
        run(folder, quality=3)


@pytest.mark.parametrize('damage', [lambda f: (f / 'b').unlink(), lambda f: (f / 'b').write_text('half')])
def test_damaged_folder_is_made_whole(folder, damage):
    damage(folder)
    assert run(folder) is True
    assert (folder / 'b').read_text() == 'content of b'


def test_interrupted_build_is_detected_and_completed(tmp_path):
    folder = tmp_path / 'set'
    with pytest.raises(OSError, match='no space left'):
        run(folder, function=fail)
    assert not json.loads((folder / 'manifest.json').read_text())['complete']
    with pytest.raises(FolderError, match='other settings'):
        run(folder, quality=3)
    assert run(folder) is True
    assert (folder / 'list.txt').read_text() == 'a b c'


def test_files_of_others_are_not_touched(tmp_path):
    (tmp_path / 'thesis.txt').write_text('mine')
    with pytest.raises(FolderError, match=r'no readable manifest\.json'):
        run(tmp_path)
    assert os.listdir(tmp_path) == ['thesis.txt']
