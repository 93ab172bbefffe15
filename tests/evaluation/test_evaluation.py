import html
import json
import multiprocessing
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
from twlv_mm.report import make_report, write_report
from twlv_mm.synthetic import make_trimmed

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


@pytest.mark.skipif(not Path('/proc').is_dir(), reason='the system has no /proc to see running processes in')
def test_an_evaluation_that_was_killed_goes_on_without_repeating_what_is_finished(tmp_path):
    data, out = tmp_path / 'data', tmp_path / 'out'
    make_trimmed(data / 'trimmed', num_train=24, num_test=96, workers=1)  # some of every class
    first = multiprocessing.get_context('fork').Process(target=lambda: build(data, out).run())
    first.start()
    wait_for(lambda: list(out.glob('small-random/appearance_knn-*/*/results.json')) or not first.is_alive())
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    wait_for(lambda: not commands_with(str(out)), 30)  # what it had started ends with it
    (finished,) = out.glob('small-random/appearance_knn-*/*/results.json')
    changed = finished.stat().st_mtime_ns

    states = build(data, out).run()
    assert {name: status for name, (status, _) in states.items()} == {
        'appearance_knn': FINISHED,
        'motion_knn': FINISHED,
        'untrimmed_tal': NO_DATA,
    }
    assert list(out.glob('small-random/appearance_knn-*/*/results.json')) == [finished]
    assert finished.stat().st_mtime_ns == changed
    assert build(data, out).todo() == []
    log = next(out.glob('small-random/logs/motion_knn.txt')).read_text()
    assert log.startswith(f'$ {sys.executable} -m twlv_tools test ')

    report = make_report(out)
    # Localization, which had no data, is listed as such and is in no table.
    assert [table.key for table in report.tables.generated] == ['generated-6']
    assert [table.rows[0].method for table in report.tables.generated] == ['small']
    assert [picture.title for picture in report.embeddings if 'forward' in picture.title]
    page, text = write_report(out)
    assert f'no data: there is no {data}/untrimmed' in html.unescape(text.read_text().replace('\\', ''))
    assert f'no data</span>: there is no {data}/untrimmed' in page.read_text()


@pytest.fixture
def stub(tmp_path, monkeypatch):
    """A stand-in for the console command that takes no time; its test fails for motion."""
    path = tmp_path / 'twlv.py'
    record = dict(encoder=dict(weights_sha256=None))
    path.write_text(
        'import pathlib, sys\n'
        "if sys.argv[1] == 'extract':\n"
        "    exec(pathlib.Path(__file__).with_name('extract.py').read_text())\n"
        "elif 'motion' in sys.argv[2]:\n"
        "    sys.exit('error: the labels are wrong')\n"
        'else:\n'
        f"    pathlib.Path(sys.argv[4], 'results.json').write_text('{json.dumps(record)}')\n"
    )
    extract = tmp_path / 'extract.py'
    extract.write_text('')
    monkeypatch.setattr(steps, 'TWLV', (sys.executable, str(path)))
    return extract


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / 'data/trimmed'
    folder.mkdir(parents=True)
    for name in ('train', 'test'):
        for label in ('appearance', 'motion', 'both'):
            (folder / f'{name}_{label}.txt').write_text('a.mp4 1\n')
    return tmp_path / 'data'


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


def test_what_was_said_of_other_tasks_stays(data, stub, tmp_path):
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


def test_other_weights_or_settings_are_not_taken_for_finished(data, stub, tmp_path):
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
