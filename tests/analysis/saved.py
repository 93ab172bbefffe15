"""Embeddings of made-up vectors on disk, in TWLV-I's layout or as Parquet."""

import json

import numpy as np

from twlv_mm.embeddings.parquet import write_part

INFO = dict(duration=2.0, num_frames=16, model='twlv_base', weights_sha256='ab' * 32, decoder='decord 0.6.0')


def save_folder(folder, clips, annotations=None, form='npy', **info):
    """Write videos.

    Args:
        folder (Path): ``<out>/<sampling>/<split>``, made.
        clips (dict[str, ndarray]): video id -> (M, D) vectors of its clips.
        annotations (dict, optional): video id -> annotation; videos that it lacks get none.
        form (str): 'npy' or 'parquet'.
        **info: What else each video's json has.
    """
    folder.mkdir(parents=True)
    videos = []
    for video_id, vectors in clips.items():
        vectors = np.asarray(vectors, np.float32)
        times = np.stack([np.arange(len(vectors)), np.arange(len(vectors)) + 1], axis=1).astype(float)
        known = INFO | info
        if video_id in (annotations or {}):
            known = known | dict(annotation=annotations[video_id])
        videos.append(dict(video_id=video_id, clips=vectors, times=times, video=vectors.mean(axis=0), info=known))
    if form == 'parquet':
        write_part(folder / 'part-00000.parquet', videos)
        return
    for video in videos:
        np.save(folder / f'{video["video_id"]}_c.npy', video['clips'])
        np.save(folder / f'{video["video_id"]}_v.npy', video['video'])
        spans = [dict(start=start, end=end) for start, end in video['times'].tolist()]
        (folder / f'{video["video_id"]}.json').write_text(json.dumps(dict(video['info'], clips=spans)))


def clusters(count, classes=3, dims=6, distance=6.0, num_clips=2, seed=0):
    """Videos whose clips lie about the centre of their class.

    Returns:
        tuple[dict, dict]: video id -> (num_clips, dims); video id -> class.
    """
    random = np.random.default_rng(seed)
    centres = distance * random.normal(size=(classes, dims))
    labels = {f'v{number:03d}': number % classes for number in range(count)}
    return {name: centres[label] + random.normal(size=(num_clips, dims)) for name, label in labels.items()}, labels
