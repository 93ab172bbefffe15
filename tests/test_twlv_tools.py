"""The console command: its page, its commands and the configs that it finds by name."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import twlv_tools

from .commands import run_tool

ROOT = Path(twlv_tools.__file__).parent


def run(*args, cwd=None):
    return subprocess.run(
        [sys.executable, twlv_tools.__file__, *args], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_every_command_has_its_tool_and_the_page_names_it():
    page = twlv_tools.help_page()
    for command, tool in twlv_tools.TOOLS.items():
        assert f'  {command} ' in page
        assert tool is None or (ROOT / 'tools' / tool).is_file()


def test_every_tool_that_users_run_has_a_command():
    others = {'demo.py', 'make_report.py', 'ablate_targets.py', 'check_synthetic.py'}  # used by make, and two studies
    assert {path.name for path in (ROOT / 'tools').glob('*.py')} - others == {
        tool for tool in twlv_tools.TOOLS.values() if tool
    }


def test_help_imports_nothing_heavy():
    code = "import sys, twlv_tools; sys.argv = ['twlv', '--help']; twlv_tools.main(); print(*sys.modules)"
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {'torch', 'numpy', 'twlv_mm'}.isdisjoint(done.stdout.splitlines()[-1].split())


def test_page_that_is_not_read_to_its_end_ends_the_command_quietly():
    ours, theirs = os.pipe()
    os.close(ours)
    with open(theirs, 'w') as unread:
        done = subprocess.run(
            [sys.executable, twlv_tools.__file__, 'configs'], stdout=unread, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b'')


def test_as_a_module_it_imports_nothing_from_the_current_folder(tmp_path):
    (tmp_path / 'difflib.py').write_text("raise SystemExit('imported from the current folder')")
    command = [sys.executable, '-m', 'twlv_tools', '--version']
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_shipped_config_is_found_by_its_name_unless_there_is_such_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert os.path.samefile(twlv_tools.config_path('twlv/k400_linear.py'), ROOT / 'configs/twlv/k400_linear.py')
    assert twlv_tools.config_path('--work-dir') == '--work-dir'
    (tmp_path / 'twlv').mkdir()
    (tmp_path / 'twlv/k400_linear.py').touch()
    assert twlv_tools.config_path('twlv/k400_linear.py') == 'twlv/k400_linear.py'


def test_mistyped_config_is_an_error_that_names_the_nearest(tmp_path):
    done = run('train', 'twlv/k400_liner.py', cwd=tmp_path)
    assert done.returncode == 2
    assert 'there is no config twlv/k400_liner.py; did you mean twlv/k400_linear.py?' in done.stderr


def test_every_config_says_what_it_is_for():
    assert [name for name, purpose in twlv_tools.configs().items() if not purpose] == []


@pytest.mark.parametrize('args', [['trian'], ['configs', 'nothing-like-this'], ['completion', 'fish']])
def test_unknown_commands_and_configs_end_with_code_2(args):
    done = run(*args)
    assert done.returncode == 2
    assert done.stderr.startswith('error: ')


def test_completion_is_accepted_by_bash():
    script = run('completion', 'bash').stdout
    done = subprocess.run(
        ['bash', '-c', f'{script}\nCOMP_WORDS=(twlv train twlv/thu); COMP_CWORD=2; _twlv; echo "${{COMPREPLY[@]}}"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'twlv/thumos14_tal.py' in done.stdout.split()


def test_a_command_is_its_tool(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_tool(twlv_tools.__file__, 'train', '--help') == 0
    assert capsys.readouterr().out.startswith('usage: twlv train ')


def test_embed_prints_vectors_and_counts_what_failed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    first = sorted((ROOT / 'tests/data/numbered').iterdir())[0]
    assert run_tool(twlv_tools.__file__, 'embed', first, 'none.mp4', '--sampling', 'uniform') == 1
    printed = capsys.readouterr()
    assert 'none.mp4' in printed.err
    assert '"scope": "video", "start": 0.0' in printed.out
