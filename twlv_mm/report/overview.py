"""Figures 1 and 2 of the report: the main numbers of each encoder, and appearance against motion."""

from statistics import fmean

import numpy as np
from matplotlib.figure import Figure

from twlv_mm.visualization import class_colour

from .figures import GREY, Picture, as_svg, save_figure
from .table_layouts import DAGGER

# Layout -> name of its radar axes, and the header of the columns that are axes (None: all).
MAIN = {
    '3': ('linear', 'Top1'),
    '5': ('attentive', 'Top1'),
    'trained': ('end to end', 'Top1'),
    '6': ('kNN', None),
    '9': ('localization', 'Avg.'),
    '10': ('localization', 'Avg.'),
    '11': ('detection', None),
    '12': ('segmentation', 'mF1'),
}
SHORT = {
    'self-contained': '',
    'w/ external classifier': 'ext. classifier',
    'AVA v2.2': 'AVA',
    'ActivityNet-v1.3': 'ActivityNet',
    'end to end': '',
}
SIZE = (7.4, 6.4)  # inches
MARKERS = 'os^'
MAX_SERIES = 10  # lines of a radar
OURS, OTHERS = 'TWLV-I, ViT-L (paper)', 'best other ViT-L (paper)'
APPEARANCE, MOTION = ('K400', 'MiT'), ('SSv2', 'DV48')


def overview(tables):
    """Figures 1 and 2 for a user's own, the generated and the paper's datasets, as far as there are enough numbers.

    The figures of the paper's datasets are left out if runs were tested on other datasets only.

    Args:
        tables (Filled): From :func:`~twlv_mm.report.tables.fill_tables`.

    Returns:
        list[Picture]: at most five.
    """
    probes = ('3', '5', '6')
    daggers = f'{DAGGER}: the set was in the pretraining of the encoder'
    pictures = [
        radar(tables.other, 'All tasks, your datasets', f"As the paper's Figure 1. In percent. {daggers}."),
        radar(tables.generated, 'All tasks, generated videos', f"As the paper's Figure 1. In percent. {daggers}."),
        appearance_and_motion(
            [table for table in tables.generated if table.key.rpartition('-')[2] in probes],
            ('Appearance',),
            ('Motion',),
            'Appearance against motion, generated videos',
            f"As the paper's Figure 2: 8 classes each, chance is 12.5 %. {daggers}.",
        ),
    ]
    if any(table.measured for table in tables.paper) or not (tables.other or tables.generated):
        pictures += _of_the_paper(tables.paper, probes, daggers)
    return [picture for picture in pictures if picture is not None]


def _of_the_paper(tables, probes, daggers):
    return [
        radar(
            tables,
            'All tasks, sets of the paper',
            "As the paper's Figure 1, from Tables 3, 5, 6 and 9 to 12: top-1, mean mAP, fAP and mF1 in percent. "
            f"Dashed: the paper's TWLV-I, and on each axis the best of its other ViT-L models. {daggers}.",
        ),
        appearance_and_motion(
            [table for table in tables if table.key.rpartition('-')[2] in probes],
            APPEARANCE,
            MOTION,
            'Appearance against motion, sets of the paper',
            "As the paper's Figure 2: means of K400 and MiT against those of SSv2 and DV48; for kNN, which Table 6 has "
            f"on two sets, K400 against SSv2 by Uniform Embedding. Hollow: the paper's rows. {daggers}.",
        ),
    ]


def radar(tables, title, caption):
    """Figure 1: an axis per main number, a line per encoder.

    Args:
        tables (list[Table]): The numbers. Of the paper's ViT-L rows, TWLV-I and the best of the others are drawn.
        title (str): Title.
        caption (str): Caption.

    Returns:
        Picture | None: None if there are fewer than three axes.
    """
    axes_of = {}  # what an axis is called -> name of a line -> its cell
    for table in tables:
        short, wanted = MAIN[table.key.rpartition('-')[2]]
        for place, (group, header) in enumerate(table.columns):
            cells = _lines(table, place)
            if group != 'Avg.' and wanted in (header, None) and cells:
                dataset, _, variant = group.partition(', ')
                words = (dataset, variant or ('' if wanted else header), short)
                axes_of['\n'.join(filter(None, (SHORT.get(word, word) for word in words)))] = cells
    series = list(dict.fromkeys(name for cells in axes_of.values() for name in cells))
    series.sort(key=(OURS, OTHERS).__contains__)  # the paper's rows last
    if len(axes_of) < 3:
        return None
    if len(series) > MAX_SERIES:
        caption = f'{caption} Not drawn: {", ".join(series[MAX_SERIES:])}.'

    def draw(folder):
        figure = Figure(figsize=SIZE)
        axes = figure.add_axes((0.2, 0.15, 0.6, 0.73), projection='polar')
        angles = np.linspace(0, 2 * np.pi, len(axes_of), endpoint=False)
        for place, name in enumerate(series[:MAX_SERIES]):
            cells = [one.get(name) for one in axes_of.values()]
            values = np.array([np.nan if cell is None else cell.value for cell in cells])
            style = dict(color=class_colour(place), linestyle='--' if name in (OURS, OTHERS) else '-')
            axes.plot(np.append(angles, 0), np.append(values, values[0]), linewidth=1.6, label=name, **style)
            axes.plot(angles, values, 'o', color=style['color'], markersize=3.5)
            for angle, cell in zip(angles, cells, strict=True):
                if cell is not None and cell.dagger:
                    axes.annotate(
                        DAGGER,
                        (angle, cell.value),
                        (4, 1),
                        textcoords='offset points',
                        color=style['color'],
                        fontsize=11,
                    )
            if not np.isnan(values).any():
                axes.fill(angles, values, color=style['color'], alpha=0.06)
        axes.set_theta_offset(np.pi / 2)
        axes.set_theta_direction(-1)
        axes.set_ylim(0, 100)
        axes.set_yticks([20, 40, 60, 80], ['20', '40', '60', '80'], fontsize=7, color=GREY)
        axes.set_xticks(angles, list(axes_of), fontsize=8 if len(axes_of) < 16 else 7, parse_math=False)
        axes.tick_params(axis='x', pad=4)
        # Labels beside the circle, not across it.
        for label, angle in zip(axes.get_xticklabels(), angles, strict=True):
            sideways = np.sin(angle)
            label.set_horizontalalignment('center' if abs(sideways) < 0.1 else 'left' if sideways > 0 else 'right')
        axes.grid(color='0.85', linewidth=0.7)
        axes.spines['polar'].set_color('0.8')
        return save_figure(figure, folder, 'lower center', 4)

    return Picture(title, as_svg(draw), caption)


def appearance_and_motion(tables, appearance, motion, title, caption):
    """Figure 2: accuracy on appearance datasets against accuracy on motion datasets, a point per encoder.

    Args:
        tables (list[Table]): Recognition tables; each has its own marker.
        appearance (Sequence[str]): Column groups that count as appearance; a row needs all that its table has.
        motion (Sequence[str]): Column groups that count as motion.
        title (str): Title.
        caption (str): Caption.

    Returns:
        Picture | None: None if no row has the numbers.
    """
    points = []
    for marker, table in zip(MARKERS, tables, strict=False):
        for row in table.rows:
            cells = [_first_cells(table, row, groups) for groups in (appearance, motion)]
            if all(cells) and all(cell.value is not None for side in cells for cell in side):
                name = f'{row.method}, {row.arch} (paper)' if row.paper else row.method
                across, up = (fmean(cell.value for cell in side) for side in cells)
                dagger = any(cell.dagger for side in cells for cell in side)
                points.append((across, up, name, table, marker, row.paper, dagger))
    if not points:
        return None
    series = list(dict.fromkeys(name for _, _, name, *_ in points))

    def draw(folder):
        figure = Figure(figsize=SIZE, layout='constrained')
        axes = figure.add_subplot()
        kinds = {}
        for across, up, name, table, marker, paper, dagger in points:
            colour = class_colour(series.index(name))
            axes.plot(across, up, marker, color=colour, mfc='none' if paper else colour, ms=7, mew=1.3, zorder=3)
            if dagger:
                axes.annotate(DAGGER, (across, up), (5, 2), textcoords='offset points', color=colour, fontsize=11)
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
        return save_figure(figure, folder, 'outside right upper', 1)

    return Picture(title, as_svg(draw), caption)


def _lines(table, place):
    """Name of a line -> its cell in a column."""
    rows = [row for row in table.rows if row.cells[place].value is not None]
    cells = {row.method: row.cells[place] for row in rows if not row.paper}
    paper = {row.method: row.cells[place] for row in rows if row.paper and row.arch == 'ViT-L'}
    ours = paper.pop('TWLV-I', None)
    others = [cell for name, cell in paper.items() if not name.startswith('TWLV-I')]
    if ours is not None:
        cells[OURS] = ours
    if others:
        cells[OTHERS] = max(others, key=lambda cell: cell.value)
    return cells


def _first_cells(table, row, groups):
    """The cell in the first column of each group that a table has."""
    first = {}
    for cell, (group, _) in zip(row.cells, table.columns, strict=True):
        first.setdefault(group, cell)
    return [first[group] for group in groups if group in first]
