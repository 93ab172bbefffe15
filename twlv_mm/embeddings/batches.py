"""Batches of one size that hold the clips of several videos."""

import time
from collections import deque
from typing import NamedTuple

import numpy as np

from twlv_mm.video import ReadFault, clips_of_frames

# Order of a clip's frames.
VIEWS = {'forward': slice(None), 'reversed': slice(None, None, -1)}


class EmbeddedVideo(NamedTuple):
    """The clip vectors of a video."""

    duration: float  # seconds
    num_frames: int  # frames in the file
    decoder: str  # name and version
    times: np.ndarray  # (M, 2) start and end of each clip in seconds
    clips: dict[str, np.ndarray]  # view -> (M, D) float32
    fault: ReadFault | None  # why the video breaks off after these clips, if it does


class SharedBatches:
    """Encode the clips of one video after another in batches that continue across videos.

    All batches have the same size, the last one filled up with blank clips, so that a vector does not depend on the
    rest of its batch.

    Args:
        extractor (Extractor): Encodes.
        views (Sequence[str]): Keys of :data:`VIEWS`.

    Attributes:
        waiting_seconds (float): Total time spent waiting for frames.
    """

    def __init__(self, extractor, views=('forward',)):
        self.extractor = extractor
        self.views = views
        self.waiting_seconds = 0.0

    def __call__(self, streams):
        """Embed videos.

        Args:
            streams (Iterable[FrameStream | ReadFault]): From :func:`twlv_mm.video.read_ahead`.

        Yields:
            EmbeddedVideo | ReadFault: for each stream in order; the fault if no clip could be read.
        """
        sampling = self.extractor.sampling
        shape = (self.extractor.batch_size, sampling.num_frames, sampling.size, sampling.size, 3)
        self._batch = np.zeros(shape, np.uint8)
        self._slots, self._encoding = [], None
        unfinished = deque()
        for stream in self._timed(streams):
            if isinstance(stream, ReadFault):
                unfinished.append(stream)
            else:
                video = _Video(stream, self.views)
                unfinished.append(video)
                self._add(video)
            while unfinished and _finished(unfinished[0]):
                yield _result(unfinished.popleft())
        if self._slots:
            self._encode()
        self._collect()
        yield from map(_result, unfinished)

    def _add(self, video):
        try:
            for clip in clips_of_frames(self._timed(video.stream.chunks), video.stream.indices):
                video.num_clips += 1
                for view in self.views:
                    self._batch[len(self._slots)] = clip[VIEWS[view]]
                    self._slots.append(video.vectors[view])
                    if len(self._slots) == len(self._batch):
                        self._encode()
        except ReadFault as fault:
            video.fault = fault
        video.read = True

    def _encode(self):
        self._batch[len(self._slots) :] = 0
        vectors = self.extractor.encode(self._batch)
        self._collect()  # the previous batch, while a GPU works on this one
        self._encoding, self._slots = (self._slots, vectors), []

    def _collect(self):
        if self._encoding is not None:
            slots, vectors = self._encoding
            for slot, vector in zip(slots, vectors.cpu().numpy(), strict=False):  # blank clips have no slot
                slot.append(vector)
            self._encoding = None

    def _timed(self, iterable):
        iterator = iter(iterable)
        while True:
            start = time.perf_counter()
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self.waiting_seconds += time.perf_counter() - start
            yield item


class _Video:
    def __init__(self, stream, views):
        self.stream = stream
        self.vectors = {view: [] for view in views}
        self.num_clips, self.read, self.fault = 0, False, None


def _finished(item):
    return isinstance(item, ReadFault) or (
        item.read and all(len(vectors) == item.num_clips for vectors in item.vectors.values())
    )


def _result(item):
    if isinstance(item, ReadFault):
        return item
    if item.num_clips == 0:
        return item.fault
    clips = {view: np.stack(vectors) for view, vectors in item.vectors.items()}
    return EmbeddedVideo(*item.stream[:3], item.stream.windows[: item.num_clips], clips, item.fault)
