#!/usr/bin/env python
"""Exit codes of tools under faults of their environment, and of the same command once the fault is gone.

Needs root, for small and read-only file systems. benchmarks/kill.py tests kills.
"""

import argparse
import ctypes
import os
import resource
import runpy
import shutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import kill

from twlv_mm.synthetic import make_untrimmed

TOOLS = Path(__file__).resolve().parents[1] / 'tools'
CLONE_NEWNS = 0x20000  # of Linux
FOLDS = """
_base_ = '{configs}/untrimmed_tas.py'
extraction = dict(stride_seconds=2.0)
train_dataloader = dict(num_workers=1)
train_cfg = dict(max_epochs=2, val_interval=2)
default_hooks = dict(checkpoint=dict(interval=1))
"""


def start(command, log, before=lambda: None):
    """Run a tool in a process of its own; returns the process id."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        for number in (1, 2):
            os.dup2(
                os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number == 1 else os.O_WRONLY | os.O_APPEND),
                number,
            )
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = list(map(str, command))
        before()
        runpy.run_path(str(TOOLS / command[0]), run_name='__main__')
        code = 0
    except SystemExit as stopped:
        code = stopped.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def end(pid, seconds=60):
    """Exit code of a process, or 'hangs'."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return 'hangs'


def begun(out, pattern, pid):
    """Wait until a run has written something."""
    while not any(out.rglob(pattern)) and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.01)


def mounted(out, *options):
    out.mkdir(parents=True, exist_ok=True)
    subprocess.run(['mount', '-t', 'tmpfs', '-o', ','.join(options), 'tmpfs', out], check=True)


def in_small_folder(command, out, pattern, log, options=('size=40k',)):
    mounted(out, *options)
    try:
        return end(start(command, log))
    finally:
        subprocess.run(['umount', out], check=True)


def in_read_only_folder(command, out, pattern, log):
    return in_small_folder(command, out, pattern, log, ('ro',))


def file_for_a_folder(command, out, pattern, log):
    out.touch()
    try:
        return end(start(command, log))
    finally:
        out.unlink()


def few_open_files(command, out, pattern, log):
    def limit():
        few = len(os.listdir('/proc/self/fd'))
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, few))

    return end(start(command, log, limit))


def no_shared_memory(command, out, pattern, log):
    def own_mounts():
        if ctypes.CDLL(None).unshare(CLONE_NEWNS):
            raise OSError('this process cannot have mounts of its own')
        subprocess.run(['mount', '--make-rprivate', '/'], check=True)
        mounted(Path('/dev/shm'), 'size=4k')

    command = [word if word != '0' else '1' for word in command]
    if command[0] == 'train.py':
        command += ['--cfg-options', 'train_dataloader.num_workers=1', 'train_dataloader.persistent_workers=False']
    return end(start(command, log, own_mounts))


def folder_moves(command, out, pattern, log):
    pid = start(command, log)
    begun(out, pattern, pid)
    out.rename(out.with_name('moved'))
    code = end(pid)
    shutil.rmtree(out, ignore_errors=True)
    out.with_name('moved').rename(out)
    return code


def input_moves(command, out, pattern, log):
    data = kill.DATA.parent
    moved = data.with_name('moved')
    pid = start(command, log)
    begun(out, pattern, pid)
    data.rename(moved)
    code = end(pid)
    moved.rename(data)
    return code


def output_is_damaged(command, out, pattern, log):
    end(start(command, log))
    for path in out.rglob(pattern):
        os.truncate(path, path.stat().st_size // 2)
    return end(start(command, log))


def interrupted(command, out, pattern, log):
    pid = start(command, log)
    begun(out, pattern, pid)
    os.kill(pid, signal.SIGINT)
    return end(pid)


def two_at_once(command, out, pattern, log):
    other = start(command, f'{log}.other')
    begun(out, '*', other)
    return f'{end(start(command, log))}, {end(other)}'


FAULTS = {
    'full disk': in_small_folder,
    'read-only folder': in_read_only_folder,
    'file for a folder': file_for_a_folder,
    'too many open files': few_open_files,
    'no shared memory': no_shared_memory,
    'folder moves': folder_moves,
    'input moves': input_moves,
    'damaged output': output_is_damaged,
    'Ctrl-C': interrupted,
    'two at once': two_at_once,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default='work_dirs/faults', help='emptied first (default %(default)s)')
    parser.add_argument('--jobs', nargs='+', metavar='JOB', help='only these rows of the table')
    parser.add_argument('--faults', nargs='+', choices=FAULTS, default=list(FAULTS), metavar='FAULT')
    args = parser.parse_args()
    root = args.out.resolve()
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    os.chdir(root)
    kill.make_trimmed(kill.DATA, num_train=32, num_test=16, workers=1)
    make_untrimmed(kill.DATA.with_name('untrimmed'), num_videos=4, workers=1)
    os.environ['SYNTHETIC'] = str(kill.DATA.parent)
    kill.quicker()
    for name, config in dict(training=kill.TRAINING, pretraining=kill.PRETRAINING, folds=FOLDS).items():
        Path(f'{name}.py').write_text(config.format(configs=kill.CONFIGS))
    Path('results').mkdir()
    out = root / 'out'
    extract = ['extract.py', 'twlv_small_synthetic', kill.DATA / 'train', '--out', out, '--workers', '0']
    jobs = {
        'extract npy': (extract, '*_c.npy'),
        'extract Parquet': ([*extract, '--formats', 'parquet'], '*_c.npy'),
        'train': (['train.py', 'training.py', '--work-dir', out, '--resume'], 'epoch_*.pth'),
        'pretraining': (['train.py', 'pretraining.py', '--work-dir', out, '--resume'], 'iter_*.pth'),
        'run_folds': (['run_folds.py', 'folds.py', '--work-dir', out], 'epoch_*.pth'),
        'evaluate_all': (
            [
                *['evaluate_all.py', 'twlv_small_synthetic', '--tasks', 'appearance_knn', '--synthetic'],
                *[kill.DATA.parent, '--out', out],
            ],
            '*_c.npy',
        ),
        'report': (['report.py', 'results', '--out', out], '*.html'),
    }
    for job in args.jobs or jobs:
        command, pattern = jobs[job]
        for fault in args.faults:
            happen = FAULTS[fault]
            ending = '*.parquet' if job == 'extract Parquet' and happen is output_is_damaged else pattern
            code = happen(command, out, ending, root / 'log.txt')
            said = (root / 'log.txt').read_text(errors='replace').strip().splitlines()[-1:]
            again = end(start(command, root / 'again.txt'))
            print(f'{job:16} {fault:20} {code!s:>6}, then {again!s:>6}   {"".join(said)[:150]}', flush=True)
            shutil.rmtree(out, ignore_errors=True)


if __name__ == '__main__':
    main()
