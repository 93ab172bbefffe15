import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from twlv_mm.evaluation import steps
from twlv_mm.evaluation.encoder import find_encoder
from twlv_mm.evaluation.evaluation import BusyError, Evaluation
from twlv_mm.evaluation.status_file import FAILED, FINISHED, NO_DATA, RUNNING, WAITING
from twlv_mm.evaluation.tasks import generated_tasks, generated_views

from ..commands import Fork

KNN = ('appearance_knn', 'motion_knn')


def build(data, out, names=(*KNN, 'untrimmed_tal'), **options):
    tasks = [task for task in generated_tasks(data) if task.name in names]
    encoder = find_encoder('twlv_small_synthetic', None, 'small')
    return Evaluation(encoder, tasks, out, views=generated_views(data), **options)


def wait_for(found, seconds=240):
    until = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < until
        time.sleep(0.1)


def commands_with(text):
    """Command lines of running processes that mention a text."""
    found = []
    for path in Path('/proc').glob('[0-9]*/cmdline'):
        try:
            line = path.read_bytes()
        except OSError:
            continue  # ended meanwhile
        if text.encode() in line:
            found.append(line)
    return found


@pytest.fixture
def stub(tmp_path, monkeypatch):
    """A stand-in for the console command that takes no time: extract.py and motion.py have what it does when it
    extracts and before the results of motion, which is to fail; the path of the first."""
    path, results = tmp_path / 'twlv.py', json.dumps(dict(encoder=dict(weights_sha256=None)))
    path.write_text(
        'import pathlib, sys\n'
        'folder = pathlib.Path(__file__).parent\n'
        "if sys.argv[1] == 'extract':\n"
        "    exec((folder / 'extract.py').read_text())\n"
        'else:\n'
        "    if 'motion' in sys.argv[2]:\n"
        "        exec((folder / 'motion.py').read_text())\n"
        f"    pathlib.Path(sys.argv[4], 'results.json').write_text('{results}')\n"
    )
    (tmp_path / 'motion.py').write_text("sys.exit('error: the labels are wrong')")
    (tmp_path / 'extract.py').write_text('')
    monkeypatch.setattr(steps, 'TWLV', (sys.executable, str(path)))
    return tmp_path / 'extract.py'


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / 'data/trimmed'
    folder.mkdir(parents=True)
    for name in ('train', 'test'):
        for label in ('appearance', 'motion', 'both'):
            (folder / f'{name}_{label}.txt').write_text('a.mp4 1\n')
    return tmp_path / 'data'


@pytest.mark.skipif(not Path('/proc').is_dir(), reason='the system has no /proc to see running processes in')
def test_an_evaluation_that_was_killed_goes_on_without_repeating_what_is_finished(data, stub, tmp_path):
    out = tmp_path / 'out'
    stub.with_name('motion.py').write_text('import time; time.sleep(600)')
    first = Fork(lambda: build(data, out).run())
    wait_for(lambda: commands_with(f'{out}/small-random/motion_knn-') or not first.runs())
    os.kill(first.pid, signal.SIGKILL)
    assert first.finish().returncode == -signal.SIGKILL
    wait_for(lambda: not commands_with(str(out)), 30)  # what it had started ends with it
    (finished,) = out.glob('small-random/*/results.json')
    assert finished.parent.name.startswith('appearance_knn-')
    changed = finished.stat().st_mtime_ns

    stub.with_name('motion.py').write_text('')
    states = build(data, out).run()
    assert {name: status for name, (status, _) in states.items()} == {
        'appearance_knn': FINISHED,
        'motion_knn': FINISHED,
        'untrimmed_tal': NO_DATA,
    }
    assert finished.stat().st_mtime_ns == changed
    assert build(data, out).todo() == []


def test_a_task_that_fails_is_listed_with_its_reason_and_the_others_go_on(data, stub, tmp_path):
    states = build(data, tmp_path / 'out', jobs=2).run()
    assert states['appearance_knn'] == (FINISHED, '')
    status, reason = states['motion_knn']
    assert status == FAILED
    assert reason.startswith('error: the labels are wrong (exit code 1; see ')
    said = json.loads((tmp_path / 'out/small-random/evaluation.json').read_text())['tasks']
    assert dict(task='motion_knn', status=FAILED, reason=reason) in said


def test_embeddings_that_cannot_be_extracted_fail_the_tasks_that_need_them(data, stub, tmp_path):
    stub.write_text("print('error: no such encoder'); raise SystemExit(2)")
    states = build(data, tmp_path / 'out').run()
    for name in KNN:
        assert states[name][0] == FAILED
        assert 'its embeddings could not be extracted: error: no such encoder' in states[name][1]


def test_videos_that_cannot_be_read_do_not_stop_the_tasks(data, stub, tmp_path, capsys):
    stub.write_text("print('1 videos embedded, 1 failed'); raise SystemExit(1)")
    assert build(data, tmp_path / 'out').run()['appearance_knn'][0] == FINISHED
    assert 'some videos could not be embedded' in capsys.readouterr().out


def test_status_of_other_tasks_is_kept(data, stub, tmp_path):
    for name in KNN:
        build(data, tmp_path / 'out', (name,)).run()
    path = tmp_path / 'out/small-random/evaluation.json'
    said = json.loads(path.read_text())
    assert {task['task']: task['status'] for task in said['tasks']} == dict(zip(KNN, (FINISHED, FAILED), strict=True))
    assert len(said['views']) == 2
    # A command that was killed could not say that its task runs no more.
    said['tasks'][1]['status'] = RUNNING
    path.write_text(json.dumps(said))
    build(data, tmp_path / 'out', KNN[:1]).run()
    assert json.loads(path.read_text())['tasks'][0]['status'] == WAITING


def test_run_with_other_weights_or_settings_is_not_skipped_as_finished(data, stub, tmp_path):
    names = ('appearance_knn',)
    assert build(data, tmp_path / 'out', names).run()['appearance_knn'][0] == FINISHED
    assert build(data, tmp_path / 'out', names).todo() == []
    assert len(build(data, tmp_path / 'out', names, options=['--amp']).todo()) == 1
    changed = build(data, tmp_path / 'out', names)
    changed.tasks[0].changes = {'model.k': 5}
    assert len(changed.todo()) == 1
    weights = tmp_path / 'encoder.pth'
    weights.write_bytes(b'some')
    other = build(data, tmp_path / 'out', names)
    other = Evaluation(find_encoder('twlv_small_synthetic', str(weights), 'small'), other.tasks, tmp_path / 'out')
    assert len(other.todo()) == 1


def test_two_commands_do_not_evaluate_the_same_encoder_at_once(data, stub, tmp_path):
    one = build(data, tmp_path / 'out')
    one.root.mkdir(parents=True)
    with one._alone(), pytest.raises(BusyError, match='another command is evaluating this encoder'):
        build(data, tmp_path / 'out').run()
