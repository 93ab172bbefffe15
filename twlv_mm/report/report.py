"""The holistic report: a self-contained HTML page and a Markdown file of the results of any number of runs."""

import os
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import twlv_mm

from .embedding_panels import View, embedding_panels
from .figures import localization_timelines, segmentation_bars
from .overview import overview
from .page import write_html, write_markdown
from .paper_tables import read_paper_tables
from .run_records import find_runs, name_encoders
from .tables import direction_tables, fill_tables

PAGE, TEXT = 'report.html', 'report.md'
TITLE = 'Holistic evaluation of video encoders'
CLOCKS_DIFFER = timedelta(minutes=5)  # tolerance for machines that share a folder


class Report(NamedTuple):
    """Content of a report, for HTML and Markdown alike.

    Attributes:
        title (str): Title.
        date (str): When it was made.
        version (str): Version of twlv_mm.
        source (str): Source of the paper's numbers.
        runs (list[Run]): All runs; the page numbers them from 1.
        names (dict): :attr:`Run.encoder` -> name.
        tables (Filled): The paper's tables, filled.
        overview (list[Picture]): Figures 1 and 2.
        embeddings (list[Picture]): t-SNE and LDA.
        segmentation (list[Picture]): Bars.
        localization (list[Picture]): Timelines.
        directions (list[Table]): Direction of motion, a table per dataset.
        evaluations (list[dict]): Status of each evaluation.
        problems (list[str]): What could not be read or drawn.
        folder (Path): The folder that was searched.
    """

    title: str
    date: str
    version: str
    source: str
    runs: list
    names: dict
    tables: object
    overview: list
    embeddings: list
    segmentation: list
    localization: list
    directions: list
    evaluations: list
    problems: list
    folder: Path


def write_report(folder, out=None, title=TITLE, views=()):
    """Make the report of the results in a folder.

    Args:
        folder (str | Path): Searched for results.json with its sub-folders.
        out (str | Path, optional): Folder of report.html and report.md; ``folder`` if None.
        title (str): Title.
        views (Sequence[View]): Embeddings to draw besides those of ``twlv evaluate``.

    Returns:
        tuple[Path, Path]: the page and the Markdown file.

    Raises:
        FileNotFoundError: if the folder does not exist.
    """
    report = make_report(folder, title, views)
    out = Path(folder if out is None else out)
    out.mkdir(parents=True, exist_ok=True)
    write_html(out / PAGE, report)
    write_markdown(out / TEXT, report)
    return out / PAGE, out / TEXT


def make_report(folder, title=TITLE, views=()):
    """Read the results in a folder and draw the figures; see :func:`write_report`."""
    found = find_runs(folder)
    names = name_encoders(found.runs)
    tables = fill_tables(found.runs)
    problems = [f'{os.path.relpath(path, folder)} is left out: {reason}' for path, reason in found.rejected]
    evaluations = _told_apart(found.evaluations, folder)
    problems += [problem for content in evaluations for problem in content['left_out']]
    now = datetime.now().astimezone()
    problems += [
        f'{os.path.relpath(run.path, folder)} is dated {run.date.isoformat(" ", "minutes")}, in the future: a clock '
        'was wrong, and an older run may be shown in place of a newer one'
        for run in found.runs
        if run.date > now + CLOCKS_DIFFER
    ]
    folders = [
        View(content['encoder'], **view)
        for content in evaluations
        for view in content['views']
        if Path(view['folder']).is_dir()
    ]
    panels, no_panels = embedding_panels([*folders, *views])
    bars, no_bars = segmentation_bars(found.runs, names)
    timelines, no_timelines = localization_timelines(found.runs, names)
    return Report(
        title=title,
        date=now.isoformat(' ', 'minutes'),
        version=twlv_mm.__version__,
        source=read_paper_tables()['source'],
        runs=found.runs,
        names=names,
        tables=tables,
        overview=overview(tables),
        embeddings=panels,
        segmentation=bars,
        localization=timelines,
        directions=direction_tables(found.runs, names),
        evaluations=evaluations,
        problems=[*problems, *no_panels, *no_bars, *no_timelines],
        folder=Path(folder),
    )


def _told_apart(evaluations, folder):
    """Content of evaluations, where encoders that share a name are named by their folders (with the weights' hash)."""
    counts = Counter(content['encoder'] for _, content in evaluations)
    return [
        content if counts[content['encoder']] == 1 else content | dict(encoder=os.path.relpath(path.parent, folder))
        for path, content in evaluations
    ]
