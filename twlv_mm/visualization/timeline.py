"""What happens when in a video: predicted actions beneath the annotated ones, on one axis of time with frames."""

import numpy as np
from matplotlib.patches import Patch

from twlv_mm.records import write_figure

from .colours import class_colour
from .confusion_matrix import shorten
from .time_axis import GREY, add_title, figure_over_time, finish_axes

MAX_LABEL = 32  # characters of a name
ROW = 0.42  # inches of a class's row
SCORE_SHARE = 0.03  # of the axis: bars as long as this have room for their score
MARGINS = 1.1  # inches for the title, the axis and the legend


def draw_timeline(
    path, duration, predictions, truth=None, frames=None, frame_times=None, *, classes=None, title='', dpi=120
):
    """Draw a row for each class that occurs: its annotated actions as full bars, its predicted ones beneath.

    The colour of a predicted bar is as strong as its score is high, and higher scores cover lower ones, so that
    hundreds of unlikely bars do not hide the likely ones. Bars with room for it carry their score.

    Args:
        path (str): A file of a kind that matplotlib writes, .png say.
        duration (float): Length of the video in seconds; the axis says how many actions begin after it.
        predictions (Sequence[dict]): label (str), start and end (seconds) and score (0 to 1) of each predicted action.
        truth (Sequence[dict], optional): label, start and end of each annotated action; None if there is no annotation.
        frames (Sequence[ndarray], optional): (H, W, 3) uint8 RGB of one size, shown above at their times.
        frame_times (Sequence[float], optional): Seconds of the frames, ascending; spread over the video if None.
        classes (Sequence[str], optional): Names of all classes, in the order of the rows and of the colours, so that a
            class has one colour in many pictures. If None, the sorted names that occur in this one.
        title (str): What stands above.
        dpi (int): Dots per inch; the picture is 12 inches wide.

    Raises:
        ValueError: if the duration is not positive, an action ends before it starts or is of none of the classes, or
            there are not as many times as frames.
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
            raise ValueError(f'{action["label"]!r} is none of the {len(names)} classes: name it in classes')


def _draw_predictions(axes, predictions, bottom, height, colour, duration):
    ascending = sorted(predictions, key=lambda action: action['score'])
    for place, action in enumerate(ascending):
        strength = min(max(action['score'], 0), 1)
        blended = 1 - strength * (1 - colour)
        # Without an edge, bars of low scores are lost on the white ground.
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
    handles = [Patch(facecolor='0.8', edgecolor='0.6', label=f'{where}predicted, the stronger the higher the score')]
    if with_truth:
        handles.insert(0, Patch(facecolor=GREY, label='above: annotated'))
    figure.legend(handles=handles, loc='outside lower right', ncols=2, fontsize=8, frameon=False)
