"""The same panels as a page that needs nothing but itself: zoom, names under the mouse, thumbnails."""

import base64
import html
import json
from pathlib import Path

import numpy as np
from rich.progress import track

from twlv_mm.engine import VideoStrips

TEMPLATE = Path(__file__).with_name('scatter.html')
# Frames of a thumbnail and their height in pixels: two to four kB each, so that 2,000 stay below 10 MB.
FRAMES, HEIGHT, QUALITY = 3, 56, 60


def scatter_html(panels, classes, *, title='', thumbnails=None):
    """A page with panels side by side.

    Args:
        panels (Sequence[Panel]): At least one.
        classes (Sequence[str]): Names of the classes.
        title (str): Of the page.
        thumbnails (dict[str, str], optional): From :func:`video_thumbnails`.

    Returns:
        str: HTML; it loads nothing from anywhere.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{html.escape(title)}</title></head>\n'
        f'<body style="margin: 16px"><h1 style="font: 600 18px system-ui, sans-serif">{html.escape(title)}</h1>\n'
        f'{scatter_fragment(panels, classes, thumbnails=thumbnails)}</body></html>\n'
    )


def scatter_fragment(panels, classes, *, thumbnails=None):
    """The panels as a part of a page, which may have several of these.

    Args:
        panels (Sequence[Panel]): As for :func:`scatter_html`.
        classes (Sequence[str]): As for :func:`scatter_html`.
        thumbnails (dict[str, str], optional): As for :func:`scatter_html`.

    Returns:
        str: a ``<div>`` with its own style and script.

    Raises:
        ValueError: if there are more classes than the page's numbers can tell apart, 65,536.
    """
    # Not before it draws, as in scatter_png.
    from matplotlib.colors import to_hex

    from twlv_mm.visualization import class_colours

    if len(classes) > 1 << 16:
        raise ValueError(f'a page shows 65,536 classes at most, these are {len(classes)}: choose some')
    video_ids = sorted({video_id for panel in panels for video_id in panel.video_ids})
    place = {video_id: index for index, video_id in enumerate(video_ids)}
    data = dict(
        classes=[
            dict(name=name, colour=to_hex(colour))
            for name, colour in zip(classes, class_colours(len(classes)), strict=True)
        ],
        videos=video_ids,
        thumbnails={place[video_id]: uri for video_id, uri in (thumbnails or {}).items() if video_id in place},
        panels=[_numbers(panel, place) for panel in panels],
    )
    # Names come from files: none may end the script that they stand in.
    text = json.dumps(data, ensure_ascii=False, separators=(',', ':')).replace('<', '\\u003c')
    return TEMPLATE.read_text(encoding='utf-8').replace('__DATA__', text)


def video_thumbnails(source, video_ids, limit=2000, seed=0):
    """Small pictures of videos: three frames side by side.

    Args:
        source (str): The video files, as for :func:`twlv_mm.embeddings.find_videos`.
        video_ids (Iterable[str]): Ids of videos.
        limit (int): Make so many at most, of videos drawn by lot.
        seed (int): For the lot.

    Returns:
        tuple[dict[str, str], list[tuple[str, str]]]: video id -> JPEG as a data URI; id and reason of each video that
        could not be read.

    Raises:
        FileNotFoundError: if there are no videos.
    """
    from twlv_mm.visualization import film_strip, jpeg_uri

    video_ids = sorted(set(video_ids))
    strips = VideoStrips(source, FRAMES)
    if len(video_ids) > limit:
        video_ids = [video_ids[place] for place in np.random.default_rng(seed).permutation(len(video_ids))[:limit]]
    found = {}
    for video_id in track(video_ids, 'thumbnails'):
        frames = strips(video_id).get('frames')
        if frames is not None:
            found[video_id] = jpeg_uri(film_strip(frames, HEIGHT), QUALITY)
    return found, strips.failures


def _numbers(panel, place):
    """A panel as the page's script reads it: coordinates as shares of the picture in 16 bits."""
    low, high = panel.xy.min(axis=0), panel.xy.max(axis=0)
    extent = high - low if panel.one_axis else np.repeat((high - low).max(), 2)
    shares = (panel.xy - (low + high) / 2) / np.maximum(extent, 1e-12) * 0.94 + 0.5
    # In an order drawn by lot, so that no class lies on top of the others.
    order = np.random.default_rng(0).permutation(len(shares))
    return dict(
        title=panel.title,
        note=panel.note,
        axes=panel.axes,
        xy=_base64((shares[order] * 65535).round(), '<u2'),
        labels=_base64(panel.labels[order], '<u2'),
        videos=_base64([place[panel.video_ids[row]] for row in order], '<u4'),
        spans=None if panel.spans is None else _base64(panel.spans[order], '<f4'),
    )


def _base64(numbers, kind):
    return base64.b64encode(np.asarray(numbers).astype(kind).tobytes()).decode()
