"""Pictures of a split's embeddings, of one or more encoders side by side (the paper's Figures 6 and 7)."""

from pathlib import Path
from typing import NamedTuple

from twlv_mm.records import write_text

from .points import NO_LABEL, choose_points, common_videos, load_points
from .projections import METHODS
from .scatter import panel, scatter_png
from .scatter_page import scatter_html, video_thumbnails


class EmbeddingPictures(NamedTuple):
    """What was drawn.

    Attributes:
        files (list[Path]): The pictures and pages.
        points (dict[str, int]): Encoder -> number of its points.
        num_classes (int): Classes among them.
        left_out (dict[str, int]): Encoder -> its videos that others lack, where there are any.
        frameless (list[tuple[str, str]]): Id and reason of each video without a thumbnail that could not be read.
    """

    files: list
    points: dict
    num_classes: int
    left_out: dict
    frameless: list


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
        seed (int): For all that is drawn by lot.
        fit_drawn (bool): As for :func:`project`.
        perplexity (float): As for :func:`project`.

    Returns:
        EmbeddingPictures: what was drawn.

    Raises:
        FileNotFoundError: as :func:`load_points` and :func:`video_thumbnails`.
        ValueError: as :func:`load_points`, :func:`choose_points`, :func:`common_videos` and :func:`project`.
    """
    loaded = {name: load_points(folder, scope, ann_file, class_names) for name, folder in encoders.items()}
    loaded, left_out = common_videos(loaded)
    chosen = {name: choose_points(points, only, exclude, num_classes, amount, seed) for name, points in loaded.items()}
    classes = next(iter(chosen.values())).classes
    if 'lda' in methods and classes == [NO_LABEL]:
        raise ValueError(
            'lda needs classes, and the embeddings have no annotations: give a list of the videos with their classes '
            '(--ann-file of the tool), or draw the others (--method pca tsne)'
        )
    thumbnails, frameless = {}, []
    if videos is not None:
        video_ids = {video_id for points in chosen.values() for video_id in points.video_ids}
        thumbnails, frameless = video_thumbnails(videos, video_ids, max_thumbnails, seed)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for method in methods:
        options = dict(perplexity=perplexity) if method == 'tsne' else dict(fit_drawn=fit_drawn)
        panels = [panel(name, points, method, seed=seed, **options) for name, points in chosen.items()]
        scatter_png(out / f'{method}.png', panels, classes)
        page = scatter_html(panels, classes, title=f'{method}: {", ".join(encoders)}', thumbnails=thumbnails)
        write_text(out / f'{method}.html', page)
        files += [out / f'{method}.png', out / f'{method}.html']
    counts = {name: len(points.labels) for name, points in chosen.items()}
    return EmbeddingPictures(files, counts, len(classes), left_out, frameless)
