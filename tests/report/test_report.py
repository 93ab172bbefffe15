import json
from datetime import datetime, timedelta

import pytest

from twlv_mm.report import make_report, write_report
from twlv_mm.report.page import MISSING
from twlv_mm.report.run_records import find_runs

from .records import SMALL, TAL, record, write, write_results

TOP = {'acc/top1': 50.0, 'acc/top5': 80.0}


def table(report, key):
    tables = [*report.tables.paper, *report.tables.generated, *report.tables.other]
    return next(one for one in tables if one.key == key)


def measured(report, key):
    """Method -> values of the measured rows."""
    return {row.method: [cell.value for cell in row.cells] for row in table(report, key).rows if not row.paper}


def test_runs_come_into_the_papers_tables(tmp_path):
    for dataset, top1 in (('kinetics400', 70.0), ('moments_in_time', 30.0), ('ssv2', 40.0), ('diving48', 20.0)):
        write(tmp_path, dataset, record('recognition_linear', dataset, TOP | {'acc/top1': top1}))
    row = measured(make_report(tmp_path), 'paper-3')['twlv_base']
    assert row == [70, 80, 30, 80, 40, 80, 20, 80, None, None, None, None, None]
    write(tmp_path, 'ek', record('recognition_linear', 'epic_kitchens100', TOP))
    row = measured(make_report(tmp_path), 'paper-3')['twlv_base']
    assert row[8:] == [50, 80, pytest.approx((70 + 30 + 40 + 20 + 50) / 5), None, None]


def test_localization_rows_name_the_classifier_and_knn_rows_the_column(tmp_path):
    scores = {f'mAP@{threshold:.2f}': 60.0 - 50 * threshold for threshold in (0.3, 0.4, 0.5, 0.6, 0.7)} | {'mAP': 35.0}
    write(tmp_path, 'a', record('localization', 'thumos14', scores, protocol=TAL))
    external = {name: value / 2 for name, value in scores.items()}
    protocol = TAL | dict(classifier='external, l1')
    write(tmp_path, 'b', record('localization', 'thumos14', external, protocol=protocol))
    write(tmp_path, 'c', record('localization', 'activitynet', dict(auc=60.0), protocol=dict(head='BMN')))
    write(tmp_path, 'd', record('recognition_knn', 'ssv2', TOP, protocol=dict(column='video')))
    report = make_report(tmp_path)
    assert measured(report, 'paper-9')['twlv_base'] == [45, 35, 25, 35, 22.5, 17.5, 12.5, 17.5]
    assert measured(report, 'paper-10') == {}
    assert [run.record['protocol']['head'] for run in report.tables.unplaced] == ['BMN']
    assert measured(report, 'paper-6')['twlv_base'] == [None, None, None, None, None, 50]


def test_a_probe_on_stored_embeddings_is_a_row_of_its_own(tmp_path):
    write(tmp_path, 'live', record('recognition_linear', 'ssv2', TOP))
    write(tmp_path, 'stored', record('recognition_linear', 'ssv2', TOP, protocol=dict(input='embeddings')))
    assert list(measured(make_report(tmp_path), 'paper-3')) == ['twlv_base', 'twlv_base, on stored embeddings']


def test_a_probe_by_another_recipe_is_a_row_of_its_own(tmp_path):
    for name, protocol in (('paper', {}), ('vjepa', dict(recipe='V-JEPA'))):
        write(tmp_path, name, record('recognition_attentive', 'ssv2', TOP, protocol=protocol))
    assert list(measured(make_report(tmp_path), 'paper-5')) == ['twlv_base', "twlv_base, V-JEPA's recipe"]


def test_models_trained_end_to_end_are_not_reported_as_probes(tmp_path):
    write(tmp_path, 'tuned', record('recognition_finetune', 'kinetics400', TOP))
    report = make_report(tmp_path)
    assert measured(report, 'paper-3') == {}
    assert measured(report, 'other-trained') == {'twlv_base': [50, 80]}


def test_encoders_of_one_name_are_told_apart_by_their_weights(tmp_path):
    for place, weights in enumerate(('ab' * 32, 'cd' * 32, None)):
        write(tmp_path, str(place), record('recognition_linear', 'ssv2', TOP, sha=weights))
    write(tmp_path, 'named', record('recognition_linear', 'ssv2', TOP, encoder=dict(label='mine')))
    methods = list(measured(make_report(tmp_path), 'paper-3'))
    assert methods == ['twlv_base (abababab)', 'twlv_base (cdcdcdcd)', 'twlv_base (no weights given)', 'mine']


def test_of_two_runs_the_newer_one_counts_and_that_is_reported(tmp_path):
    write(tmp_path, 'new', record('segmentation', 'gtea', dict(mF1=80.0), date='2026-03-01T10:00:00+02:00'))
    write(tmp_path, 'old', record('segmentation', 'gtea', dict(mF1=90.0), date='2026-03-01T09:00:00+02:00'))
    report = make_report(tmp_path)
    assert measured(report, 'paper-12')['twlv_base'][3] == 80
    assert [(old.path.parent.name, new.path.parent.name) for old, new in report.tables.replaced] == [('old', 'new')]
    page, _ = write_report(tmp_path)
    assert 'is replaced in the tables by the newer run' in page.read_text()


def test_folds_count_by_their_mean_only(tmp_path):
    for fold in (1, 2):
        write(tmp_path, f'f/fold{fold}/t', record('segmentation', 'gtea', dict(mF1=70.0), protocol=dict(fold=fold)))
    assert measured(make_report(tmp_path), 'paper-12') == {}
    write(tmp_path, 'f', record('segmentation', 'gtea', dict(mF1=75.0), protocol=dict(folds=[1, 2])))
    assert measured(make_report(tmp_path), 'paper-12')['twlv_base'][3] == 75


def test_daggers_are_for_sets_that_were_in_pretraining(tmp_path):
    sets = dict(pretraining_sets=['kinetics710', 'ssv2'])
    for dataset in ('kinetics400', 'ssv2', 'diving48'):
        write(tmp_path, dataset, record('recognition_linear', dataset, TOP, encoder=sets))
    small = SMALL | dict(pretraining_sets=['synthetic'])
    write(tmp_path, 's', record('recognition_linear', 'synthetic_motion', TOP, encoder=small))
    report = make_report(tmp_path)
    row = next(row for row in table(report, 'paper-3').rows if not row.paper)
    assert [cell.dagger for cell in row.cells] == [True, True, False, False, True, True] + [False] * 7
    assert all(cell.dagger for cell in table(report, 'generated-3').rows[0].cells)
    papers = {(row.method, row.arch): row for row in table(report, 'paper-3').rows if row.paper}
    assert [cell.dagger for cell in papers['V-JEPA', 'ViT-L'].cells] == [False] * 4 + [True, True] + [False] * 7
    assert not any(cell.dagger for cell in papers['TWLV-I', 'ViT-L'].cells)


def test_weights_that_do_not_say_what_they_saw_have_a_note_in_place_of_daggers(tmp_path):
    for name, sha, sets in (('said', 'ab' * 32, ['coco']), ('random', None, None), ('silent', 'cd' * 32, None)):
        encoder = dict(label=name, pretraining_sets=sets)
        write(tmp_path, name, record('segmentation', 'gtea', dict(mF1=70.0), encoder=encoder, sha=sha))
    assert table(make_report(tmp_path), 'paper-12').notes == [
        'Daggers may be missing: the weights of silent do not record their pretraining data.'
    ]


def test_choices_of_the_data_stand_beneath_the_numbers(tmp_path):
    for name, classes in (('one', 339), ('two', 305)):
        protocol, encoder = dict(classes=classes), dict(label=name)
        of_run = record('recognition_linear', 'moments_in_time', TOP, protocol=protocol, encoder=encoder)
        write(tmp_path, f'mit {name}', of_run)
    protocol, training = dict(classes=174, clips=1, crops=3), dict(steps=2000, trained_steps=500)
    write(tmp_path, 'ssv2', record('recognition_linear', 'ssv2', TOP, protocol=protocol, training=training))
    protocol = dict(labels_per_second=15.0, frames_repeated=True)
    write(tmp_path, 'gtea', record('segmentation', 'gtea', dict(mF1=70.0), protocol=protocol))
    report = make_report(tmp_path)
    assert table(report, 'paper-3').notes[:2] == [
        'MiT: 339 classes (one); 305 classes (two).',
        'SSv2: clips: 1, crops: 3, after 500 of 2,000 training steps.',
    ]
    said = 'GTEA: 15.0 labels a second, clips repeat frames (T x fps < N).'
    assert table(report, 'paper-12').notes == [said]
    assert said in write_report(tmp_path)[0].read_text().replace('&lt;', '<')


def test_what_is_missing_is_a_dash_and_never_a_zero(tmp_path):
    write(tmp_path, 'a', record('recognition_linear', 'ssv2', {'acc/top1': 50.0, 'acc/top5': None}))
    page, text = write_report(tmp_path)
    line = next(line for line in text.read_text().splitlines() if line.startswith('| twlv\\_base'))
    assert line.split(' | ')[1:] == ['ViT-B', *[MISSING] * 4, '50.00', *[MISSING] * 7, f'{MISSING} |']
    assert page.read_text().count(f'>{MISSING}</td>') > 12


def test_generated_and_own_sets_have_tables_in_the_same_layout(tmp_path):
    write_results(tmp_path)
    write(tmp_path, 'own', record('segmentation', 'my kitchen', dict(mF1=60.0, edit=50.0, accuracy=70.0)))
    report = make_report(tmp_path)
    assert [one.key for one in report.tables.generated] == [f'generated-{number}' for number in (3, 5, 6, 9, 11, 12)]
    assert measured(report, 'generated-3')['trained'] == [70, 90, 75, 90]
    assert measured(report, 'generated-9')['untrained'] == [20, 5, 12.5]
    assert table(report, 'other-12').columns == [('my kitchen', 'mF1'), ('my kitchen', 'Edit'), ('my kitchen', 'Acc.')]
    best = [row.method for row in table(report, 'generated-12').rows if all(cell.best for cell in row.cells)]
    assert best == ['trained']


BROKEN = {
    'half': '{"schema_version": 1, ',
    'list': '[1, 2]',
    'deep': '[' * 100_000,
    'foreign': '{"accuracy": 1.0}',
    'later': json.dumps(record('segmentation', 'gtea', {}) | dict(schema_version=2)),
    'undated': json.dumps(record('segmentation', 'gtea', {}, date='yesterday')),
    'metrics': json.dumps(record('segmentation', 'gtea', [])),
    'versions': json.dumps(record('segmentation', 'gtea', {}) | dict(versions=['torch'])),
    'weights': json.dumps(record('segmentation', 'gtea', {}, sha=[])),
}


def test_files_that_are_not_records_are_listed_and_skipped(tmp_path):
    for name, content in BROKEN.items():
        write(tmp_path, name, content)
    (tmp_path / 'binary').mkdir()
    (tmp_path / 'binary/results.json').write_bytes(b'\xff\x00')
    write(tmp_path, 'good', record('segmentation', 'gtea', dict(mF1=75.0, edit='high', accuracy=10**7)))
    found = find_runs(tmp_path)
    assert sorted(path.parent.name for path, _ in found.rejected) == sorted([*BROKEN, 'binary'])
    page, text = write_report(tmp_path)
    for name in BROKEN:
        assert f'{name}/results.json is left out' in page.read_text()
    assert '75.00' in text.read_text()


def test_run_dated_in_the_future_is_reported(tmp_path):
    later = datetime.now().astimezone() + timedelta(days=1)
    write(tmp_path, 'before', record('segmentation', 'gtea', dict(mF1=50.0), date=later.isoformat()))
    write(tmp_path, 'after', record('segmentation', 'gtea', dict(mF1=75.0), date=datetime.now().isoformat()))
    (problem,) = make_report(tmp_path).problems
    assert problem.startswith('before/results.json is dated ')
    assert 'in the future: a clock was wrong' in problem


EVIL = '<script>alert(1)</script>"\'&{{ 7 * 7 }}|`$x$'


def test_content_of_files_is_escaped_in_the_page(tmp_path):
    protocol = {EVIL: EVIL, 'column': 'uniform'}
    content = record('recognition_knn', f'synthetic_{EVIL}', {EVIL: 1.0, **TOP}, protocol=protocol)
    content['encoder'] |= dict(label=EVIL, name=EVIL)
    content |= dict(config=dict(path=EVIL, dump=EVIL), versions={EVIL: EVIL}, seed=EVIL, wall_seconds=EVIL)
    write(tmp_path, 'evil', content)
    evaluation = dict(encoder=EVIL, tasks=[dict(task=EVIL, status=EVIL, reason=EVIL)])
    (tmp_path / 'evaluation.json').write_text(json.dumps(evaluation))
    page, text = write_report(tmp_path, title=EVIL)
    html = page.read_text()
    assert '<script>alert' not in html
    assert html.count('<script') == 1
    assert html.count('{{ 7 * 7 }}') > 10
    assert '<script' not in text.read_text().replace('\\<script', '')


def test_a_folder_without_results_has_a_report_too(tmp_path):
    page, text = write_report(tmp_path, tmp_path / 'out')
    assert page.read_text().count('nothing was measured on these datasets</summary>') == 1
    assert '| TWLV-I (paper) | ViT-B |' in text.read_text()
    with pytest.raises(FileNotFoundError, match='folder .* does not exist'):
        write_report(tmp_path / 'nowhere')


def test_own_sets_and_encoders_come_before_the_papers(tmp_path):
    write(tmp_path, 'known', record('recognition_linear', 'my kitchen', TOP))
    mine = record('recognition_linear', 'my kitchen', TOP, name='my_encoder', date='2026-01-02T10:00:00+00:00')
    write(tmp_path, 'mine', mine)
    write(tmp_path, 'k400', record('recognition_linear', 'kinetics400', TOP))
    assert [row.method for row in table(make_report(tmp_path), 'other-3').rows] == ['my_encoder', 'twlv_base']
    for path in write_report(tmp_path):
        text = path.read_text()
        assert text.index('my kitchen') < text.index('DV48')


def test_a_report_of_own_sets_has_no_figure_of_the_papers_numbers_alone(tmp_path):
    write(tmp_path, 'mine', record('recognition_linear', 'my kitchen', TOP))
    assert make_report(tmp_path).overview == []
    assert 'id="overview"' not in write_report(tmp_path)[0].read_text()
    for task, metrics in (('recognition_attentive', TOP), ('segmentation', dict(mF1=60.0))):
        write(tmp_path, task, record(task, 'my kitchen', metrics))
    assert [picture.title for picture in make_report(tmp_path).overview] == ['All tasks, your datasets']


@pytest.mark.parametrize(('classes', 'columns'), [(5, ['Top1']), (6, ['Top1', 'Top5'])])
def test_top5_has_a_column_where_there_are_more_than_five_classes(tmp_path, classes, columns):
    write(tmp_path, 'mine', record('recognition_linear', 'my kitchen', TOP, protocol=dict(classes=classes)))
    assert [name for _, name in table(make_report(tmp_path), 'other-3').columns] == columns
