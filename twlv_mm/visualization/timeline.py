"""What happens when in a video: predicted actions beneath the annotated ones, on one axis of time with frames."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MultipleLocator

from .colours import class_colour
from .confusion_matrix import shorten

MAX_LABEL = 32  # characters of a name
WIDTH, ROW, LETTER = 12, 0.42, 0.08  # inches of the picture, of a class's row and of a letter of its name
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)  # seconds between them
SCORE_SHARE = 0.03  # of the axis: bars as long as this have room for their score
MARGINS = 1.1  # inches for the title, the axis and the legend
GREY = '0.4'


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
    if not duration > 0:
        raise ValueError(f'duration is {duration}: a positive number of seconds is needed')
    actions = [*predictions, *(truth or ())]
    names = list(classes) if classes is not None else sorted({action['label'] for action in actions})
    _check(actions, names)
    occurring = {action['label'] for action in actions}
    shown = [name for name in names if name in occurring]
    labels = [shorten(name, MAX_LABEL) for name in shown]
    axis_width = WIDTH - 0.4 - LETTER * max(map(len, labels), default=0)
    heights = [ROW * max(len(shown), 1) + 0.5]
    if frames is not None and len(frames):
        centres, width = _spread(frames, frame_times, duration)
        heights.insert(0, axis_width * width / duration * frames[0].shape[0] / frames[0].shape[1])
    figure = Figure(figsize=(WIDTH, sum(heights) + MARGINS), dpi=dpi, layout='constrained')
    *above, axes = figure.subplots(len(heights), sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for strip in above:
        _draw_frames(strip, frames, centres, width)
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
    _finish(axes, labels, duration, sum(action['start'] >= duration for action in actions))
    _add_legend(figure, truth is not None, title)
    figure.savefig(path)


def _check(actions, names):
    for action in actions:
        if action['end'] < action['start']:
            raise ValueError(f'{action["label"]!r} ends at {action["end"]} s, before it starts at {action["start"]} s')
        if action['label'] not in names:
            raise ValueError(f'{action["label"]!r} is none of the {len(names)} classes: name it in classes')


def _spread(frames, frame_times, duration):
    """Seconds of the frames' centres, and how many seconds wide each is drawn, so that none covers another."""
    if frame_times is None:
        frame_times = (np.arange(len(frames)) + 0.5) / len(frames) * duration
    if len(frame_times) != len(frames):
        raise ValueError(f'there are {len(frames)} frames and {len(frame_times)} frame_times: one a frame is needed')
    times = np.asarray(frame_times, float)
    room = np.diff(times).min(initial=duration / max(len(times), 6))
    if room <= 0:
        raise ValueError('frame_times must ascend')
    return times, room


def _draw_frames(axes, frames, centres, width):
    axes.set_axis_off()
    for frame, centre in zip(frames, centres, strict=True):
        extent = (centre - 0.48 * width, centre + 0.48 * width, 0, 1)
        # A frame at the video's start stands half before it.
        axes.imshow(frame, extent=extent, aspect='auto', clip_on=False)
        axes.plot([centre, centre], [-0.06, 0], color=GREY, linewidth=1, clip_on=False)
    axes.set_ylim(0, 1)


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


def _finish(axes, labels, duration, late):
    axes.set_xlim(0, duration)
    axes.set_ylim(max(len(labels), 1), 0)
    axes.set_yticks(np.arange(len(labels)) + 0.5, labels, fontsize=9, parse_math=False)
    axes.tick_params(axis='y', length=0)
    axes.tick_params(axis='x', labelsize=9)
    axes.spines[['top', 'right', 'left']].set_visible(False)
    if not labels:
        axes.text(0.5, 0.5, 'no action', transform=axes.transAxes, ha='center', va='center', color=GREY)
    step = next((tick for tick in TICKS if duration / tick <= 12), TICKS[-1])
    axes.xaxis.set_major_locator(MultipleLocator(step))
    minutes = duration >= 120
    if minutes:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{int(value // 60)}:{int(value % 60):02d}'))
    axes.grid(axis='x', color='0.85', linewidth=0.7)
    axes.set_axisbelow(True)
    after = f' (actions after its end: {late})' if late else ''
    axes.set_xlabel(f'time in the video, {"min:s" if minutes else "s"}{after}', fontsize=9)


def _add_legend(figure, with_truth, title):
    figure.suptitle(title, fontsize=10, x=0.01, ha='left', parse_math=False)
    where = 'below: ' if with_truth else ''
    handles = [Patch(facecolor='0.8', edgecolor='0.6', label=f'{where}predicted, the stronger the higher the score')]
    if with_truth:
        handles.insert(0, Patch(facecolor=GREY, label='above: annotated'))
    figure.legend(handles=handles, loc='outside lower right', ncols=2, fontsize=8, frameon=False)
