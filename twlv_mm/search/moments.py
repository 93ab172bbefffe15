"""The moments of a collection that are nearest to a query."""

import os
from typing import NamedTuple

import numpy as np

from .collection import Collection, cosines_with
from .indexed_collection import IndexedCollection
from .query import Query, embed_query, query_extractor, stored_query
from .text_query import text_query

CLIPS_A_HIT = 8  # nearest clips per hit to start with
# A neighbour of the best clip belongs to the moment if its cosine lies in the upper fifth between the collection's
# median and the best. Measured on planted moments (docs/results.md): with the upper half, moments of two seconds come
# out twice as long.
LEVEL = 0.8
TOUCHING = 1e-3  # tolerance in seconds for adjacent clips, whose times are rounded


class Hit(NamedTuple):
    """A moment that was found."""

    video_id: str  # its video
    start: float  # seconds since the first frame
    end: float  # seconds since the first frame
    cosine: float  # of its best clip
    best_start: float  # start of its best clip in seconds
    best_end: float  # end of its best clip in seconds
    num_clips: int  # number of merged clips


class Answer(NamedTuple):
    """Result of a search."""

    query: Query  # the query
    hits: dict[str, list[Hit]]  # for 'forward', and 'reversed' if requested; best first
    typical_cosine: dict[str, float]  # by view, the median cosine of the query with the collection's clips
    left_out: list[str]  # ids of the query's own videos that were left out
    num_clips: int  # clips searched
    num_videos: int  # videos searched
    missing: list[str]  # ids of videos that were to be embedded into the folder but are not there
    exact: bool  # whether every clip was compared, rather than an index searched

    @property
    def same_best(self):
        """bool: Whether the best moments of query and reversed query overlap."""
        best = [hits[0] for hits in self.hits.values() if hits]
        return len(best) == 2 and overlap(*best)

    @property
    def common(self):
        """int: Number of hits of the query that overlap one of the reversed query."""
        return sum(any(overlap(hit, other) for other in self.hits['reversed']) for hit in self.hits['forward'])


def overlap(one, other):
    return one.video_id == other.video_id and one.start < other.end and other.start < one.end


def find_moments(
    query,
    folder,
    *,
    start=None,
    end=None,
    top=10,
    reverse=False,
    without_own=False,
    text=None,
    model=None,
    weights=None,
    device=None,
    decoder=None,
    files=None,
):
    """Find the moments of a collection that are similar to a query.

    The query is embedded like the folder and compared with its clips by cosine; adjacent clips are merged into one hit.

    Args:
        query (str | None): A video or image file, the id of a video in the folder, or ``VIDEO_ID#NUMBER``, one of its
            clips; existing paths come first. None for a search by text.
        folder (str | Collection | IndexedCollection): Embeddings in either format, ``<out>/<sampling>/<split>``; exact
            unless it is an :class:`IndexedCollection`.
        start (float, optional): Start in the query's video, in seconds.
        end (float, optional): End in the query's video, in seconds.
        top (int): Maximum number of hits.
        reverse (bool): Whether to also search with the query's frames in reverse order.
        without_own (bool): Whether to leave out the query's own video, by its id, or by name for a file.
        text (str, optional): A sentence as query, if the folder's encoder is an ``hf:`` one trained with text.
        model (str | nn.Module, optional): As for :func:`query_extractor`.
        weights (str, optional): As for :func:`query_extractor`.
        device (str, optional): Where to encode.
        decoder (str, optional): As for :func:`twlv_mm.video.open_video`.
        files (VideoFiles, optional): The collection's video files, which identify a query file among them.

    Returns:
        Answer: the hits, best first.
    """
    if top < 1:
        raise ValueError(f'top={top}: ask for 1 hit or more')
    collection = folder if isinstance(folder, Collection | IndexedCollection) else Collection(folder)
    if (query is None) == (text is None):
        raise ValueError('give either a query or a text')
    if text is not None:
        if reverse or (start, end) != (None, None):
            raise ValueError('a text has no frames: leave out start, end and reverse')
        found = text_query(text, collection)
    elif os.path.isfile(query):
        extractor = query_extractor(collection, model, weights, device)
        own = None if files is None else [name for name in files.names(query) if name in collection]
        found = embed_query(query, collection, extractor, start, end, reverse=reverse, own=own, decoder=decoder)
    else:
        found = stored_query(query, collection, start, end, reverse=reverse, files=files)
    return answer(found, collection, top, without_own)


def answer(query, collection, top=10, without_own=False):
    """Search a collection for a query that is already a vector (Query); see :func:`find_moments`."""
    left_out = sorted(query.own.intersection(collection.video_ids)) if without_own else []
    hits, typical = {}, {}
    for view, vector in query.vectors.items():
        typical[view] = float(np.median(cosines_with(vector, collection.sample)))
        hits[view] = _moments(vector, collection, top, set(left_out), typical[view])
    num_clips = len(collection) - sum(_count(collection, video_id) for video_id in left_out)
    num_videos = len(collection.video_ids) - len(left_out)
    exact = isinstance(collection, Collection)
    return Answer(query, hits, typical, left_out, num_clips, num_videos, collection.missing, exact)


def _moments(vector, collection, top, left_out, typical):
    """The best moments, from as many nearest clips as needed."""
    own = sum(_count(collection, video_id) for video_id in left_out)
    count = min(CLIPS_A_HIT * top + own, len(collection))
    while True:
        found = collection.nearest_clips(vector, count)
        hits = _merged(vector, collection, found, top, left_out, typical)
        if len(hits) == top or count == len(collection) or len(found) < count:  # an index does not see all clips
            return hits
        count = min(4 * count, len(collection))


def _merged(vector, collection, nearest, top, left_out, typical):
    hits, videos = [], {}
    for video_id, clip, cosine in nearest:
        if video_id in left_out:
            continue
        if video_id not in videos:
            videos[video_id] = _Video(vector, collection, video_id)
        hit = videos[video_id].moment(clip, cosine, typical)
        if hit is not None:
            hits.append(hit)
            if len(hits) == top:
                break
    return hits


class _Video:
    """A video with its cosines, from which moments are taken, best first."""

    def __init__(self, vector, collection, video_id):
        self.video_id = video_id
        self.times, vectors = collection.clips(video_id)
        self.cosines = cosines_with(vector, vectors)
        self.taken = np.zeros(len(self.times), bool)

    def moment(self, best, cosine, typical):
        """The moment around a clip, extended over adjacent clips above LEVEL; None if it overlaps an earlier one."""
        if self.taken[best]:
            return None
        level = typical + LEVEL * (cosine - typical)
        first = last = best
        while first > 0 and self._goes_on(first - 1, first, level):
            first -= 1
        while last + 1 < len(self.times) and self._goes_on(last, last + 1, level, last + 1):
            last += 1
        start, end = self.times[first, 0], self.times[first : last + 1, 1].max()
        self.taken |= (self.times[:, 0] < end - TOUCHING) & (self.times[:, 1] > start + TOUCHING)
        return Hit(
            self.video_id, float(start), float(end), cosine, *map(float, self.times[best]), int(last - first + 1)
        )

    def _goes_on(self, one, other, level, new=None):
        new = one if new is None else new
        touching = self.times[other, 0] <= self.times[one, 1] + TOUCHING
        return touching and not self.taken[new] and self.cosines[new] >= level


def _count(collection, video_id):
    return len(collection.clips(video_id)[0])
