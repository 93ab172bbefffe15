"""The report's figures as SVG: the radar, appearance against motion, bars of segmentations, timelines."""

import json
import re
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from twlv_mm.segmentation import compare_runs, read_predictions

from .report_layouts import TITLES

# Text stays text, so that pages can be searched and stay small; the same figure is the same text.
STYLE = {'svg.fonttype': 'none', 'svg.hashsalt': 'twlv_mm', 'font.size': 9}
# Of each layout, what an axis of a radar is called, and which columns are axes; all where None.
MAIN = {
    '3': ('linear', 'Top1'),
    '5': ('attentive', 'Top1'),
    '6': ('kNN', None),
    '9': ('localization', 'Avg.'),
    '10': ('localization', 'Avg.'),
    '11': ('detection', None),
    '12': ('segmentation', 'mF1'),
}
SIZE = (6.6, 5.2)  # inches
MARKERS = 'os^'
MAX_SERIES = 10  # lines of a radar
MAX_TIMELINES = 4
PREDICTIONS = 'predictions.json'
MIN_SCORE = 0.1  # of a predicted action that is drawn
GREY = '0.45'
OURS, OTHERS = 'TWLV-I, ViT-L (paper)', 'best other ViT-L (paper)'


class Picture(NamedTuple):
    """A figure of the report: what stands above it, an ``<svg>`` or other element, what stands beneath it."""

    title: str
    element: str
    caption: str = ''


def as_svg(draw):
    """Draw a figure to stand in a page.

    Args:
        draw (Callable[[Path], Path]): Draws into a file of its choice in the folder that it is given.

    Returns:
        str: an ``<svg>`` element, as wide as there is room.
    """
    with TemporaryDirectory() as folder, rc_context(STYLE):
        text = draw(Path(folder)).read_text(encoding='utf-8')
    text = re.sub(r'<metadata>.*?</metadata>', '', text[text.index('<svg') :], flags=re.S)
    head, end, body = text.partition('>')
    return re.sub(r'\s(width|height)="[^"]*"', '', head) + end + body


def radar(tables, title, caption):
    """Figure 1: an axis for each main number, a line for each encoder.

    Args:
        tables (list[Table]): With the numbers. Of the paper's rows come those of TWLV-I with ViT-L, and the best of the
            others with ViT-L.
        title (str): What stands above.
        caption (str): What stands beneath.

    Returns:
        Picture | None: None if there are fewer than three axes.
    """
    values_of = {}
    for table in tables:
        short, wanted = MAIN[table.key.rpartition('-')[2]]
        for place, (group, header) in enumerate(table.columns):
            values = _values(table, place)
            if group != 'Avg.' and wanted in (header, None) and values:
                dataset, _, variant = group.partition(', ')
                values_of['\n'.join(filter(None, (dataset, variant or ('' if wanted else header), short)))] = values
    series = list(dict.fromkeys(name for values in values_of.values() for name in values))
    series.sort(key=(OURS, OTHERS).__contains__)  # the paper's last
    if len(values_of) < 3:
        return None
    if len(series) > MAX_SERIES:
        caption = f'{caption} Not drawn: {", ".join(series[MAX_SERIES:])}.'

    def draw(folder):
        # Not before it draws: this chooses matplotlib's backend for files, and what imports the room may need a window.
        from twlv_mm.visualization import class_colour

        figure = Figure(figsize=SIZE)
        axes = figure.add_axes((0.2, 0.17, 0.6, 0.71), projection='polar')
        angles = np.linspace(0, 2 * np.pi, len(values_of), endpoint=False)
        for place, name in enumerate(series[:MAX_SERIES]):
            values = np.array([one.get(name, np.nan) for one in values_of.values()])
            style = dict(color=class_colour(place), linestyle='--' if name in (OURS, OTHERS) else '-')
            axes.plot(np.append(angles, 0), np.append(values, values[0]), linewidth=1.6, label=name, **style)
            axes.plot(angles, values, 'o', color=style['color'], markersize=3.5)
            if not np.isnan(values).any():
                axes.fill(angles, values, color=style['color'], alpha=0.06)
        axes.set_theta_offset(np.pi / 2)
        axes.set_theta_direction(-1)
        axes.set_ylim(0, 100)
        axes.set_yticks([20, 40, 60, 80], ['20', '40', '60', '80'], fontsize=7, color=GREY)
        axes.set_xticks(angles, list(values_of), fontsize=8, parse_math=False)
        axes.tick_params(axis='x', pad=4)
        # Beside the circle, not across it.
        for label, angle in zip(axes.get_xticklabels(), angles, strict=True):
            sideways = np.sin(angle)
            label.set_horizontalalignment('center' if abs(sideways) < 0.1 else 'left' if sideways > 0 else 'right')
        axes.grid(color='0.85', linewidth=0.7)
        axes.spines['polar'].set_color('0.8')
        return _save(figure, folder, 'lower center', 4)

    return Picture(title, as_svg(draw), caption)


def appearance_and_motion(tables, appearance, motion, title, caption):
    """Figure 2: each encoder's accuracy on sets of appearance against that on sets of motion.

    Args:
        tables (list[Table]): Of recognition; each has a marker of its own.
        appearance (Sequence[str]): Groups of columns that count as such; all are needed.
        motion (Sequence[str]): Likewise.
        title (str): What stands above.
        caption (str): What stands beneath.

    Returns:
        Picture | None: None if no row has the numbers.
    """
    points = []
    for marker, table in zip(MARKERS, tables, strict=False):
        for row in table.rows:
            across, up = (_mean(table, row, groups) for groups in (appearance, motion))
            if None not in (across, up):
                name = f'{row.method}, {row.arch} (paper)' if row.paper else row.method
                points.append((across, up, name, table, marker, row.paper))
    if not points:
        return None
    series = list(dict.fromkeys(name for _, _, name, *_ in points))

    def draw(folder):
        from twlv_mm.visualization import class_colour

        figure = Figure(figsize=SIZE, layout='constrained')
        axes = figure.add_subplot()
        kinds = {}
        for across, up, name, table, marker, paper in points:
            colour = class_colour(series.index(name))
            axes.plot(across, up, marker, color=colour, mfc='none' if paper else colour, ms=7, mew=1.3, zorder=3)
            kinds[MAIN[table.key.rpartition('-')[2]][0]] = marker
        for place, name in enumerate(series):
            axes.plot([], [], 's', color=class_colour(place), ms=6, label=name)
        for name, marker in kinds.items():
            axes.plot([], [], marker, color=GREY, mfc='none', ms=6, label=name)
        axes.set_xlabel('appearance, top-1 in %')
        axes.set_ylabel('motion, top-1 in %')
        axes.grid(color='0.9', linewidth=0.7)
        axes.set_axisbelow(True)
        axes.spines[['top', 'right']].set_visible(False)
        axes.margins(0.08)
        return _save(figure, folder, 'outside right upper', 1)

    return Picture(title, as_svg(draw), caption)


def segmentation_bars(runs, names):
    """Figure 5: the labels of a video as the runs of several encoders have them, above one another.

    Args:
        runs (list[Run]): All runs, oldest first.
        names (dict): What their encoders are called.

    Returns:
        tuple[list[Picture], list[str]]: a picture a data set; why others have none.
    """

    def of_dataset(dataset, files):
        videos = set.intersection(*(set(read_predictions(path).videos) for path in files.values()))
        if not videos:
            raise ValueError('the runs have no video in common')
        video = sorted(videos)[len(videos) // 2]

        def draw(folder):
            compare_runs(files, folder, [video], suffix='.svg')
            return folder / f'{video}.svg'

        return [Picture(f'Segmentation of {TITLES.get(dataset, dataset)}', as_svg(draw), f'The video {video}.')]

    return _of_datasets(runs, names, 'segmentation', of_dataset)


def localization_timelines(runs, names):
    """What happens when in a video, annotated and as the runs of several encoders have it.

    Args:
        runs (list[Run]): All runs, oldest first.
        names (dict): What their encoders are called.

    Returns:
        tuple[list[Picture], list[str]]: a picture an encoder and data set; why others have none.
    """

    def of_dataset(dataset, files):
        contents = {name: json.loads(path.read_text(encoding='utf-8')) for name, path in files.items()}
        truth = next(iter(contents.values()))['external_data'].get('truth')
        if truth is None:
            raise ValueError('predictions.json has no external_data.truth: test again with this version')
        common = sorted(set(truth).intersection(*(content['results'] for content in contents.values())))
        if not common:
            raise ValueError('the runs have no video in common')
        video = common[len(common) // 2]
        true = _actions(truth[video])
        classes = sorted({action['label'] for actions in truth.values() for action in _actions(actions)})
        pictures, caption = [], f'The video {video}.'
        if len(contents) > MAX_TIMELINES:
            caption = f'{caption} Not drawn: {", ".join(list(contents)[MAX_TIMELINES:])}.'
        for name, content in list(contents.items())[:MAX_TIMELINES]:
            found = [one for one in _actions(content['results'][video]) if one['score'] >= MIN_SCORE]
            pictures.append(_timeline(f'{TITLES.get(dataset, dataset)}, {name}', caption, found, true, classes))
        return pictures

    return _of_datasets(runs, names, 'localization', of_dataset)


def _timeline(title, caption, found, true, classes):
    duration = max((action['end'] for action in [*found, *true]), default=1.0)
    classes = sorted({*classes, *(action['label'] for action in found)})

    def draw(folder):
        from twlv_mm.visualization import draw_timeline

        draw_timeline(folder / 'timeline.svg', duration, found, true, classes=classes)
        return folder / 'timeline.svg'

    return Picture(title, as_svg(draw), caption)


def _actions(entries):
    return [
        dict(label=str(one['label']), start=float(one['segment'][0]), end=float(one['segment'][1]))
        | ({'score': float(one['score'])} if 'score' in one else {})
        for one in entries
    ]


def _of_datasets(runs, names, task, draw):
    """Draw what the latest run of each encoder predicted, data set by data set."""
    files = {}
    for run in runs:
        path = run.path.parent / PREDICTIONS
        folds = sorted(run.path.parent.glob(f'fold*/*/{PREDICTIONS}'))  # a cross-validation has them by fold
        if run.record['task'] == task and (path.is_file() or folds) and 'fold' not in run.record['protocol']:
            chosen = path if path.is_file() else folds[0]
            files.setdefault(run.record['dataset'], {})[names[run.encoder]] = chosen
    pictures, problems = [], []
    for dataset, by_name in files.items():
        try:
            pictures += draw(dataset, by_name)
        except Exception as error:  # the files may hold anything
            problems.append(f'{task} of {dataset} is not drawn: {type(error).__name__}: {error}')
    return pictures, problems


def _values(table, place):
    """Name of a line -> its number in a column."""
    rows = [row for row in table.rows if row.cells[place].value is not None]
    values = {row.method: row.cells[place].value for row in rows if not row.paper}
    paper = {row.method: row.cells[place].value for row in rows if row.paper and row.arch == 'ViT-L'}
    ours = paper.pop('TWLV-I', None)
    others = [value for name, value in paper.items() if not name.startswith('TWLV-I')]
    if ours is not None:
        values[OURS] = ours
    if others:
        values[OTHERS] = max(others)
    return values


def _mean(table, row, groups):
    """The mean of the top-1 of some groups of columns; None where one lacks."""
    values = []
    for group in groups:
        found = [cell.value for cell, (title, _) in zip(row.cells, table.columns, strict=True) if title == group][:1]
        values += found or [None]
    return None if None in values else fmean(values)


def _save(figure, folder, place, columns):
    legend = figure.legend(loc=place, ncols=columns, fontsize=8, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    figure.savefig(folder / 'figure.svg')
    return folder / 'figure.svg'
