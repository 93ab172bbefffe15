"""Records of runs for tests of the report."""

import json


def record(task, dataset, metrics, *, name='twlv_base', sha='ab' * 32, date='2026-01-01T10:00:00+00:00', **more):
    """A results.json as ResultsHook writes it, with ``more`` in the place of its entries."""
    encoder = dict(name=name, weights_sha256=sha, params=86_236_416, pretraining_sets=['kinetics710'])
    plain = dict(
        schema_version=1,
        task=task,
        dataset=dataset,
        protocol=more.pop('protocol', {}),
        metrics=metrics,
        encoder=encoder | more.pop('encoder', {}),
        checkpoint=dict(path='work_dirs/x/epoch_1.pth', sha256='cd' * 32),
        seed=0,
        config=dict(path='configs/x.py', dump='a = 1\n'),
        versions=dict(python='3.11.7', torch='2.13.0'),
        decoder=dict(name='decord', version='0.6.0'),
        wall_seconds=1.5,
        hardware=dict(cpu='cpu', cpu_cores=2, accelerator=None, processes=1),
        date=date,
    )
    return plain | more


def write(folder, name, content):
    """Write a record, or any text, as ``folder/name/results.json``."""
    path = folder / name / 'results.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


SMALL = dict(name='twlv_small_synthetic', params=891_776)
TAL = dict(head='ActionFormer', classifier='self-contained')


def write_results(folder):
    """Write what three small encoders, and one on the paper's sets, might have found."""
    for label, sha, shift in (('untrained', None, 0), ('trained', '11' * 32, 40), ('frame-wise', '22' * 32, 20)):
        encoder = SMALL | dict(label=label, weights_sha256=sha, pretraining_sets=['synthetic'] if sha else None)

        def run(task, dataset, metrics, protocol=None, encoder=encoder, label=label):
            write(
                folder,
                f'{label}/{task}_{dataset}_{(protocol or {}).get("column", "")}',
                record(task, dataset, metrics, protocol=protocol or {}, encoder=encoder),
            )

        for place, dataset in enumerate(('synthetic_appearance', 'synthetic_motion')):
            top = {'acc/top1': 30.0 + shift + 5 * place, 'acc/top5': 70.0 + shift / 2}
            run('recognition_linear', dataset, top)
            run('recognition_attentive', dataset, {name: value + 4 for name, value in top.items()})
            run('recognition_knn', dataset, top, dict(column='uniform'))
        localization = {'mAP@0.30': 20.0 + shift, 'mAP@0.70': 5.0 + shift, 'mAP': 12.5 + shift}
        run('localization', 'synthetic_untrimmed', localization, TAL)
        run('segmentation', 'synthetic_untrimmed', dict(accuracy=50.0 + shift, edit=40.0 + shift, mF1=33.0 + shift))
        run('detection', 'synthetic_boxes', {'mAP@0.5': 10.0 + shift}, dict(head='AVARoIHead', boxes='proposals'))
    for dataset, top1 in (('kinetics400', 74.5), ('ssv2', 37.25)):
        metrics = {'acc/top1': top1, 'acc/top5': top1 + 15}
        write(folder, f'base/{dataset}', record('recognition_linear', dataset, metrics))
