"""What tools/evaluate_all.py and tools/report.py make of their arguments."""

import runpy
from pathlib import Path

import pytest

from twlv_mm.synthetic import make_boxes

from ..commands import TOOLS, run_tool


@pytest.fixture
def error_of(capsys):
    """What a tool says when it refuses its arguments."""

    def error_of(tool, *arguments):
        code = run_tool(tool, *arguments)
        assert code
        return f'{code}\n{capsys.readouterr().err}'

    return error_of


def test_report_is_made_of_a_folder(capsys, tmp_path):
    assert run_tool('report.py', tmp_path, '--out', tmp_path / 'out', '--title', 'Mine') == 0
    printed = capsys.readouterr()
    page, text = printed.out.splitlines()
    assert f'no results.json of a run below {tmp_path}' in printed.err
    assert '<title>Mine</title>' in Path(page).read_text()
    assert Path(text).read_text().startswith('# Mine\n')


def test_report_needs_a_folder_and_a_name_for_each_embeddings(error_of, tmp_path):
    assert f'error: folder {tmp_path}/nowhere does not exist' in error_of('report.py', tmp_path / 'nowhere')
    assert "'embeddings/val' is not NAME=FOLDER" in error_of('report.py', tmp_path, '--embeddings', 'embeddings/val')
    assert "has 'a' twice" in error_of('report.py', tmp_path, '--embeddings', 'a=one/val', 'b=two/val', 'a=three/val')


def test_every_pattern_has_to_name_a_task(error_of, tmp_path):
    arguments = ['twlv_small_synthetic', '--synthetic', tmp_path, '--out', tmp_path / 'out', '--list']
    error = error_of('evaluate_all.py', *arguments, '--tasks', 'motion_*', 'direktion')
    assert 'error: no task matches direktion: --list lists the tasks' in error
    assert '--jobs is 0; it must be 1 or more' in error_of('evaluate_all.py', *arguments, '--jobs', 0)


def test_report_of_generated_videos_takes_sets_of_any_size_but_none_that_is_unfinished(tmp_path):
    finished_set = runpy.run_path(str(TOOLS / 'make_report.py'))['finished_set']
    assert finished_set(tmp_path / 'boxes') is None
    make_boxes(tmp_path / 'boxes', num_clips=2, workers=1)
    assert finished_set(tmp_path / 'boxes')['num_clips'] == 2
    manifest = tmp_path / 'boxes/manifest.json'
    manifest.write_text(manifest.read_text().replace('"complete": true', '"complete": false'))
    assert finished_set(tmp_path / 'boxes') is None
