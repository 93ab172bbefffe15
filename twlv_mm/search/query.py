"""Queries as vectors that are comparable with a collection's."""

import math
import os
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from twlv_mm.embeddings import (
    EmbeddingFolder,
    Extractor,
    SharedBatches,
    Video,
    aliases_of,
    bundled_weights,
    frozen_encoder,
    named_source,
    sampling_options,
)
from twlv_mm.encoders import describe, encoder_in, is_config, read_config
from twlv_mm.video import ReadFault, Segment, VideoError, read_ahead

from .image_files import is_picture, still_stream

VIEWS = ('forward', 'reversed')
# Settings that a query must share with the folder.
SHARED = (
    *('model', 'source', 'weights_sha256', 'sampling', 'clip_seconds', 'stride_seconds', 'frames_per_clip', 'size'),
    *('resize', 'interpolation', 'pooling', 'overrides'),
)


class Query(NamedTuple):
    """Something to search for."""

    name: str  # as the user gave it
    vectors: dict[str, np.ndarray]  # for 'forward', and 'reversed' if requested: (D,) float32, the mean over its clips
    start: float | None  # seconds since the first frame of its video; None for a text
    end: float | None  # as start
    num_clips: int  # number of clips in the mean
    video: Video | None  # its file, if known
    own: frozenset[str]  # ids of the collection's videos that it comes from


def query_extractor(collection, model=None, weights=None, device=None):
    """The Extractor for queries, with the encoder and settings of a collection.

    Args:
        collection (Collection | IndexedCollection): The collection.
        model (str | nn.Module, optional): SOURCE, a config, or an encoder; the folder's own by default.
        weights (str, optional): Its checkpoint; by default the source's or this package's own.
        device (str, optional): Where to encode; a GPU if there is one.
    """
    settings = collection.settings
    options = sampling_options(settings) | dict(device=device, precision=_precision(settings, device))
    if model is None:
        model = named_source(settings, collection.path)
        sha256 = settings.get('weights_sha256')
        if weights is None and sha256 is not None and ':' not in model:
            weights = bundled_weights(model, settings)
            if weights is None:
                raise ValueError(
                    f'{collection.path} was made by {model} with the weights of SHA-256 {sha256[:12]}…: give that '
                    'file (--weights)'
                )
    if isinstance(model, str):
        model = _of_config(model, weights) if is_config(model) else _of_source(model, weights, settings.get('size'))
    pooling = settings.get('pooling')
    if pooling == model.spec.pooling and collection.dims == model.spec.embedding_dims:
        pooling = None  # the architecture's own, which may project
    extractor = Extractor(model, pooling=pooling, **options)
    theirs = extractor.settings
    differing = [key for key in SHARED if theirs.get(key) != settings.get(key)]
    if differing:
        named = '; '.join(f'{key} is {settings.get(key)!r} there, {theirs.get(key)!r} here' for key in differing)
        raise ValueError(
            f'{collection.path} was made with another encoder or other settings, so that cosines would be meaningless: '
            f'{named}. Give the encoder that made it (--model, --weights)'
        )
    return extractor


def embed_query(path, collection, extractor, start=None, end=None, *, reverse=False, own=None, decoder=None):
    """Embed a video, a part of one, or an image as a :class:`Query`.

    Args:
        path (str): The file.
        collection (Collection | IndexedCollection): The collection.
        extractor (Extractor): From :func:`query_extractor`.
        start, end (float, optional): Seconds since the first frame; by default those of the video.
        reverse (bool): Whether to also embed its clips backwards.
        own (Iterable[str], optional): Ids of the collection's videos that it comes from; by its name if None.
        decoder (str, optional): As for :func:`twlv_mm.video.open_video`.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f'file {path} does not exist')
    segment = None
    if (start, end) != (None, None):
        segment = (start or 0.0, math.inf if end is None else end)
        if not 0 <= segment[0] < segment[1]:
            raise ValueError(f'the query is from {segment[0]:g} to {segment[1]:g} s: it must end after it starts')
    if is_picture(path):
        if segment:
            raise ValueError(f'{path} is an image: leave start and end out')
        streams = [still_stream(path, extractor.sampling)]
    else:
        source = Segment(os.fspath(path), *segment) if segment else os.fspath(path)
        streams = read_ahead([source], extractor.sampling, workers=0, decoder=decoder)
    # Same batches as in an extraction, filled up with blank clips: vectors are bit-identical.
    (found,) = SharedBatches(extractor, VIEWS if reverse or _is_reversed(collection) else VIEWS[:1])(streams)
    fault = found if isinstance(found, ReadFault) else found.fault
    if fault is not None:
        raise VideoError(str(fault))
    first = segment[0] if segment else 0.0
    if own is None:
        stem = Path(path).stem
        own = [video_id for video_id in collection.video_ids if stem in aliases_of(video_id)]
    return Query(
        os.fspath(path),
        {view: found.clips[_turned(view, collection)].mean(axis=0) for view in VIEWS[: 1 + reverse]},
        first,
        first + found.duration,
        len(found.times),
        Video(Path(path).stem, os.fspath(path)),
        frozenset(own),
    )


def stored_query(name, collection, start=None, end=None, *, reverse=False, files=None):
    """A :class:`Query` from one, several or all clips of a video in the collection.

    Args:
        name (str): Id of a video; or ``VIDEO_ID#NUMBER``, one of its clips, from 0.
        collection (Collection | IndexedCollection): The collection.
        start, end (float, optional): Only clips centred in this range, in seconds.
        reverse (bool): Whether to also use the same clips backwards, from ``<sampling>-reversed`` beside
            ``<sampling>``.
        files (VideoFiles, optional): The video files.
    """
    video_id, number = name, None
    if name not in collection and '#' in name:
        video_id, _, number = name.rpartition('#')
    times, stored = collection.clips(video_id)
    if number is not None:
        if not number.isdigit() or int(number) >= len(times):
            raise ValueError(f'{video_id} has clips 0 to {len(times) - 1}, but {name} asks for clip {number}')
        chosen = np.array([int(number)])
    else:
        centres = times.mean(axis=1)
        low, high = (-math.inf if start is None else start), (math.inf if end is None else end)
        chosen = np.flatnonzero((centres >= low) & (centres < high))
        if not len(chosen):
            raise ValueError(f'{video_id} has no clip centred between {low:g} and {high:g} s')
    vectors = dict(forward=stored[chosen].mean(axis=0))
    if reverse:
        vectors['reversed'] = _reversed_clips(collection, video_id)[chosen].mean(axis=0)
    video = None
    if files is not None:
        try:
            video = files(video_id)
        except FileNotFoundError as error:
            warnings.warn(f'the query {video_id} is shown without frames: {error}', stacklevel=2)
    first, last = float(times[chosen[0], 0]), float(times[chosen[-1], 1])
    return Query(name, vectors, first, last, len(chosen), video, frozenset([video_id]))


def _reversed_clips(collection, video_id):
    path = Path(os.path.abspath(collection.path))
    sampling = path.parent.name
    other = sampling.removesuffix('-reversed') if _is_reversed(collection) else f'{sampling}-reversed'
    beside = path.parent.parent / other / path.name
    try:
        clips = EmbeddingFolder(beside).clips(video_id)
    except (FileNotFoundError, ValueError) as error:
        raise FileNotFoundError(
            f'no clips of {video_id} in the other direction ({error}): extract with --views '
            'forward,reversed, or give the video file as the query'
        ) from None
    if len(clips) != len(collection.clips(video_id)[0]):
        raise ValueError(f'{beside} has other clips of {video_id} than {path}: extract both with the same settings')
    return clips


def _is_reversed(collection):
    return collection.settings.get('view') == 'reversed'


def _turned(view, collection):
    """The view to encode a query in: a folder of reversed clips is searched with reversed clips."""
    return VIEWS[(view == 'reversed') != _is_reversed(collection)]


def _precision(settings, device):
    precision = settings.get('precision') or 'fp32'
    on_cpu = (device or ('cuda' if torch.cuda.is_available() else 'cpu')) == 'cpu'
    if precision == 'fp16' and on_cpu:
        warnings.warn('the folder was made in fp16 on a GPU: the query is encoded in fp32', stacklevel=4)
        return 'fp32'
    return precision


def _of_config(path, weights):
    cfg = read_config(path)
    source, overrides = encoder_in(cfg, path)
    return frozen_encoder(source, weights or cfg.get('encoder_weights'), **overrides)


def _of_source(source, weights, size):
    """The encoder, with the folder's input size."""
    overrides = {} if size in (None, describe(source).img_size) else dict(img_size=size)
    return frozen_encoder(source, weights, **overrides)
