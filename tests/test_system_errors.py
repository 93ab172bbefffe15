import errno
import gc
import os
import signal
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from twlv_mm.compat.checkpoints import load_from_local
from twlv_mm.embeddings import verify
from twlv_mm.embeddings.manifest import enter_run
from twlv_mm.encoders.checkpoint import read_checkpoint
from twlv_mm.engine import FoldError, launch
from twlv_mm.pretraining import index_shards
from twlv_mm.records import open_log, read_npz, read_table
from twlv_mm.records.reading import parsing
from twlv_mm.system_errors import run_tool

from . import commands
from .commands import TOOLS


def failing(error):
    def main(*_):
        raise error

    return main


@pytest.mark.parametrize('name', ['ENOSPC', 'EDQUOT', 'EROFS', 'ENOTDIR', 'EMFILE', 'EACCES'])
def test_error_of_the_system_is_one_line_with_the_path_and_code_2(name, refused):
    code = getattr(errno, name)
    error = refused(run_tool, failing(OSError(code, os.strerror(code), 'out/file')))
    assert error == f'error: out/file: {os.strerror(code)}\n'


def test_process_that_leaves_the_other_end_of_a_pipe_is_one_line(refused):
    assert refused(run_tool, failing(EOFError())) == 'error: a process of this run has died (EOFError)\n'


def test_worker_whose_death_is_noticed_late_does_not_replace_the_error(capsys, monkeypatch):
    class LateError(ConnectionResetError):
        def __str__(self):
            os.kill(os.getpid(), signal.SIGCHLD)
            return 'Connection reset by peer'

    def raise_as_a_data_loader(*_):
        raise RuntimeError('DataLoader worker (pid 1) is killed by signal: Killed.')

    handler = signal.signal(signal.SIGCHLD, raise_as_a_data_loader)
    try:
        with pytest.raises(SystemExit) as stopped:
            run_tool(failing(LateError()))
        os.kill(os.getpid(), signal.SIGCHLD)  # nor does it end the process otherwise, once the error is told
    finally:
        signal.signal(signal.SIGCHLD, handler)
    assert stopped.value.code == 2
    assert capsys.readouterr().err == 'error: a process of this run has died (Connection reset by peer)\n'


def test_interrupt_that_other_code_has_turned_into_an_error_is_one(refused):
    def main():
        try:
            raise KeyboardInterrupt
        except:  # noqa: E722
            raise SyntaxError('Failed to format the config file')  # noqa: B904

    assert refused(run_tool, main, code=130) == 'interrupted\n'


@pytest.fixture
def interruptible():
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell may have ignored
    yield
    signal.signal(signal.SIGINT, handler)


class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)


def lose_in_a_finalizer():
    Finalized()


def lose_in_a_handler():
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def lose_to_an_error():
    lose_in_a_handler()
    raise ValueError('of a worker that the same Ctrl-C has ended')


@pytest.mark.usefixtures('interruptible')
@pytest.mark.parametrize('lose', [lose_in_a_finalizer, lose_in_a_handler, lose_to_an_error])
def test_interrupt_that_gets_lost_ends_the_tool_all_the_same(lose, capfd, monkeypatch):
    def main():
        lose()
        time.sleep(20)

    for hook in ('excepthook', 'unraisablehook'):
        monkeypatch.setattr(sys, hook, getattr(sys, hook))
    with pytest.raises(SystemExit) as stopped:
        run_tool(main)
    assert stopped.value.code == 130
    assert capfd.readouterr().err == 'interrupted\n'
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures('interruptible')
def test_forked_processes_of_a_tool_ignore_an_interrupt():
    def main():
        if not (pid := os.fork()):
            with suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
                os._exit(7)
            os._exit(1)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    codes = []
    run_tool(main)
    assert codes == [7]


@pytest.mark.parametrize(('length', 'code'), [(100, 0), (100_000, 141)])
def test_unread_output_ends_a_tool_quietly(length, code):
    def printing():
        ours, theirs = os.pipe()
        os.close(ours)
        os.dup2(theirs, 1)
        sys.stdout = open(1, 'w', closefd=False)  # noqa: SIM115
        run_tool(lambda: print('x' * length))

    ended = commands.Fork(printing).finish()
    assert (ended.returncode, ended.stderr) == (code, '')


def test_interrupt_is_one_line_whatever_was_half_built(capsys, monkeypatch):
    class Loader:
        def __del__(self):
            self.made_at_the_end_of_init.close()

    def main():
        loader = Loader()
        raise KeyboardInterrupt(loader)

    monkeypatch.setattr(sys, 'unraisablehook', sys.unraisablehook)
    with pytest.raises(SystemExit) as stopped:
        run_tool(main)
    code = stopped.value.code
    del stopped
    gc.collect()
    assert code == 130
    assert capsys.readouterr().err == 'interrupted\n'


def test_names_reach_the_terminal_without_escape_sequences(capsys, monkeypatch, refused):
    monkeypatch.setattr(sys, 'excepthook', sys.excepthook)
    said = refused(run_tool, failing(OSError(errno.ENOENT, 'gone', 'out/\x1b[2J.mp4')))
    with pytest.raises(ValueError, match='x') as error:
        run_tool(failing(ValueError('x\x1b]0;title\x07')))
    sys.excepthook(type(error.value), error.value, None)
    said += capsys.readouterr().err
    assert '\x1b' not in said
    assert 'out/\\x1b[2J.mp4' in said
    assert 'ValueError: x\\x1b]0;title\\x07\n' in said


def test_warnings_of_this_package_are_one_line_and_others_keep_their_place(monkeypatch):
    monkeypatch.setattr(warnings, 'formatwarning', warnings.formatwarning)
    run_tool(lambda: None)
    warning = UserWarning('no model was given\x1b')
    assert warnings.formatwarning(warning, UserWarning, verify.__code__.co_filename, 3) == (
        'warning: no model was given\\x1b\n'
    )
    assert warnings.formatwarning(warning, UserWarning, os.__file__, 3).startswith(f'{os.__file__}:3: UserWarning: no')


def test_error_of_a_worker_is_its_last_line(refused):
    error = refused(run_tool, failing(RuntimeError('Caught OSError\n  File "x"\nOSError: No space left on device\n')))
    assert error == 'error: OSError: No space left on device\n'


def test_cause_is_found_and_what_to_do_next_is_reported(refused):
    error = FoldError('fold 2 failed with OSError: ...', 'The same command goes on.')
    error.__cause__ = OSError(errno.ENOSPC, 'No space left on device', 'fold2/epoch_1.pth')
    told = refused(run_tool, failing(error))
    assert told == 'error: fold2/epoch_1.pth: No space left on device. The same command goes on.\n'


def test_other_errors_keep_their_traceback():
    with pytest.raises(KeyError):
        run_tool(failing(KeyError('x')))


@pytest.mark.parametrize('tool', sorted(str(path.relative_to(TOOLS)) for path in TOOLS.rglob('*.py')))
def test_every_tool_reports_system_errors_in_one_line(tool):
    assert '\n    run_tool(' in (TOOLS / tool).read_text()


def test_file_in_place_of_the_work_dir(tiny_config, tmp_path, capsys):
    (tmp_path / 'file').touch()
    assert commands.run_tool('train.py', tiny_config, '--work-dir', f'{tmp_path}/file/run') == 2
    assert capsys.readouterr().err.splitlines()[-1] == f'error: {tmp_path}/file/run: Not a directory'


@pytest.mark.parametrize(
    'arguments',
    [
        ['report.py', 'nowhere'],
        ['evaluate_all.py', 'no_such_encoder'],
        ['make_synthetic.py', 'trimmed', '--out', '.'],
        ['make_synthetic.py', 'trimmed', '--num-train', '-1'],
        ['make_synthetic.py', 'images', '--num-test', '0'],
        ['make_small.py', '--data', 'others'],
        ['ablate_targets.py', '--data', 'others'],
    ],
    ids=lambda arguments: arguments[0],
)
def test_wrong_use_has_code_2_since_1_counts_failures(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for folder in ('others', 'trimmed'):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'file').touch()
    assert commands.run_tool(*arguments) == 2
    assert capsys.readouterr().err.startswith('error: ')


def test_interrupted_training_says_how_to_go_on(tiny_config, tmp_path):
    options = ['--cfg-options', 'train_cfg.max_epochs=1000', 'train_dataloader.num_workers=1']
    process = commands.start_tool('train.py', tiny_config, '--no-validate', '--work-dir', tmp_path, *options)
    while process.runs() and not (tmp_path / 'epoch_2.pth').exists():
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to every process
    ended = process.finish(60)
    told = ended.stderr.splitlines()
    assert ended.returncode == 130
    last = (tmp_path / 'last_checkpoint').read_text()
    assert told[-1] == f'interrupted. The same command with --resume goes on from {last}'
    assert not any('Traceback' in line for line in told), told


def test_interrupted_run_does_not_refer_to_the_checkpoint_of_an_earlier_one(tiny_config, tmp_path, capsys, monkeypatch):
    arguments = [str(tiny_config), '--no-validate', '--work-dir', str(tmp_path)]
    launch.main_train(arguments)
    assert (tmp_path / 'last_checkpoint').exists()
    monkeypatch.setattr(launch.Runner, 'build_train_loop', failing(KeyboardInterrupt()))
    with pytest.raises(SystemExit):
        run_tool(lambda: launch.main_train([*arguments, '--cfg-options', 'experiment_name=second']))
    told = capsys.readouterr().err
    assert told.endswith('interrupted. This run has written no checkpoint yet: training will start anew\n')


def test_data_that_do_not_fit_are_one_line_and_code_2(tiny_config, tmp_path, capsys):
    options = ['train_dataloader.batch_size=1000', 'train_dataloader.drop_last=True']
    arguments = [str(tiny_config), '--work-dir', str(tmp_path), '--cfg-options', *options]
    with pytest.raises(SystemExit) as stopped:
        run_tool(lambda: launch.main_train(arguments))
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert 'error: there are ' in told
    assert 'fewer than a batch of 1000' in told
    assert 'Traceback' not in told
    assert 'start anew' not in told
    (log,) = tmp_path.glob('*/*.log')
    assert 'in build_dataloader' in log.read_text()


def test_error_of_a_step_keeps_its_traceback(tiny_config, tmp_path, monkeypatch):
    call_hook = launch.Runner.call_hook

    def fail_in_a_step(runner, name, **kwargs):
        if name == 'before_train_iter':
            raise ValueError('of the code')
        call_hook(runner, name, **kwargs)

    monkeypatch.setattr(launch.Runner, 'call_hook', fail_in_a_step)
    with pytest.raises(ValueError, match='of the code'):
        run_tool(lambda: launch.main_train([str(tiny_config), '--work-dir', str(tmp_path)]))


def test_full_disk_in_a_fold_is_reported_with_what_to_do_next(refused):
    def main():
        try:
            raise OSError(errno.ENOSPC, 'No space left on device', 'fold1/epoch_1.pth')
        except OSError as error:
            raise FoldError(f'fold 1 failed with OSError: {error}', 'The same command goes on.') from error

    assert refused(run_tool, main) == 'error: fold1/epoch_1.pth: No space left on device. The same command goes on.\n'


def _parsed(path):
    with parsing(path):
        read_npz(path)


READERS = {
    'json': lambda path: enter_run(path.parent, {}, []),
    'csv': lambda path: read_table(path, 'name'),
    'npz': _parsed,
    'pth': lambda path: load_from_local(path, 'cpu'),
    'safetensors': lambda path: read_checkpoint(str(path)),
    'tar': lambda path: index_shards([str(path)]),
    'npy': lambda path: verify(path.parent, repair=True),
}


@pytest.mark.skipif(not os.access('/proc/self/mem', os.R_OK), reason='needs a file whose reading fails, of Linux')
@pytest.mark.parametrize('ending', READERS)
def test_failing_disk_is_not_reported_as_a_damaged_file(ending, tmp_path, refused):
    """Nothing is to be extracted, indexed or made again for it, nor is anything deleted."""
    name = dict(json='manifest.json', npy='video_c.npy').get(ending, f'a.{ending}')
    (tmp_path / name).symlink_to('/proc/self/mem')  # its first bytes cannot be read: an input/output error
    told = refused(run_tool, lambda: READERS[ending](tmp_path / name))
    assert told == f'error: {tmp_path / name}: Input/output error\n'
    assert (tmp_path / name).is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root, to be somebody else')
def test_embeddings_of_another_user_are_not_reported_as_damaged(refused):
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder = Path(name)
        folder.chmod(0o777)
        (folder / 'video_v.npy').touch(mode=0o600)
        os.seteuid(65534)
        try:
            error = refused(run_tool, lambda: verify(folder, repair=True))
        finally:
            os.seteuid(0)
        assert error == f'error: {folder}/video_v.npy: Permission denied\n'
        assert (folder / 'video_v.npy').exists()


def test_full_disk_under_a_log_is_reported_with_its_path(tmp_path, refused):
    def main():
        with open_log(log) as file:
            print('x', file=file)
            os.dup2(full, file.fileno())  # what is written from here on finds the disk full

    log, full = tmp_path / 'log.txt', os.open('/dev/full', os.O_WRONLY)
    try:
        error = refused(run_tool, main)
    finally:
        os.close(full)
    assert error == f'error: {log}: No space left on device\n'
