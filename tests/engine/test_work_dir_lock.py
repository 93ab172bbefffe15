import os
import signal
import time

import pytest

from twlv_mm.engine import launch
from twlv_mm.engine.work_dir_lock import WorkDirError, alone_in


def test_second_training_in_a_work_dir_is_refused_until_the_first_has_died(tiny_config, tmp_path, capsys):
    if not (pid := os.fork()):
        with alone_in(tmp_path):
            if not os.fork():  # a worker of a data loader, which outlives a kill
                time.sleep(20)
                os._exit(0)
            (tmp_path / 'ready').touch()
            time.sleep(60)
        os._exit(0)
    try:
        while not (tmp_path / 'ready').exists():
            time.sleep(0.01)
        with pytest.raises(SystemExit) as stopped:
            launch.main_train([tiny_config, '--work-dir', str(tmp_path), '--no-validate'])
        assert stopped.value.code == 2
        assert f'another run is training in {tmp_path}' in capsys.readouterr().err
        with pytest.raises(WorkDirError), alone_in(tmp_path):
            pass
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with alone_in(tmp_path):
        pass
