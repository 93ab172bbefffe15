"""Predicted actions below annotated ones on a time axis with frames."""

import numpy as np
from matplotlib.patches import Patch

from twlv_mm.records import write_figure

from .colours import class_colour
from .confusion_matrix import shorten
from .time_axis import GREY, add_title, figure_over_time, finish_axes

MAX_LABEL = 32  # characters of a name
ROW = 0.42  # inches of the row of a class
SCORE_SHARE = 0.03  # fraction of the axis that the text of a score takes
MARGINS = 1.1  # inches of the title, the axis and the legend


def draw_timeline(
    path, duration, predictions, truth=None, frames=None, frame_times=None, *, classes=None, title='', dpi=120
):
    """Draw a row for each class that occurs: annotated actions as solid bars, predicted ones below.

    Predicted bars with higher scores are more saturated and cover others, so that hundreds of unlikely ones do not hide
    the likely ones. Bars that are long enough show their score.

    Args:
        path (str): A file of a type that matplotlib writes, such as .png.
        duration (float): Length of the video in seconds; the axis says how many actions start after it.
        predictions (Sequence[dict]): label (str), start and end (seconds) and score (0 to 1) of each predicted action.
        truth (Sequence[dict], optional): label, start and end of each annotated action; None if not annotated.
        frames (Sequence[ndarray], optional): (H, W, 3) uint8 RGB of one size, shown above at their times.
        frame_times (Sequence[float], optional): Seconds of the frames, ascending; spread evenly if None.
        classes (Sequence[str], optional): Names of all classes, in the order of rows and colours, so that a class has
            the same colour in all figures; by default the names that occur, sorted.
        title (str): Title.
        dpi (int): Dots per inch; the figure is 12 inches wide.
    """
    actions = [*predictions, *(truth or ())]
    names = list(classes) if classes is not None else sorted({action['label'] for action in actions})
    _check(actions, names)
    occurring = {action['label'] for action in actions}
    shown = [name for name in names if name in occurring]
    labels = [shorten(name, MAX_LABEL) for name in shown]
    height = ROW * max(len(shown), 1) + 0.5
    figure, axes = figure_over_time(height, MARGINS, labels, duration, frames, frame_times, dpi=dpi)
    for row, name in enumerate(shown):
        axes.axhspan(row, row + 1, color='0.96' if row % 2 else 'white', zorder=0)
        colour = np.array(class_colour(names.index(name)))
        true, predicted = (
            [action for action in several if action['label'] == name and action['start'] < duration]
            for several in (truth or (), predictions)
        )
        for action in true:
            _draw_bar(axes, action, row + 0.1, 0.36, colour)
        place = (row + 0.52, 0.38) if truth is not None else (row + 0.15, 0.7)
        _draw_predictions(axes, predicted, *place, colour, duration)
    if not labels:
        axes.text(0.5, 0.5, 'no action', transform=axes.transAxes, ha='center', va='center', color=GREY)
    late = sum(action['start'] >= duration for action in actions)
    finish_axes(axes, labels, duration, f' (actions after its end: {late})' if late else '')
    add_title(figure, title)
    _add_legend(figure, truth is not None)
    write_figure(path, figure)


def _check(actions, names):
    for action in actions:
        if action['end'] < action['start']:
            raise ValueError(f'{action["label"]!r} ends at {action["end"]} s, before it starts at {action["start"]} s')
        if action['label'] not in names:
            raise ValueError(f'{action["label"]!r} is not one of the {len(names)} classes: add it to classes')


def _draw_predictions(axes, predictions, bottom, height, colour, duration):
    ascending = sorted(predictions, key=lambda action: action['score'])
    for place, action in enumerate(ascending):
        strength = min(max(action['score'], 0), 1)
        blended = 1 - strength * (1 - colour)
        # The edge keeps bars of low scores visible on white.
        _draw_bar(axes, action, bottom, height, blended, edgecolor=1 - max(strength, 0.35) * (1 - colour))
        middle = (action['start'] + min(action['end'], duration)) / 2
        room = SCORE_SHARE * duration
        covered = any(b['start'] < middle + room / 2 and b['end'] > middle - room / 2 for b in ascending[place + 1 :])
        if not covered and min(action['end'], duration) - action['start'] >= room:
            dark = blended @ [0.3, 0.59, 0.11] < 0.6
            style = dict(ha='center', va='center_baseline', fontsize=7, color='white' if dark else 'black')
            axes.text(middle, bottom + height / 2, f'{action["score"]:.2f}', **style)


def _draw_bar(axes, action, bottom, height, colour, edgecolor='none'):
    length = action['end'] - action['start']
    axes.barh(bottom, length, height, action['start'], align='edge', color=[colour], edgecolor=edgecolor, linewidth=0.7)


def _add_legend(figure, with_truth):
    where = 'below: ' if with_truth else ''
    handles = [Patch(facecolor='0.8', edgecolor='0.6', label=f'{where}predicted, more saturated for higher scores')]
    if with_truth:
        handles.insert(0, Patch(facecolor=GREY, label='above: annotated'))
    figure.legend(handles=handles, loc='outside lower right', ncols=2, fontsize=8, frameon=False)
