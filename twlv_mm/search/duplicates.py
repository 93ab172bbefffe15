"""Duplicate videos, by the cosines of their clips."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from twlv_mm.embeddings import check_comparable, shared_settings
from twlv_mm.embeddings.progress import track

from .collection import Collection

ROWS = 4096  # clips on either side of a block of comparisons
# Measured on planted copies (docs/results.md): about one wrong pair for two right ones.
THRESHOLD = 0.98
# Some encoders give all videos nearly the same vector. With the mean subtracted, one threshold works for all encoders;
# but the mean of few videos would be dominated by the copies.
LEAST_CENTRED = 20
MOST_MATCHES = 5_000_000  # of clips: with more, the threshold does not discriminate


class Pair(NamedTuple):
    """Two videos that show the same."""

    video_id: str  # the first video
    other_id: str  # the second video
    cosine: float  # of their two nearest clips, after subtraction of the collection's mean
    share: float  # fraction of the shorter one's clips that match the other
    moment: tuple[float, float]  # start and end of the match in the first, seconds since its first frame
    other_moment: tuple[float, float]  # the same in the second


def find_duplicates(folder, other=None, threshold=THRESHOLD):
    """Find duplicate videos within one collection, or between two.

    All clips are compared, so that partial copies are found. With 20 or more videos, the mean of the collection is
    subtracted from all vectors first.

    Args:
        folder (str | Collection): Embeddings in either format, ``<out>/<sampling>/<split>``.
        other (str | Collection, optional): A second collection made with the same settings: pairs then have one video
            of each.
        threshold (float): Minimum cosine of two matching clips.

    Returns:
        list[Pair]: sorted by share, then by cosine.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f'threshold={threshold}: give a cosine above 0 and at most 1')
    one = folder if isinstance(folder, Collection) else Collection(folder)
    two = one if other is None else other if isinstance(other, Collection) else Collection(other)
    if two is not one:
        check_comparable(*(_meta(collection) for collection in (one, two)))
    rows, others, cosines = _matches(one, two, threshold, _mean(one, two))
    videos = np.stack([one.video_index[rows], two.video_index[others]], axis=1)
    order = np.lexsort((videos[:, 1], videos[:, 0]))
    starts = np.flatnonzero(np.r_[True, (np.diff(videos[order], axis=0) != 0).any(axis=1)]) if len(order) else []
    pairs = [_pair(one, two, rows[part], others[part], cosines[part]) for part in np.split(order, starts)[1:]]
    return sorted(pairs, key=lambda pair: (-pair.share, -pair.cosine, pair.video_id, pair.other_id))


def _mean(one, two):
    if len(one.video_ids) + (two is not one) * len(two.video_ids) < LEAST_CENTRED:
        return torch.zeros(one.vectors.shape[1])
    return torch.from_numpy(np.concatenate([one.sample, two.sample])).mean(dim=0)


def _matches(one, two, threshold, mean):
    """Rows of both and the cosine of each pair of matching clips of different videos."""
    found, count = [], 0
    for start in track(range(0, len(one), ROWS), 'comparing'):
        queries = _block(one, start, mean)
        # Within one collection, compare videos only with later ones.
        for begin in range(start if two is one else 0, len(two), ROWS):
            values = queries @ _block(two, begin, mean).T
            row, place = (part.numpy() for part in (values >= threshold).nonzero(as_tuple=True))
            if two is one:
                later = one.video_index[start + row] < one.video_index[begin + place]
                row, place = row[later], place[later]
            found.append((start + row, begin + place, values[row, place].numpy()))
            count += len(row)
            if count > MOST_MATCHES:
                raise ValueError(
                    f'more than {MOST_MATCHES:,} pairs of clips have a cosine of {threshold:g} or more: it does not '
                    'separate copies from other videos with this encoder; set a higher threshold'
                )
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


def _block(collection, start, mean):
    rows = torch.from_numpy(np.array(collection.vectors[start : start + ROWS]))
    if not rows.isfinite().all():
        row = start + int((~rows.isfinite().all(dim=1)).nonzero()[0])
        raise ValueError(
            f'{collection.video_of(row)} in {collection.folder.path} contains NaN or Inf: extract it again'
        )
    return F.normalize(rows - mean, dim=1)


def _pair(one, two, rows, others, cosines):
    sides = []
    for collection, matched in ((one, rows), (two, others)):
        video_id = collection.video_of(matched[0])
        clips = np.unique(matched - collection.rows(video_id).start)
        times = collection.times(video_id)
        sides.append((video_id, times[clips], len(times)))
    shorter = min(sides, key=lambda side: side[2])
    return Pair(
        sides[0][0],
        sides[1][0],
        float(min(cosines.max(), 1)),
        len(shorter[1]) / shorter[2],
        *((float(times[0, 0]), float(times[:, 1].max())) for _, times, _ in sides),
    )


def _meta(collection):
    settings = shared_settings(collection.folder.path, {'': collection.settings})
    return dict(folder=collection.folder.path, dims=collection.folder.dims, settings=settings)
