"""The holistic report: one self-contained HTML page and a Markdown file from the results of any number of runs."""

import os
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import twlv_mm

from .paper_tables import read_paper_tables
from .report_embeddings import View, embedding_panels
from .report_figures import appearance_and_motion, localization_timelines, radar, segmentation_bars
from .report_layouts import LAYOUTS
from .report_page import write_html, write_markdown
from .report_tables import direction_tables, fill_tables
from .run_records import find_runs, name_encoders

PAGE, TEXT = 'report.html', 'report.md'
TITLE = 'Holistic evaluation of video encoders'


class Report(NamedTuple):
    """What a report says; the page and the Markdown say the same.

    Attributes:
        title (str): Of the page.
        date (str): When it was made.
        version (str): Of twlv_mm.
        source (dict): Of the paper's numbers: its title, and the tables that cannot be read.
        runs (list[Run]): All of them; a number in the page is the place, from 1.
        names (dict): What their encoders are called.
        tables (Filled): The tables.
        overview (list[Picture]): Figures 1 and 2.
        embeddings (list[Picture]): t-SNE and LDA.
        segmentation (list[Picture]): Bars.
        localization (list[Picture]): Timelines.
        directions (list[Table]): Of the direction of motion, a table a data set.
        evaluations (list[dict]): How far each evaluation of an encoder is.
        problems (list[str]): What could not be read or drawn.
        folder (Path): What was searched.
    """

    title: str
    date: str
    version: str
    source: dict
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
        out (str | Path, optional): Folder to write report.html and report.md to; the same if None.
        title (str): What stands above.
        views (Sequence[View]): Embeddings to show, beside those of tools/evaluate_all.py.

    Returns:
        tuple[Path, Path]: the page and the Markdown file.

    Raises:
        FileNotFoundError: if there is no such folder.
    """
    report = make_report(folder, title, views)
    out = Path(folder if out is None else out)
    out.mkdir(parents=True, exist_ok=True)
    write_html(out / PAGE, report)
    write_markdown(out / TEXT, report)
    return out / PAGE, out / TEXT


def make_report(folder, title=TITLE, views=()):
    """Read the results in a folder and draw the figures.

    Args:
        folder (str | Path): As for :func:`write_report`.
        title (str): Of the report.
        views (Sequence[View]): As for :func:`write_report`.

    Returns:
        Report: what the files are written from.

    Raises:
        FileNotFoundError: if there is no such folder.
    """
    found = find_runs(folder)
    names = name_encoders(found.runs)
    tables = fill_tables(found.runs)
    problems = [f'{os.path.relpath(path, folder)} is left out: {reason}' for path, reason in found.rejected]
    evaluations = _told_apart(found.evaluations, folder)
    folders = [
        View(content['encoder'], **view)
        for content in evaluations
        for view in content['views']
        if Path(view['folder']).is_dir()
    ]
    panels, no_panels = embedding_panels([*folders, *views])
    bars, no_bars = segmentation_bars(found.runs, names)
    timelines, no_timelines = localization_timelines(found.runs, names)
    published = read_paper_tables()
    return Report(
        title=title,
        date=datetime.now().astimezone().isoformat(' ', 'minutes'),
        version=twlv_mm.__version__,
        source=dict(name=published['source'], unreadable=published['unreadable']),
        runs=found.runs,
        names=names,
        tables=tables,
        overview=_overview(tables),
        embeddings=panels,
        segmentation=bars,
        localization=timelines,
        directions=direction_tables(found.runs, names),
        evaluations=evaluations,
        problems=[*problems, *no_panels, *no_bars, *no_timelines],
        folder=Path(folder),
    )


def _told_apart(evaluations, folder):
    """What evaluations say; those whose encoders share a name are called by their folders, which have the weights."""
    counts = Counter(content['encoder'] for _, content in evaluations)
    return [
        content if counts[content['encoder']] == 1 else content | dict(encoder=os.path.relpath(path.parent, folder))
        for path, content in evaluations
    ]


def _overview(tables):
    """Figures 1 and 2, for the paper's sets and for generated ones; those without a measured number are left out."""
    recognition = [layout.number for layout in LAYOUTS if layout.task.startswith('recognition')]
    probes = [table for table in tables.generated if table.key.rpartition('-')[2] in recognition]
    pictures = [
        radar(tables.generated, 'All tasks, generated videos', "As the paper's Figure 1. In percent."),
        appearance_and_motion(
            probes,
            ['Appearance'],
            ['Motion'],
            'Appearance against motion, generated videos',
            "As the paper's Figure 2: 8 classes each, chance is 12.5 %.",
        ),
    ]
    pictures += [
        radar(
            tables.paper,
            'All tasks, sets of the paper',
            "As the paper's Figure 1, with the numbers of its tables that can be read. Dashed: the paper's.",
        ),
        appearance_and_motion(
            [table for table in tables.paper if table.key in ('paper-3', 'paper-5')],
            ['K400', 'MiT'],
            ['SSv2', 'DV48'],
            'Appearance against motion, sets of the paper',
            "As the paper's Figure 2: means of K400 and MiT against those of SSv2 and DV48. Hollow: the paper's rows.",
        ),
    ]
    return [picture for picture in pictures if picture is not None]
