"""The layouts of the paper's result tables, and which run belongs in which column."""

from typing import NamedTuple

TOP = (('Top1', 'acc/top1'), ('Top5', 'acc/top5'))
TOP_CLASSES = 5
SEGMENTATION = (('mF1', 'mF1'), ('Edit', 'edit'), ('Acc.', 'accuracy'))
# Name in results.json -> name in the paper's tables.
TITLES = {
    'kinetics400': 'K400',
    'moments_in_time': 'MiT',
    'ssv2': 'SSv2',
    'diving48': 'DV48',
    'epic_kitchens100': 'EK',
    'imagenet1k': 'IN-1K',
    'thumos14': 'THUMOS14',
    'activitynet': 'ActivityNet-v1.3',
    'ava_v2.2': 'AVA v2.2',
    '50salads': '50Salads',
    'gtea': 'GTEA',
    'breakfast': 'Breakfast',
    'synthetic_appearance': 'Appearance',
    'synthetic_motion': 'Motion',
    'synthetic_untrimmed': 'Untrimmed videos',
    'synthetic_boxes': 'Box videos',
    'synthetic_trimmed': 'generated videos',
}
DAGGER = '†'
# Dataset -> pretraining sets that contain its training data.
HOLDS = {'kinetics400': ('kinetics400', 'kinetics600', 'kinetics700', 'kinetics710')}
AVERAGED = ('kinetics400', 'moments_in_time', 'ssv2', 'diving48', 'epic_kitchens100')
AVERAGE = 'average'
SYNTHETIC = 'synthetic'  # prefix of the names of generated datasets, and pretraining set of encoders trained on them
CLASSIFIERS = {'self-contained': 'self-contained', 'external': 'w/ external classifier'}


class Layout(NamedTuple):
    """A table of the paper.

    Attributes:
        number (str): Its number; a word for tables that the paper does not have.
        title (str): Its title.
        task (str): As in results.json.
        datasets (tuple[str]): The paper's datasets.
        variants (dict): Variant of a run's protocol -> its header; if empty, a dataset has one group of columns.
        metrics (tuple): Pairs of header and name in results.json.
    """

    number: str
    title: str
    task: str
    datasets: tuple
    variants: dict
    metrics: tuple


def _thresholds(*values):
    return (*((f'{value:.2f}', f'mAP@{value:.2f}') for value in values), ('Avg.', 'mAP'))


LAYOUTS = (
    Layout('3', 'Linear probing', 'recognition_linear', (*AVERAGED, AVERAGE, 'imagenet1k'), {}, TOP),
    Layout('5', 'Attentive probing', 'recognition_attentive', (*AVERAGED, AVERAGE, 'imagenet1k'), {}, TOP),
    Layout('trained', 'Trained end to end', 'recognition_finetune', (), {}, TOP),
    Layout(
        '6',
        'K-nearest neighbours, Top1',
        'recognition_knn',
        ('kinetics400', 'ssv2'),
        dict(uniform='Uniform', clip='Clip', video='Video'),
        TOP[:1],
    ),
    Layout(
        '9',
        'Temporal action localization on THUMOS14, mAP at tIoU',
        'localization',
        ('thumos14',),
        CLASSIFIERS,
        _thresholds(0.3, 0.5, 0.7),
    ),
    Layout(
        '10',
        'Temporal action localization on ActivityNet-v1.3, mAP at tIoU',
        'localization',
        ('activitynet',),
        CLASSIFIERS,
        _thresholds(0.5, 0.75, 0.95),
    ),
    Layout(
        '11',
        'Spatio-temporal action localization, fAP@0.5',
        'detection',
        ('ava_v2.2',),
        {'end to end': 'end to end', 'given boxes': 'given boxes'},
        (('fAP@0.5', 'mAP@0.5'),),
    ),
    Layout(
        '12',
        'Temporal action segmentation',
        'segmentation',
        ('50salads', 'gtea', 'breakfast'),
        {},
        SEGMENTATION,
    ),
)


def is_generated(run):
    """Whether a run was tested on generated videos."""
    return run.record['dataset'].startswith(f'{SYNTHETIC}_')


def is_other(run):
    """Whether a run was tested on videos that are neither generated nor in the paper's table of its task."""
    task, dataset = run.record['task'], run.record['dataset']
    theirs = {name for layout in LAYOUTS if layout.task == task for name in layout.datasets}
    return not is_generated(run) and dataset not in theirs


def variant_of(run, layout):
    """The variant of a layout that a run belongs to; '' if the layout has none, None if the run is not of its table."""
    protocol = run.record['protocol']
    if 'fold' in protocol:
        return None  # a fold; the mean of the cross-validation is a record of its own
    if layout.task == 'recognition_knn':
        variant = str(protocol.get('column'))
    elif layout.task == 'localization':
        if not str(protocol.get('head')).startswith('ActionFormer'):
            return None
        variant = 'external' if str(protocol.get('classifier')).startswith('external') else 'self-contained'
    elif layout.task == 'detection':
        variant = 'end to end' if protocol.get('head') == 'end to end' else 'given boxes'
    else:
        return ''
    return variant if variant in layout.variants else None


def paper_columns(layout):
    """Pairs of header (group and name) and content (dataset, variant, metric) of the columns."""
    columns = []
    for dataset in layout.datasets:
        if dataset == AVERAGE:
            columns.append((('Avg.', 'Top1'), (AVERAGE, '', 'acc/top1')))
            continue
        columns += _of_dataset(layout, dataset, list(layout.variants) or [''], layout.metrics)
    return columns


def columns_of(layout, runs):
    """As :func:`paper_columns`, for the datasets, variants and metrics that occur in runs."""
    columns = []
    for dataset in sorted({run.record['dataset'] for run in runs}):
        theirs = [run for run in runs if run.record['dataset'] == dataset]
        occurring = {variant_of(run, layout) for run in theirs}
        variants = [variant for variant in layout.variants or [''] if variant in occurring]
        metrics = [pair for pair in layout.metrics if pair[1] != 'acc/top5' or any(map(_has_top5, theirs))]
        if layout.task == 'localization':
            found = sorted({name for run in theirs for name in run.metrics if name.startswith('mAP@')})
            metrics = (*((name[4:], name) for name in found), ('Avg.', 'mAP'))
        columns += _of_dataset(layout, dataset, variants, metrics)
    return columns


def _has_top5(run):
    """Whether top-5 accuracy means something: there are more than five classes."""
    classes = run.record['protocol'].get('classes')
    return 'acc/top5' in run.metrics and not (type(classes) is int and classes <= TOP_CLASSES)


def _of_dataset(layout, dataset, variants, metrics):
    title = TITLES.get(dataset, dataset)
    for variant in variants:
        text = layout.variants.get(variant)
        for header, metric in metrics:
            what = dataset, variant, metric
            if text is None:
                yield (title, header), what
            elif len(metrics) == 1:
                yield (title, text), what
            else:
                yield (f'{title}, {text}', header), what
