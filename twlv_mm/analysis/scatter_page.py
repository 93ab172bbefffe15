"""Scatter plots as a self-contained page with zoom, tooltips and thumbnails."""

import base64
import html
import json
from pathlib import Path

import numpy as np
from matplotlib.colors import to_hex

from twlv_mm.embeddings.progress import track
from twlv_mm.inference import VideoStrips
from twlv_mm.visualization import class_colours, film_strip, jpeg_uri

TEMPLATE = Path(__file__).with_name('scatter.html')
# Frames of a thumbnail, their height in pixels and their JPEG quality: two to four kB each, 2,000 below 10 MB.
FRAMES, HEIGHT, QUALITY = 3, 56, 60
NOTE = 'font: 14px/1.4 system-ui, sans-serif; color: #444; margin: 2px 0; max-width: 80ch'


def scatter_html(panels, classes, *, title='', thumbnails=None, notes=(), pictures=False, medoids=()):
    """A self-contained page with a title, notes and :func:`scatter_fragment`."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{html.escape(title)}</title></head>\n'
        f'<body style="margin: 16px"><h1 style="font: 600 18px system-ui, sans-serif">{html.escape(title)}</h1>\n'
        + ''.join(f'<p style="{NOTE}">{html.escape(note)}</p>\n' for note in notes)
        + scatter_fragment(panels, classes, thumbnails=thumbnails, pictures=pictures, medoids=medoids)
        + '</body></html>\n'
    )


def scatter_fragment(panels, classes, *, thumbnails=None, pictures=False, medoids=()):
    """Panels side by side as a ``<div>`` with its own style and script; a page may have several.

    Args:
        panels (Sequence[Panel]): At least one.
        classes (Sequence[str]): Names of the classes; at most 65,536.
        thumbnails (dict, optional): From :func:`video_thumbnails`.
        pictures (bool): Whether the plot initially shows thumbnails where there is room.
        medoids (Sequence): The moments, keys of ``thumbnails``, that represent the classes.
    """
    if len(classes) > 1 << 16:
        raise ValueError(f'{len(classes)} classes are too many for a page, which shows 65,536: select some of them')
    video_ids = sorted({video_id for panel in panels for video_id in panel.video_ids})
    place = {video_id: index for index, video_id in enumerate(video_ids)}
    thumbnails = thumbnails or {}
    number_of = {moment: number for number, moment in enumerate(thumbnails, 1)}
    standing = [number_of.get(moment, 0) for moment in medoids] or [0] * len(classes)
    data = dict(
        classes=[
            dict(name=name, colour=to_hex(colour), picture=picture)
            for name, colour, picture in zip(classes, class_colours(len(classes)), standing, strict=True)
        ],
        videos=video_ids,
        thumbnails=list(thumbnails.values()),
        frames=FRAMES,
        pictures=pictures and bool(thumbnails),
        panels=[_numbers(panel, place, number_of) for panel in panels],
    )
    # Names come from files and must not end the script element.
    text = json.dumps(data, ensure_ascii=False, separators=(',', ':')).replace('<', '\\u003c')
    return TEMPLATE.read_text(encoding='utf-8').replace('__DATA__', text)


def video_thumbnails(source, moments, limit=2000, seed=0, first=()):
    """Thumbnails of videos, or of parts of them: three frames side by side.

    Args:
        source (str): The video files, as for :func:`twlv_mm.embeddings.find_videos`.
        moments (Iterable[str] | Iterable[tuple]): Video ids; or id, start and end in seconds.
        limit (int): Maximum number of thumbnails; more moments are sampled at random with ``seed``.
        first (Sequence): Moments that get a thumbnail in any case.

    Returns:
        tuple[dict, list[tuple[str, str]]]: moment -> JPEG as a data URI; id and reason of each video that could not be
        read.
    """
    moments = sorted(set(moments))
    strips = VideoStrips(source, FRAMES)
    if len(moments) > limit:
        drawn = [moments[place] for place in np.random.default_rng(seed).permutation(len(moments))]
        moments = list(dict.fromkeys([*first, *drawn]))[: max(limit, len(first))]
    found = {}
    for moment in track(moments, 'thumbnails'):
        frames = strips(*(moment if isinstance(moment, tuple) else (moment,))).get('frames')
        if frames is not None:
            frames = frames[np.linspace(0, len(frames) - 1, FRAMES).round().astype(int)]  # short videos repeat some
            found[moment] = jpeg_uri(film_strip(frames, HEIGHT), QUALITY)
    return found, strips.failures


def moment_of(points, row):
    """Key of a point's thumbnail: its video, with start and end if it is a clip."""
    video_id = points.video_ids[points.videos[row]]
    return video_id if points.spans is None else (video_id, *map(float, points.spans[row]))


def _numbers(panel, place, number_of):
    """A panel in the form of the page's script: coordinates as fractions of the plot in 16 bits."""
    low, high = panel.xy.min(axis=0), panel.xy.max(axis=0)
    extent = high - low if panel.one_axis else np.repeat((high - low).max(), 2)
    shares = (panel.xy - (low + high) / 2) / np.maximum(extent, 1e-12) * 0.94 + 0.5
    # In random order, so that no class covers the others.
    order = np.random.default_rng(0).permutation(len(shares))
    return dict(
        title=panel.title,
        note=panel.note,
        axes=panel.axes,
        xy=_base64((shares[order] * 65535).round(), '<u2'),
        labels=_base64(panel.labels[order], '<u2'),
        videos=_base64([place[panel.video_ids[row]] for row in order], '<u4'),
        pictures=number_of and _base64([_picture(panel, row, number_of) for row in order], '<u4'),
        spans=None if panel.spans is None else _base64(panel.spans[order], '<f4'),
    )


def _picture(panel, row, number_of):
    """Number of a point's thumbnail, from 1: its clip's or else its video's; 0 if neither has one."""
    video_id = panel.video_ids[row]
    of_clip = None if panel.spans is None else number_of.get((video_id, *map(float, panel.spans[row])))
    return of_clip or number_of.get(video_id, 0)


def _base64(numbers, kind):
    return base64.b64encode(np.asarray(numbers).astype(kind).tobytes()).decode()
