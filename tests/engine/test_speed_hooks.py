"""The logged speed of a training."""

from types import SimpleNamespace

import pytest

from twlv_mm.engine import speed_hooks
from twlv_mm.engine.speed_hooks import ClipRateHook


def test_rate_is_that_of_the_last_steps_in_all_processes(monkeypatch):
    ends, logged = iter((0.0, 2.0, 4.0, 5.0)), {}
    monkeypatch.setattr(speed_hooks, 'time', SimpleNamespace(perf_counter=lambda: next(ends)))
    monkeypatch.setattr(speed_hooks, 'get_world_size', lambda: 2)
    runner = SimpleNamespace(message_hub=SimpleNamespace(update_scalar=logged.__setitem__))
    hook = ClipRateHook(window=2)
    for count, replaced in ((8, 0), (4, 0), (6, 1), (3, 2)):
        samples = [dict(source=dict(replaced=replaced))]
        hook.after_train_iter(runner, 0, dict(inputs=[None] * count, data_samples=samples))
    # Of each process, 6 + 3 clips in the 3 seconds after the second step.
    assert logged == {'train/clips_per_second': pytest.approx(2 * 9 / 3), 'train/replaced_samples': 3}
