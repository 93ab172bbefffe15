"""The paper's tables, filled: rows of measured runs, and the paper's own rows for reference."""

import itertools
from dataclasses import dataclass, field
from typing import NamedTuple

from twlv_mm.encoders import get_architecture, list_models

from .paper_tables import read_paper_tables
from .run_records import name_encoders

TOP = (('Top1', 'acc/top1'), ('Top5', 'acc/top5'))
SEGMENTATION = (('mF1', 'mF1'), ('Edit', 'edit'), ('Acc.', 'accuracy'))
# Names in results.json -> in the paper's tables.
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
}
AVERAGED = ('kinetics400', 'moments_in_time', 'ssv2', 'diving48', 'epic_kitchens100')
AVERAGE = 'average'
SYNTHETIC = 'synthetic'  # begins the names of generated sets, and is what their encoders were trained on
# A pretraining set that holds the training data of another.
HOLDS = {'kinetics400': ('kinetics400', 'kinetics600', 'kinetics700', 'kinetics710')}
WIDTHS = {768: 'ViT-B', 1024: 'ViT-L', 1280: 'ViT-H', 1408: 'ViT-g'}
CLASSIFIERS = {'self-contained': 'self-contained', 'external': 'w/ external classifier'}


class Layout(NamedTuple):
    """A table of the paper.

    Attributes:
        number (str): Its number there.
        title (str): What it is about.
        task (str): As in results.json.
        datasets (tuple[str]): The paper's.
        variants (dict): What a run's protocol can be -> how the header says it; one column group a data set if empty.
        metrics (tuple): Pairs of header and name in results.json; all mAP that the runs have if empty.
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
        _thresholds(0.3, 0.4, 0.5, 0.6, 0.7),
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


class Cell(NamedTuple):
    """A number of a table, or its absence.

    Attributes:
        value (float | None): In percent.
        dagger (bool): Whether the data set was in the encoder's pretraining.
        run (Run | None): Where it was measured.
        best (bool): Whether it is the highest measured one of its column.
    """

    value: float | None = None
    dagger: bool = False
    run: object = None
    best: bool = False


class Row(NamedTuple):
    """A line of a table: method, architecture, cells, and whether the numbers are the paper's."""

    method: str
    arch: str
    cells: list
    paper: bool = False
    note: str = ''


@dataclass
class Table:
    """A table: key, title, pairs of group and header for the columns, rows, and notes beneath."""

    key: str
    title: str
    columns: list
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    @property
    def groups(self):
        """list[tuple[str, int]]: the groups of the columns, and how many columns each has."""
        parts = itertools.groupby(group for group, _ in self.columns)
        return [(group, len(list(columns))) for group, columns in parts]

    @property
    def begins(self):
        """list[bool]: whether a group begins with a column."""
        groups = [None, *(group for group, _ in self.columns)]
        return [before != group for before, group in itertools.pairwise(groups)]

    @property
    def measured(self):
        """bool: whether any row was measured."""
        return any(not row.paper for row in self.rows)


class Filled(NamedTuple):
    """All tables of a report.

    Attributes:
        paper (list[Table]): Those of the paper, on its sets.
        generated (list[Table]): In the same layouts, on generated sets; those without rows are left out.
        other (list[Table]): In the same layouts, on further sets.
        replaced (list[tuple[Run, Run]]): Runs none of whose numbers is shown, and the newer one in their place.
        unplaced (list[Run]): Runs whose numbers are in no table.
    """

    paper: list
    generated: list
    other: list
    replaced: list
    unplaced: list


def fill_tables(runs):
    """Fill the paper's tables.

    Args:
        runs (list[Run]): Oldest first: where two have a number for the same cell, the later one counts.

    Returns:
        Filled: paper, generated, other, replaced, unplaced.
    """
    published = read_paper_tables()
    names = name_encoders(runs)
    paper, generated, other = [], [], []
    shown, newer = set(), {}  # paths of the runs whose numbers are shown; of older ones -> both runs
    for layout in LAYOUTS:
        mine = [run for run in runs if run.record['task'] == layout.task and _variant(run, layout) is not None]
        for place, kind, chosen in (
            (paper, 'paper', [run for run in mine if run.record['dataset'] in layout.datasets]),
            (generated, 'generated', [run for run in mine if _is_generated(run)]),
            (other, 'other', [run for run in mine if _is_other(run)]),
        ):
            # The layouts of Tables 9 and 10 differ in the paper's sets only.
            if kind != 'paper' and (layout.number == '10' or not chosen):
                continue
            columns = _paper_columns(layout) if kind == 'paper' else _columns(layout, chosen)
            table = Table(f'{kind}-{layout.number}', layout.title, [header for header, _ in columns])
            if kind != 'paper':
                table.title = layout.title.replace(' on THUMOS14', '')
            table.rows = _measured_rows(layout, columns, chosen, names, shown, newer)
            if kind == 'paper':
                _add_paper_rows(table, layout, published)
            place.append(table)
    replaced = [(old, new) for old, new in newer.values() if old.path not in shown]
    placed = shown | {old.path for old, _ in replaced}
    unplaced = [run for run in runs if run.path not in placed]
    return Filled(paper, generated, other, replaced, unplaced)


def architecture_of(encoder):
    """What a table says of an encoder's size.

    Args:
        encoder (dict): That of a record.

    Returns:
        str: 'ViT-L', say, or the number of parameters, or nothing.
    """
    name, params = encoder.get('name'), encoder.get('params')
    if isinstance(name, str) and name in list_models():
        width = getattr(get_architecture(name), 'embed_dims', None)
        if width in WIDTHS:
            return WIDTHS[width]
    if isinstance(params, int) and not isinstance(params, bool):
        return f'{params / 1e6:.1f}M'
    return ''


def _is_generated(run):
    return run.record['dataset'].startswith(f'{SYNTHETIC}_')


def _is_other(run):
    return not _is_generated(run) and not any(run.record['dataset'] in layout.datasets for layout in LAYOUTS)


def _variant(run, layout):
    """Which of a layout's variants a run is; '' where it has none, None where the run is not for its table."""
    protocol = run.record['protocol']
    if 'fold' in protocol:
        return None  # a part of a cross-validation, whose mean is a record of its own
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


def _paper_columns(layout):
    """Pairs of header (group and name) and what is in the column (data set, variant, metric)."""
    columns = []
    for dataset in layout.datasets:
        if dataset == AVERAGE:
            columns.append((('Avg.', 'Top1'), (AVERAGE, '', 'acc/top1')))
            continue
        columns += _of_dataset(layout, dataset, list(layout.variants) or [''], layout.metrics)
    return columns


def _columns(layout, runs):
    """Those of the data sets, variants and metrics that some runs have."""
    columns = []
    # In alphabetical order, which has appearance before motion.
    for dataset in sorted({run.record['dataset'] for run in runs}):
        theirs = [run for run in runs if run.record['dataset'] == dataset]
        occurring = {_variant(run, layout) for run in theirs}
        variants = [variant for variant in layout.variants or [''] if variant in occurring]
        metrics = layout.metrics
        if layout.task == 'localization':
            found = sorted({name for run in theirs for name in run.metrics if name.startswith('mAP@')})
            metrics = (*((name[4:], name) for name in found), ('Avg.', 'mAP'))
        columns += _of_dataset(layout, dataset, variants, metrics)
    return columns


def _of_dataset(layout, dataset, variants, metrics):
    title = TITLES.get(dataset, dataset)
    for variant in variants:
        said = layout.variants.get(variant)
        for header, metric in metrics:
            what = dataset, variant, metric
            if said is None:
                yield (title, header), what
            elif len(metrics) == 1:
                yield (title, said), what
            else:
                yield (f'{title}, {said}', header), what


def _measured_rows(layout, columns, runs, names, shown, newer):
    """A row for each encoder, and for each way to train it; notes in ``shown`` and ``newer`` which runs count."""
    places = {what: place for place, (_, what) in enumerate(columns)}
    rows = {}
    for run in runs:
        on_embeddings = layout.task == 'recognition_linear' and run.record['protocol'].get('input') == 'embeddings'
        row = rows.setdefault((run.encoder, on_embeddings), {})
        for metric, value in run.metrics.items():
            place = places.get((run.record['dataset'], _variant(run, layout), metric))
            if place is None:
                continue
            if place in row:
                old = row[place].run
                shown.discard(old.path)
                newer[old.path] = (old, run)
            row[place] = Cell(value, _in_pretraining(run), run)
    result = []
    for (encoder, on_embeddings), cells in rows.items():
        _average(columns, places, cells)
        if not cells:
            continue
        shown.update(cell.run.path for cell in cells.values() if cell.run)
        run = next(cell.run for cell in cells.values() if cell.run)
        method = names[encoder] + (', on stored embeddings' if on_embeddings else '')
        line = [cells.get(place, Cell()) for place in range(len(columns))]
        result.append(Row(method, architecture_of(run.record['encoder']), line))
    return _mark_best(result)


def _average(columns, places, cells):
    place = places.get((AVERAGE, '', 'acc/top1'))
    parts = [cells.get(places.get((dataset, '', 'acc/top1'))) for dataset in AVERAGED]
    if place is not None and None not in parts:
        cells[place] = Cell(sum(part.value for part in parts) / len(parts))


def _mark_best(rows):
    if len(rows) < 2:
        return rows
    for place in range(len(rows[0].cells)):
        best = max((row.cells[place].value for row in rows if row.cells[place].value is not None), default=None)
        for row in rows:
            if best is not None and row.cells[place].value == best:
                row.cells[place] = row.cells[place]._replace(best=True)
    return rows


def _in_pretraining(run):
    sets = run.record['encoder'].get('pretraining_sets')
    dataset = run.record['dataset']
    wanted = HOLDS.get(dataset, (SYNTHETIC,) if _is_generated(run) else (dataset,))
    return isinstance(sets, list) and any(name in sets for name in wanted)


def _add_paper_rows(table, layout, published):
    if layout.number in published['unreadable']:
        table.notes.append("The paper's own rows are missing: its table cannot be read in the text that we have.")
        return
    source = published['tables'][layout.number]
    for row in source['rows']:
        marked = row.get('dagger', ())
        cells = [
            Cell(value, dataset in marked and value is not None)
            for value, (dataset, _) in zip(row['values'], source['columns'], strict=True)
        ]
        table.rows.append(Row(row['method'], row['arch'], cells, True, row.get('note', '')))
    if 'note' in source:
        table.notes.append(f'Of the paper: {source["note"]}')
