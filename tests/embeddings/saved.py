"""Embedded videos to read: every number of a clip's vector is the clip's centre in seconds."""

import json

import numpy as np

from twlv_mm.video.sampling import clip_windows

CLIP, STRIDE, DIMS = 0.5, 0.25, 4
MADE_WITH = dict(model='twlv_base', weights_sha256='ab' * 32, sampling='multi-clip', clip_seconds=CLIP)


def save(folder, video_id, duration, times=None, **info):
    """Write a video in the layout of tools/extract.py, with the times of its clips."""
    times = clip_windows(duration, CLIP, STRIDE) if times is None else np.asarray(times)
    feats = np.repeat(times.mean(axis=1, keepdims=True), DIMS, axis=1).astype(np.float32)
    clips = [dict(start=start, end=end) for start, end in times.tolist()]
    folder.mkdir(exist_ok=True)
    np.save(folder / f'{video_id}_c.npy', feats)
    (folder / f'{video_id}.json').write_text(json.dumps(dict(MADE_WITH, duration=duration, clips=clips, **info)))


def save_published(folder, video_id, duration):
    """Write a video as TWLV-I's published embeddings are, without times."""
    save(folder, video_id, duration)
    (folder / f'{video_id}.json').write_text(json.dumps(dict(duration=duration, num_frames=int(30 * duration))))
