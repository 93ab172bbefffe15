"""Plots of a split's embeddings, several encoders side by side (paper Figures 6 and 7)."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from twlv_mm.records import write_text

from .clusters import find_clusters
from .labelled_vectors import NO_LABEL, common_videos, folders_of, load_vectors, select_vectors
from .projections import METHODS, fitting_perplexity
from .scatter import panel, scatter_png
from .scatter_page import moment_of, scatter_html, video_thumbnails


class EmbeddingPlots(NamedTuple):
    """The plots of :func:`draw_embeddings`."""

    files: list[Path]  # the pictures and pages
    points: dict[str, int]  # encoder -> number of its points
    num_classes: int
    left_out: dict[str, int]  # encoder -> number of its videos that others lack, if any
    frameless: list[tuple[str, str]]  # id and reason of each video that could not be read for a thumbnail
    notes: list[str]  # messages about choices and about plots that were not drawn; the pages have them too


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
    """Draw ``<out>/<method>.png`` and ``<out>/<method>.html`` of the videos that all encoders have, side by side.

    Args:
        encoders (dict[str, str]): Name of an encoder -> folder of its embeddings.
        out (str): Folder to draw to; made if missing.
        methods (Sequence[str]): Some of ``METHODS``.
        scope, ann_file, class_names, by_folder: See :func:`load_vectors`.
        only, exclude, num_classes, amount: See :func:`select_vectors`.
        videos, max_thumbnails: The video files, for thumbnails; see :func:`video_thumbnails`.
        fit_drawn, perplexity: See :func:`project`; the perplexity is lowered if there are few points.
        clusters (int, optional): Instead of classes, show this many clusters of the first encoder's vectors.

    Raises:
        FileNotFoundError: if embeddings, a list or the videos are missing.
        ValueError: if nothing is left to draw, or 'lda' is the only method and cannot be drawn.
    """
    loaded = {name: load_vectors(folder, scope, ann_file, class_names, by_folder) for name, folder in encoders.items()}
    loaded, left_out = common_videos(loaded)
    chosen = {name: select_vectors(points, only, exclude, num_classes, amount, seed) for name, points in loaded.items()}
    medoids, notes = [], []
    if clusters is not None:
        chosen, medoids = _with_clusters(chosen, clusters, seed)
        notes.append(f'Clusters by k-means on the vectors of {next(iter(chosen))}, named by their medoids.')
    first = next(iter(chosen.values()))
    classes = first.classes
    if classes == [NO_LABEL]:
        notes += _labelling_advice(first)
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
                notes.append(f't-SNE has a perplexity of {fitting:g} instead of {perplexity:g}: there are few points.')
            options = dict(perplexity=fitting)
        try:
            if method == 'lda' and clusters is not None:
                raise ValueError('it would separate clusters that were defined by their separation')
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
    return EmbeddingPlots(files, counts, len(classes), left_out, frameless, notes)


def _with_clusters(encoders, count, seed):
    """Vectors with the clusters of the first encoder as classes, and the moments of the medoids."""
    first = next(iter(encoders.values()))
    clustered, medoids = find_clusters(first, count, seed)
    for name, points in encoders.items():
        if not np.array_equal(points.videos, first.videos):
            raise ValueError(f'{name} has other clips than {next(iter(encoders))}: clusters need the same clips')
    grouped = {
        name: points._replace(labels=clustered.labels, classes=clustered.classes, numbers=clustered.numbers)
        for name, points in encoders.items()
    }
    return grouped, [moment_of(first, row) for row in medoids]


def _labelling_advice(points):
    """A note on how to get classes."""
    folders = set(folders_of(points.video_ids).values())
    if '' not in folders and len(folders) > 1:
        shown = ', '.join(sorted(folders)[:3]) + (', …' if len(folders) > 3 else '')
        yield f'The videos have no classes, but {len(folders)} folders ({shown}): --by-folder uses these as classes.'
    else:
        yield 'The videos have no classes: --cluster K finds clusters, --ann-file LIST gives classes.'
