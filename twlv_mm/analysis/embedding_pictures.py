"""Pictures of a split's embeddings, of one or more encoders side by side (the paper's Figures 6 and 7)."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from twlv_mm.records import write_text

from .clusters import find_clusters
from .points import NO_LABEL, choose_points, common_videos, folders_of, load_points
from .projections import METHODS, fitting_perplexity
from .scatter import panel, scatter_png
from .scatter_page import moment_of, scatter_html, video_thumbnails


class EmbeddingPictures(NamedTuple):
    """What was drawn.

    Attributes:
        files (list[Path]): The pictures and pages.
        points (dict[str, int]): Encoder -> number of its points.
        num_classes (int): Classes among them.
        left_out (dict[str, int]): Encoder -> its videos that others lack, where there are any.
        frameless (list[tuple[str, str]]): Id and reason of each video without a thumbnail that could not be read.
        notes (list[str]): What was decided, and what was not drawn; the pages have them too.
    """

    files: list
    points: dict
    num_classes: int
    left_out: dict
    frameless: list
    notes: list


def draw_embeddings(
    encoders,
    out,
    methods=METHODS,
    *,
    scope='video',
    ann_file=None,
    class_names=None,
    only=None,
    exclude=None,
    num_classes=None,
    amount=None,
    videos=None,
    max_thumbnails=2000,
    seed=0,
    fit_drawn=False,
    perplexity=30,
    by_folder=False,
    clusters=None,
):
    """Draw ``<out>/<method>.png`` and ``<out>/<method>.html``, a panel an encoder, of the videos that all have.

    Args:
        encoders (dict[str, str]): Name of an encoder -> folder of its embeddings.
        out (str): Folder to draw to; made if missing.
        methods (Sequence[str]): Some of ``METHODS``.
        scope (str): As for :func:`load_points`.
        ann_file (str, optional): As for :func:`load_points`.
        class_names (str | Sequence[str], optional): As for :func:`load_points`.
        only (Sequence[str], optional): As for :func:`choose_points`.
        exclude (Sequence[str], optional): As for :func:`choose_points`.
        num_classes (int, optional): As for :func:`choose_points`.
        amount (int | float, optional): As for :func:`choose_points`.
        videos (str, optional): The video files, for thumbnails; as for :func:`video_thumbnails`.
        max_thumbnails (int): As for :func:`video_thumbnails`.
        seed (int): For all random choices.
        fit_drawn (bool): As for :func:`project`.
        perplexity (float): As for :func:`project`; lowered where there are few points.
        by_folder (bool): As for :func:`load_points`.
        clusters (int, optional): In place of classes, so many groups of the first encoder's vectors, as
            :func:`find_clusters` makes and names them.

    Returns:
        EmbeddingPictures: what was drawn.

    Raises:
        FileNotFoundError: as :func:`load_points` and :func:`video_thumbnails`.
        ValueError: as :func:`load_points`, :func:`choose_points`, :func:`common_videos`, :func:`find_clusters` and
            :func:`project`; if 'lda' is the only method and cannot be drawn.
    """
    loaded = {name: load_points(folder, scope, ann_file, class_names, by_folder) for name, folder in encoders.items()}
    loaded, left_out = common_videos(loaded)
    chosen = {name: choose_points(points, only, exclude, num_classes, amount, seed) for name, points in loaded.items()}
    medoids, notes = [], []
    if clusters is not None:
        chosen, medoids = _grouped(chosen, clusters, seed)
        notes.append(
            f'Groups by k-means on the vectors of {next(iter(chosen))}, named by what is nearest to their centres.'
        )
    first = next(iter(chosen.values()))
    classes = first.classes
    if classes == [NO_LABEL]:
        notes += _offers(first)
    thumbnails, frameless = {}, []
    if videos is not None:
        moments = {moment_of(points, row) for points in chosen.values() for row in range(len(points.labels))}
        thumbnails, frameless = video_thumbnails(videos, moments, max_thumbnails, seed, first=medoids)
    panels = {}
    for method in methods:
        options = dict(fit_drawn=fit_drawn)
        if method == 'tsne':
            fitting = fitting_perplexity(perplexity, min(len(points.labels) for points in chosen.values()))
            if fitting < perplexity:
                notes.append(f't-SNE has a perplexity of {fitting:g}, not {perplexity:g}: there are few points.')
            options = dict(perplexity=fitting)
        try:
            if method == 'lda' and clusters is not None:
                raise ValueError('it would separate groups that were made by what separates them')
            panels[method] = [panel(name, points, method, seed=seed, **options) for name, points in chosen.items()]
        except ValueError as error:
            if method != 'lda' or len(methods) == 1:
                raise
            notes.append(f'lda is not drawn: {error}.')
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    files = []
    unlabelled = clusters is not None or classes == [NO_LABEL]
    for method, those in panels.items():
        scatter_png(out / f'{method}.png', those, classes)
        page = scatter_html(
            those,
            classes,
            title=f'{method}: {", ".join(encoders)}',
            thumbnails=thumbnails,
            notes=notes,
            pictures=unlabelled,
            medoids=medoids,
        )
        write_text(out / f'{method}.html', page)
        files += [out / f'{method}.png', out / f'{method}.html']
    counts = {name: len(points.labels) for name, points in chosen.items()}
    return EmbeddingPictures(files, counts, len(classes), left_out, frameless, notes)


def _grouped(encoders, count, seed):
    """Points of encoders with the groups of the first one as classes, and the moments that stand for the groups."""
    first = next(iter(encoders.values()))
    found = find_clusters(first, count, seed)
    for name, points in encoders.items():
        if not np.array_equal(points.videos, first.videos):
            raise ValueError(f'{name} has other clips than {next(iter(encoders))}: groups are shown of the same ones')
    grouped = {
        name: points._replace(labels=found.points.labels, classes=found.points.classes, numbers=found.points.numbers)
        for name, points in encoders.items()
    }
    return grouped, [moment_of(first, row) for row in found.medoids]


def _offers(points):
    """What can be done where videos have no classes."""
    folders = set(folders_of(points.video_ids).values())
    if '' not in folders and len(folders) > 1:
        shown = ', '.join(sorted(folders)[:3]) + (', …' if len(folders) > 3 else '')
        yield f'The videos have no classes, but {len(folders)} folders ({shown}): --by-folder makes these classes.'
    else:
        yield 'The videos have no classes: --cluster K finds groups, --ann-file LIST gives classes.'
