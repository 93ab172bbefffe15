"""The paper's tables with measured rows beside the paper's own."""

import itertools
from dataclasses import dataclass, field
from typing import NamedTuple

from twlv_mm.encoders import get_architecture, list_models

from .paper_tables import read_paper_tables
from .run_records import name_encoders
from .table_layouts import (
    AVERAGE,
    AVERAGED,
    HOLDS,
    LAYOUTS,
    SYNTHETIC,
    TITLES,
    columns_of,
    is_generated,
    is_other,
    paper_columns,
    variant_of,
)

DIRECTION, OF_CLASS = 'direction', 'direction/class/'
DIRECTION_METRICS = {
    'direction/accuracy': 'accuracy',
    'direction/low': '95 % from',
    'direction/high': 'to',
    'direction/paired': 'pairs',
    'direction/permuted': 'swapped',
    'direction/permuted_high': '95 % swapped',
}
# Field of a protocol that records a choice -> text of a note.
CHOICES = {
    'samples': 'tested on {} samples only',
    'clips': 'clips: {}',
    'crops': 'crops: {}',
    'classes': '{} classes',
    'annotations': '{}',
    'videos': '{} videos',
    'labels_per_second': '{} labels a second',
    'frames_repeated': 'clips repeat frames (T x fps < N)',
    'fine_tuned': 'the encoder was fine-tuned',
}
CLASSES_DIFFER = ('moments_in_time', 'epic_kitchens100', 'ava_v2.2')  # 339 or 305, verbs or nouns, 60 or 80
WIDTHS = {768: 'ViT-B', 1024: 'ViT-L', 1280: 'ViT-H', 1408: 'ViT-g'}


class Cell(NamedTuple):
    """A cell of a table.

    Attributes:
        value (float | None): In percent; None if not measured.
        dagger (bool): Whether the dataset was in the encoder's pretraining.
        run (Run | None): Where it was measured.
        best (bool): Whether it is the best measured value of its column.
    """

    value: float | None = None
    dagger: bool = False
    run: object = None
    best: bool = False


class Row(NamedTuple):
    """A row of a table: method, architecture, cells, and whether the numbers are the paper's."""

    method: str
    arch: str
    cells: list
    paper: bool = False
    note: str = ''


@dataclass
class Table:
    """A table: key, title, columns (pairs of group and header), rows, and notes below it."""

    key: str
    title: str
    columns: list
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    @property
    def groups(self):
        """list[tuple[str, int]]: column groups, and the number of columns of each."""
        parts = itertools.groupby(group for group, _ in self.columns)
        return [(group, len(list(columns))) for group, columns in parts]

    @property
    def begins(self):
        """list[bool]: whether a column is the first of its group."""
        groups = [None, *(group for group, _ in self.columns)]
        return [before != group for before, group in itertools.pairwise(groups)]

    @property
    def measured(self):
        """bool: whether any row was measured."""
        return any(not row.paper for row in self.rows)


class Filled(NamedTuple):
    """All tables of a report.

    Attributes:
        paper (list[Table]): The paper's tables.
        generated (list[Table]): The same layouts on generated datasets, those with rows.
        other (list[Table]): The same layouts on other datasets.
        replaced (list[tuple[Run, Run]]): Runs that no cell shows, and the newer run in their place.
        unplaced (list[Run]): Runs that belong in no table.
    """

    paper: list
    generated: list
    other: list
    replaced: list
    unplaced: list


def fill_tables(runs):
    """Fill the paper's tables with runs, oldest first: for the same cell the newest run counts."""
    published = read_paper_tables()
    names = name_encoders(runs)
    paper, generated, other = [], [], []
    shown, newer = set(), {}  # paths of the runs that are shown; path of an older run -> both runs
    for layout in LAYOUTS:
        mine = [run for run in runs if run.record['task'] == layout.task and variant_of(run, layout) is not None]
        for place, kind, chosen in (
            (paper, 'paper', [run for run in mine if run.record['dataset'] in layout.datasets]),
            (generated, 'generated', [run for run in mine if is_generated(run)]),
            (other, 'other', [run for run in mine if is_other(run)]),
        ):
            # Tables 9 and 10 differ in their datasets only.
            if not (layout.datasets if kind == 'paper' else chosen and layout.number != '10'):
                continue
            columns = paper_columns(layout) if kind == 'paper' else columns_of(layout, chosen)
            table = Table(f'{kind}-{layout.number}', layout.title, [header for header, _ in columns])
            if kind != 'paper':
                table.title = layout.title.replace(' on THUMOS14', '')
            table.rows = _measured_rows(layout, columns, chosen, names, shown, newer)
            table.notes += [*_choices_of(table.rows), *_unmarked(table.rows)]
            if kind == 'paper':
                _add_paper_rows(table, layout, published)
            place.append(table)
    replaced = [(old, new) for old, new in newer.values() if old.path not in shown]
    placed = shown | {old.path for old, _ in replaced}
    unplaced = [run for run in runs if run.path not in placed and run.record['task'] != DIRECTION]
    return Filled(paper, generated, other, replaced, unplaced)


def direction_tables(runs, names):
    """Tables of direction accuracy (paper 2.7.2), one per dataset, a row per encoder.

    Args:
        runs (list[Run]): Oldest first; the newest of an encoder counts.
        names (dict): :attr:`Run.encoder` -> name.
    """
    tables = []
    latest = {(run.record['dataset'], run.encoder): run for run in runs if run.record['task'] == DIRECTION}
    for dataset in dict.fromkeys(dataset for dataset, _ in latest):
        mine = {encoder: run for (theirs, encoder), run in latest.items() if theirs == dataset}
        metrics = list(dict.fromkeys(name for run in mine.values() for name in run.metrics))
        columns = [
            ('Accuracy by class', name.removeprefix(OF_CLASS))
            if name.startswith(OF_CLASS)
            else ('Mean over classes', DIRECTION_METRICS.get(name, name))
            for name in metrics
        ]
        rows = [
            Row(
                names[encoder],
                architecture_of(run.record['encoder']),
                [Cell(run.metrics.get(name), _in_pretraining(run), run) for name in metrics],
            )
            for encoder, run in mine.items()
        ]
        title = f'Forward against backward, {TITLES.get(dataset, dataset)}'
        tables.append(Table(f'direction-{len(tables) + 1}', title, columns, rows))
    return tables


def architecture_of(encoder):
    """Architecture of the encoder of a record: 'ViT-L' for example, or the number of parameters, or ''."""
    name, params = encoder.get('name'), encoder.get('params')
    if isinstance(name, str) and name in list_models():
        width = getattr(get_architecture(name), 'embed_dims', None)
        if width in WIDTHS:
            return WIDTHS[width]
    if isinstance(params, int) and not isinstance(params, bool):
        return f'{params / 1e6:.1f}M'
    return ''


def _measured_rows(layout, columns, runs, names, shown, newer):
    """A row per encoder and training recipe; ``shown`` and ``newer`` collect which runs count."""
    places = {what: place for place, (_, what) in enumerate(columns)}
    rows = {}
    for run in runs:
        on_embeddings = layout.task == 'recognition_linear' and run.record['protocol'].get('input') == 'embeddings'
        recipe = run.record['protocol'].get('recipe')
        row = rows.setdefault((run.encoder, on_embeddings, recipe and str(recipe)), {})
        for metric, value in run.metrics.items():
            place = places.get((run.record['dataset'], variant_of(run, layout), metric))
            if place is None:
                continue
            if place in row:
                old = row[place].run
                shown.discard(old.path)
                newer[old.path] = (old, run)
            row[place] = Cell(value, _in_pretraining(run), run)
    result = []
    known = list_models()
    # A user's own encoders first; named models come next to the paper's rows.
    for (encoder, on_embeddings, recipe), cells in sorted(rows.items(), key=lambda row: _name_of(row[1]) in known):
        _average(columns, places, cells)
        if not cells:
            continue
        shown.update(cell.run.path for cell in cells.values() if cell.run)
        run = next(cell.run for cell in cells.values() if cell.run)
        method = names[encoder] + (', on stored embeddings' if on_embeddings else '')
        method += f", {recipe}'s recipe" if recipe else ''
        line = [cells.get(place, Cell()) for place in range(len(columns))]
        result.append(Row(method, architecture_of(run.record['encoder']), line))
    return _mark_best(result)


def _name_of(cells):
    return next((cell.run.record['encoder'].get('name') for cell in cells.values() if cell.run), None)


def _choices_of(rows):
    """A sentence per dataset on choices of the data, for the runs that are shown."""
    found = {}
    for row in rows:
        for run in {cell.run.path: cell.run for cell in row.cells if cell.run}.values():
            dataset, protocol = run.record['dataset'], run.record['protocol']
            text = [
                form.format(protocol[name])
                for name, form in CHOICES.items()
                if protocol.get(name) and (name != 'classes' or dataset in CLASSES_DIFFER)
            ]
            if early := _unfinished(run.record.get('training')):
                text.append(early)
            if text:
                found.setdefault(dataset, {}).setdefault(', '.join(text), {})[row.method] = None
    return [
        f'{TITLES.get(dataset, dataset)}: '
        + '; '.join(text if len(kinds) == 1 else f'{text} ({", ".join(methods)})' for text, methods in kinds.items())
        + '.'
        for dataset, kinds in found.items()
    ]


def _unfinished(training):
    """What a table says of weights that were tested before the end of their training; None otherwise."""
    steps, trained = (training.get(name) if isinstance(training, dict) else None for name in ('steps', 'trained_steps'))
    if type(steps) is type(trained) is int and trained < steps:
        return f'after {trained:,} of {steps:,} training steps'
    return None


def _unmarked(rows):
    """A sentence on encoders whose weights do not record their pretraining data."""
    methods = {
        row.method: None
        for row in rows
        for encoder in (cell.run.record['encoder'] for cell in row.cells if cell.run)
        if encoder.get('weights_sha256') and 'unknown' in (encoder.get('pretraining_sets') or ['unknown'])
    }
    if not methods:
        return []
    return [f'Daggers may be missing: the weights of {", ".join(methods)} do not record their pretraining data.']


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
    if not isinstance(sets, list):
        return False
    if is_generated(run):
        return any(str(name).startswith(SYNTHETIC) for name in sets)
    return any(name in sets for name in HOLDS.get(dataset, (dataset,)))


def _add_paper_rows(table, layout, published):
    source = published['tables'][layout.number]
    columns = [tuple(column) for column in source['columns']]
    for row in source['rows']:
        values = dict(zip(columns, row['values'], strict=True))
        marked = row.get('dagger', ())
        cells = [
            Cell(values.get(column), values.get(column) is not None and column[0].partition(', ')[0] in marked)
            for column in table.columns
        ]
        table.rows.append(Row(row['method'], row['arch'], cells, True, row.get('note', '')))
    if 'note' in source:
        table.notes.append(f'Of the paper: {source["note"]}')
