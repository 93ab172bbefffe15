"""The report's plots of embeddings: t-SNE and LDA (paper Figures 6 and 7), forward and reversed (Figures 8 and 9)."""

import re
from typing import NamedTuple

from twlv_mm.analysis import (
    common_videos,
    fitting_perplexity,
    load_pairs,
    load_vectors,
    panel,
    scatter_fragment,
    select_vectors,
)
from twlv_mm.embeddings import EmbeddingFolder

from .figures import Picture
from .table_layouts import DAGGER, HOLDS

# Limits keep the page small and its colours distinguishable.
MAX_POINTS, MAX_CLASSES = 2000, 20
METHODS = {'tsne': 't-SNE', 'lda': 'LDA'}
# SSv2's classes in the paper's Figures 8 and 9; for other datasets, the first class whose name has the word.
DIRECTIONS = {'Moving something up': ('Figure 8', 'up'), 'Moving something down': ('Figure 9', 'down')}
SEEN = {'K400': HOLDS['kinetics400'], 'SSv2': ('ssv2',)}  # title -> datasets that contain its training data
FIGURES = {'K400': ('Figure 6', 'all videos of all classes'), 'SSv2': ('Figure 7', 'half of the videos, all classes')}


class View(NamedTuple):
    """Embeddings to draw.

    Attributes:
        encoder (str): Title of the panel.
        title (str): Name of the data; views of one title are drawn side by side.
        folder (str): ``<out>/<sampling>/<split>``.
        ann_file (str | None): Videos and classes; the embeddings' annotations if None.
        class_names (str | None): File of class names.
    """

    encoder: str
    title: str
    folder: str
    ann_file: str | None = None
    class_names: str | None = None


def embedding_panels(views):
    """Draw views: projections of each title, and forward against reversed videos where both are there.

    Returns:
        tuple[list[Picture], list[str]]: the figures; messages about views that could not be drawn.
    """
    pictures, problems = [], []
    for title in dict.fromkeys(view.title for view in views):
        those = [view for view in views if view.title == title]
        for draw in (_projections, _directions):
            try:
                pictures += draw(title, those)
            except Exception as error:  # the files may hold anything
                problems.append(f'the embeddings of {title} are not drawn: {type(error).__name__}: {error}')
    return pictures, problems


def _projections(title, views):
    loaded = {_marked(view): load_vectors(view.folder, 'video', view.ann_file, view.class_names) for view in views}
    loaded, _ = common_videos(loaded)
    chosen = {
        encoder: select_vectors(points, num_classes=MAX_CLASSES, amount=min(MAX_POINTS, _count(points)))
        for encoder, points in loaded.items()
    }
    caption = _choice(next(iter(loaded.values())), next(iter(chosen.values())))
    classes = next(iter(chosen.values())).classes
    perplexity = fitting_perplexity(30, min(map(_count, chosen.values())))
    for method, name in METHODS.items():
        options = dict(perplexity=perplexity) if method == 'tsne' else {}
        panels = [panel(encoder, points, method, **options) for encoder, points in chosen.items()]
        figure, theirs = FIGURES.get(title, (None, None))
        also = f" The paper's {figure} shows {theirs}." if figure and method == 'tsne' else ''
        yield Picture(f'{title}, {name}', _card(panels, classes), caption + also)


def _choice(points, chosen):
    """A sentence on which points are drawn."""
    theirs = len(points.classes), _count(points)
    ours = len(chosen.classes), _count(chosen)
    if ours == theirs:
        return f'All {ours[1]} videos of all {ours[0]} classes.'
    return (
        f'{ours[1]} of {theirs[1]} videos and {ours[0]} of {theirs[0]} classes, chosen at random with seed 0, the same '
        'for every encoder.'
    )


def _marked(view):
    """The name of an encoder, with a dagger if the dataset was in its pretraining."""
    folder = EmbeddingFolder(view.folder)
    sets = folder.info(folder.video_ids[0]).get('pretraining_sets')
    wanted = SEEN.get(view.title, ())
    return view.encoder + DAGGER * (isinstance(sets, list) and any(name in wanted for name in sets))


def _directions(title, views):
    pairs = {}
    for view in views:
        try:
            pairs[_marked(view)] = load_pairs(view.folder, view.ann_file, view.class_names)
        except FileNotFoundError:
            return  # no reversed videos
    names = next(iter(pairs.values())).forward.classes
    for wanted, (figure, word) in DIRECTIONS.items():
        holding = (name for name in names if re.search(rf'\b{word}\b', name))
        shown = wanted if wanted in names else next(holding, None)
        if shown is None:
            continue
        of_class = {encoder: its.of_class(shown) for encoder, its in pairs.items()}
        panels = [panel(encoder, points, 'lda') for encoder, points in of_class.items()]
        classes = next(iter(of_class.values())).classes
        caption = f"As the paper's {figure}" + ('.' if shown == wanted else f', which shows {wanted!r} of SSv2.')
        yield Picture(f'{title} {shown!r}, forward and reversed, LDA', _card(panels, classes), caption)


def _count(points):
    return len(points.labels)


def _card(panels, classes):
    return f'<div class="card">{scatter_fragment(panels, classes)}</div>'
