"""SVG figures of the report: segmentation bars, localization timelines, and helpers of the other figures."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from matplotlib import rc_context

from twlv_mm.records import PathError, path_below
from twlv_mm.segmentation import compare_runs, read_predictions
from twlv_mm.visualization import draw_timeline

from .localization_predictions import parse_actions, read_localization
from .table_layouts import TITLES

# Text stays text, so that pages are small and searchable; the fixed salt makes output reproducible.
STYLE = {'svg.fonttype': 'none', 'svg.hashsalt': 'twlv_mm', 'font.size': 9}
MAX_TIMELINES = 4
PREDICTIONS = 'predictions.json'
MIN_SCORE = 0.1  # of a drawn action
GREY = '0.45'


class Picture(NamedTuple):
    """A figure of the report: title, an ``<svg>`` or other element, caption."""

    title: str
    element: str
    caption: str = ''


def as_svg(draw):
    """Draw a figure as an ``<svg>`` element that fills the width of its container.

    Args:
        draw (Callable[[Path], Path]): Draws into a file of its choice in the given folder.
    """
    with TemporaryDirectory() as folder, rc_context(STYLE):
        text = draw(Path(folder)).read_text(encoding='utf-8')
    text = re.sub(r'<metadata>.*?</metadata>', '', text[text.index('<svg') :], flags=re.S)
    head, end, body = text.partition('>')
    return re.sub(r'\s(width|height)="[^"]*"', '', head) + end + body


def save_figure(figure, folder, place, columns):
    """Add a legend (matplotlib's ``loc`` and number of columns) to a figure and save it; returns the file."""
    legend = figure.legend(loc=place, ncols=columns, fontsize=8, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    figure.savefig(folder / 'figure.svg')
    return folder / 'figure.svg'


def segmentation_bars(runs, names):
    """Figure 5: the labels of one video per dataset, as the runs of several encoders predict them.

    Args:
        runs (list[Run]): All runs, oldest first.
        names (dict): :attr:`Run.encoder` -> name.

    Returns:
        tuple[list[Picture], list[str]]: one figure per dataset; messages about those that could not be drawn.
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
    """Annotated and predicted actions of one video per dataset and encoder; see :func:`segmentation_bars`."""

    def of_dataset(dataset, files):
        contents = {name: read_localization(path) for name, path in files.items()}
        truth = next(iter(contents.values()))[0]
        common = sorted(set(truth).intersection(*(results for _, results in contents.values())))
        if not common:
            raise ValueError('the runs have no video in common')
        video = common[len(common) // 2]
        true = parse_actions(truth[video], video)
        classes = sorted(
            {action['label'] for name, actions in truth.items() for action in parse_actions(actions, name)}
        )
        pictures, caption = [], f'The video {video}.'
        if len(contents) > MAX_TIMELINES:
            caption = f'{caption} Not drawn: {", ".join(list(contents)[MAX_TIMELINES:])}.'
        for name, (_, results) in list(contents.items())[:MAX_TIMELINES]:
            found = [one for one in parse_actions(results[video], video) if one['score'] >= MIN_SCORE]
            pictures.append(_timeline(f'{TITLES.get(dataset, dataset)}, {name}', caption, found, true, classes))
        return pictures

    return _of_datasets(runs, names, 'localization', of_dataset)


def _timeline(title, caption, found, true, classes):
    duration = max((action['end'] for action in [*found, *true]), default=1.0)
    classes = sorted({*classes, *(action['label'] for action in found)})

    def draw(folder):
        draw_timeline(folder / 'timeline.svg', duration, found, true, classes=classes)
        return folder / 'timeline.svg'

    return Picture(title, as_svg(draw), caption)


def _of_datasets(runs, names, task, draw):
    """Draw the predictions of the newest run of each encoder, one dataset at a time."""
    files, pictures, problems = {}, [], []
    for run in runs:
        path = run.path.parent / PREDICTIONS
        folds = sorted(run.path.parent.glob(f'fold*/*/{PREDICTIONS}'))  # of a cross-validation
        if run.record['task'] == task and (path.is_file() or folds) and 'fold' not in run.record['protocol']:
            chosen = path if path.is_file() else folds[0]
            try:
                path_below(path.parent, chosen.relative_to(path.parent).as_posix())
            except PathError as error:
                problems.append(f'{task} of {run.record["dataset"]} is not drawn: {error}')
                continue
            files.setdefault(run.record['dataset'], {})[names[run.encoder]] = chosen
    for dataset, by_name in files.items():
        try:
            pictures += draw(dataset, by_name)
        except Exception as error:  # the files may hold anything
            problems.append(f'{task} of {dataset} is not drawn: {type(error).__name__}: {error}')
    return pictures, problems
