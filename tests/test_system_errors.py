import errno
import os
import runpy
import sys
from pathlib import Path

import pytest

from twlv_mm.system_errors import run_tool

TOOLS = Path(__file__).parents[1] / 'tools'


def failing(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize('name', ['ENOSPC', 'EDQUOT', 'EROFS', 'ENOTDIR', 'EMFILE', 'EACCES'])
def test_error_of_the_system_is_one_line_with_the_path_and_code_2(name, capsys):
    code = getattr(errno, name)
    with pytest.raises(SystemExit) as stopped:
        run_tool(failing(OSError(code, os.strerror(code), 'out/file')))
    assert stopped.value.code == 2
    assert capsys.readouterr().err == f'error: out/file: {os.strerror(code)}\n'


def test_error_of_a_worker_is_its_last_line(capsys):
    with pytest.raises(SystemExit):
        run_tool(failing(RuntimeError('Caught OSError\n  File "x"\nOSError: No space left on device\n')))
    assert capsys.readouterr().err == 'error: OSError: No space left on device\n'


def test_cause_is_found(capsys):
    error = RuntimeError('fold 2 failed')
    error.__cause__ = OSError(errno.ENOSPC, 'No space left on device', 'fold2/epoch_1.pth')
    with pytest.raises(SystemExit):
        run_tool(failing(error))
    assert 'fold2/epoch_1.pth: No space left' in capsys.readouterr().err


def test_other_errors_keep_their_traceback():
    with pytest.raises(KeyError):
        run_tool(failing(KeyError('x')))


@pytest.mark.parametrize('tool', sorted(path.name for path in TOOLS.glob('*.py')))
def test_every_tool_ends_so(tool):
    assert '\n    run_tool(' in (TOOLS / tool).read_text()


def test_file_in_place_of_the_work_dir(tiny_config, tmp_path, monkeypatch, capsys):
    (tmp_path / 'file').touch()
    monkeypatch.setattr(sys, 'argv', ['train.py', tiny_config, '--work-dir', f'{tmp_path}/file/run'])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(TOOLS / 'train.py'), run_name='__main__')
    assert stopped.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f'error: {tmp_path}/file/run: Not a directory'
