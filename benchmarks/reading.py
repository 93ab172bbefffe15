"""Time and memory of reading the clips of a video, here and in mmaction2's pipeline."""

import multiprocessing
import time

import numpy as np

from benchmarks.steps import peak_bytes_of
from twlv_mm.encoders.speed import best_of
from twlv_mm.video import clips_of_frames, open_video, resize_and_crop, stream_frames


def reading_rate(path, sampling, extractor=None):
    """Time and memory to read the clips of a video, here and in mmaction2's pipeline with one sample per clip.

    Args:
        path (str): A video file.
        sampling (ClipSampling): The clips.
        extractor (Extractor, optional): To measure how long it takes to encode a clip of this size.

    Returns:
        dict: clips; frames (in the clips, each as often as it occurs); ours and stock, seconds, the best of three;
        decode and resize, seconds of ours; encode, seconds for all clips, if there is an extractor; ratio (stock /
        ours).

    Raises:
        RuntimeError: if the two do not give the same clips.
    """
    ours, stock = list(read_ours(path, sampling)), list(read_stock(path, sampling))
    if len(ours) != len(stock) or not all(np.array_equal(a, b) for a, b in zip(ours, stock, strict=True)):
        raise RuntimeError(f'{path}: the two ways give different clips')
    times = {name: best_of(lambda way=way: sum(1 for _ in way(path, sampling)), 0) for name, way in WAYS.items()}
    parts = _parts(path, sampling)
    if extractor is not None:
        parts['encode'] = len(ours) * best_of(lambda: extractor.encode(ours[0][None]).cpu(), 0)
    return dict(
        clips=len(ours),
        frames=len(ours) * sampling.num_frames,
        **times,
        **parts,
        ratio=times['stock'] / times['ours'],
    )


def peak_memory(way, path, sampling):
    """Peak memory of a process that reads the clips of a video and keeps none.

    Args:
        way (str): 'ours' or 'stock'.
        path (str): A video file.
        sampling (ClipSampling): The clips.

    Returns:
        int: bytes, beyond what the process had before.
    """
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        return pool.apply(_peak_memory, (way, path, sampling))


def read_ours(path, sampling):
    """Clips of a video, (N, size, size, 3) uint8 each, in one pass."""
    with open_video(path) as reader:
        stream = stream_frames(reader, sampling)
        yield from clips_of_frames(stream.chunks, stream.indices)


def read_stock(path, sampling):
    """The same clips by mmaction2's pipeline, one sample each: open, decode, resize, crop."""
    import mmaction.datasets  # noqa: F401
    from mmengine.dataset import Compose
    from mmengine.registry import init_default_scope

    init_default_scope('mmaction')
    opening = Compose([dict(type='DecordInit')])
    size, how = sampling.size, dict(type='Resize', interpolation=sampling.interpolation)
    resizing = [dict(how, scale=(-1, size)), dict(type='CenterCrop', crop_size=size)]
    if sampling.resize == 'squash':
        resizing = [dict(how, scale=(size, size), keep_ratio=False)]
    decoding = Compose([dict(type='DecordDecode'), *resizing])
    with open_video(path) as reader:
        indices = stream_frames(reader, sampling).indices
    for clip in indices:
        sample = opening(dict(filename=path, start_index=0, modality='RGB'))
        sample.update(frame_inds=clip, clip_len=sampling.num_frames, num_clips=1, frame_interval=None)
        yield np.stack(decoding(sample)['imgs'])


WAYS = dict(ours=read_ours, stock=read_stock)


def _parts(path, sampling):
    """Seconds of decoding and of resizing in one pass."""
    spent = dict(decode=0.0, resize=0.0)
    start = time.perf_counter()
    with open_video(path) as reader:
        wanted = np.unique(stream_frames(reader, sampling).indices)
        for chunk in np.array_split(wanted, -(-len(wanted) // 32)):
            frames = reader.read(chunk)
            spent['decode'] += time.perf_counter() - start
            start = time.perf_counter()
            resize_and_crop(frames, *sampling[4:])
            spent['resize'] += time.perf_counter() - start
            start = time.perf_counter()
    return spent


def _peak_memory(way, path, sampling):
    clips = WAYS[way](path, sampling)
    return peak_bytes_of(lambda: sum(1 for _ in clips))
