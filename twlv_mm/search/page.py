"""Search results as one self-contained page: a film strip and a film for each moment."""

import html
from pathlib import Path

from twlv_mm.embeddings.progress import track
from twlv_mm.records.checks import printable
from twlv_mm.video import VideoError

from .excerpts import read_excerpt

TEMPLATE = Path(__file__).with_name('page.html')


class Pictures:
    """Reads the excerpts for a page and collects failures.

    Args:
        files (VideoFiles): The video files.

    Attributes:
        failures (list[tuple[str, str]]): Id and reason of each moment that could not be shown.
    """

    def __init__(self, files):
        self.files = files
        self.failures = []

    def card(self, title, right, video_id, start, end, video=None):
        """A moment as HTML, with a title and a text on the right of it; ``video`` is its file (Video), if known."""
        head = f'<div class="name"><b>{escape(title)}</b><span>{escape(right)}</span></div>'
        try:
            shown = read_excerpt(video or self.files(video_id), start, end)
        except (VideoError, FileNotFoundError) as error:
            self.failures.append((video_id, str(error)))
            lines = f'{_seconds(start)} to {_seconds(end)} s; no frames: {escape(str(error))}'
            return f'<div class="card">{head}<p class="soft">{lines}</p></div>'
        pictures = f'<img src="{shown.strip}" alt="frames of {escape(title)}">'
        if shown.film:
            attributes = f'src="{shown.film}" poster="{shown.poster}"'
            pictures += f'<video {attributes} controls loop muted playsinline preload="none"></video>'
        note = '' if shown.whole else f'; the film is from {_seconds(shown.start)} to {_seconds(shown.end)} s'
        when = f'<p class="soft">{_seconds(start)} to {_seconds(end)} s{note}</p>'
        return f'<div class="card">{head}{pictures}{when}</div>'


def answer_page(answer, files):
    """The page of a search.

    Args:
        answer (Answer): The result.
        files (VideoFiles): The collection's video files.

    Returns:
        tuple[str, list[tuple[str, str]]]: self-contained HTML; id and reason of each moment that could not be shown.
    """
    pictures, query = Pictures(files), answer.query
    body = [
        f'<h1>Moments like {escape(query.name)}</h1>',
        f'<p class="soft">{answer.num_clips:,} clips of {answer.num_videos:,} videos were compared by cosine'
        f'{f"; {len(answer.missing):,} videos of the collection are not embedded" if answer.missing else ""}.</p>',
    ]
    if query.video is not None:
        clips = 'one clip' if query.num_clips == 1 else f'mean of {query.num_clips} clips'
        card = pictures.card('The query', clips, query.name, query.start, query.end, query.video)
        body.append(f'<div class="cards">{card}</div>')
    for view, hits in answer.hits.items():
        title = 'Nearest moments' if view == 'forward' else 'Nearest to the query played backwards'
        typical = f'The median cosine of the collection with the query is {answer.typical_cosine[view]:.3f}.'
        cards = [
            pictures.card(f'{rank}. {hit.video_id}', f'{hit.cosine:.4f}', hit.video_id, hit.start, hit.end)
            for rank, hit in enumerate(track(hits, f'page, {view}'), 1)
        ]
        body.append(f'<h2>{title}</h2><p class="soft">{typical}</p><div class="cards">{"".join(cards)}</div>')
    if len(answer.hits) == 2:
        same = 'is the same' if answer.same_best else 'is a different one'
        common = f'{answer.common} of the {len(answer.hits["forward"])} moments were found for both'
        body.insert(2, f'<p>The best moment for the query played backwards {same}; {common}.</p>')
    return _page(f'Moments like {query.name}', body), pictures.failures


def duplicates_page(pairs, title, files, other_files):
    """The page of duplicate videos, with a title; returns as :func:`answer_page`.

    Args:
        pairs (list[Pair]): From :func:`find_duplicates`.
        title (str): Title of the page.
        files (VideoFiles): Files of the first video of each pair.
        other_files (VideoFiles): Files of the second.
    """
    first, second = Pictures(files), Pictures(other_files)
    body = [f'<h1>{escape(title)}</h1>', f'<p class="soft">{len(pairs):,} pairs are shown.</p>', '<div class="cards">']
    for pair in track(pairs, 'page'):
        left = first.card(pair.video_id, '', pair.video_id, *pair.moment)
        right = second.card(pair.other_id, '', pair.other_id, *pair.other_moment)
        told = f'cosine {pair.cosine:.4f}; {pair.share:.0%} of the shorter video is matched'
        body.append(f'<div class="pair"><p>{escape(told)}</p>{left}{right}</div>')
    return _page(title, [*body, '</div>']), first.failures + second.failures


def escape(text):
    """HTML-escape a text, including file names that are not UTF-8."""
    return html.escape(printable(text))


def _page(title, body):
    page = TEMPLATE.read_text(encoding='utf-8')
    return page.replace('__TITLE__', escape(title)).replace('__BODY__', '\n'.join(body))


def _seconds(seconds):
    return f'{seconds:.2f}'.rstrip('0').rstrip('.')
