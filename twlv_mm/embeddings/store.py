"""Embedding files in the layout published with the paper.

``<video_id>_c.npy`` (clips, D), ``<video_id>_v.npy`` (D,) and ``<video_id>.json``, which is written last: where it is,
the other two are whole.
"""

import io
import json
import os
from pathlib import Path

import numpy as np


def write_embeddings(folder, video_id, embeddings, info):
    """Write one video's embeddings; each file appears whole or not at all.

    Args:
        folder (str): Where to; made if missing.
        video_id (str): Name of the files; may hold a sub-folder.
        embeddings (list[Embedding]): From :func:`twlv_mm.embed`, the whole video last. Without clips (Uniform
            Embedding) the one vector of the video is also its one clip.
        info (dict): Written to the json, with the clips' times: at least duration and num_frames.

    Returns:
        tuple[int, int]: shape of the clip file.
    """
    *clips, video = embeddings
    clips = clips or [video]
    matrix = np.stack([clip.vector for clip in clips]).astype(np.float32)
    times = [dict(start=round(clip.start, 6), end=round(clip.end, 6)) for clip in clips]
    base = Path(folder) / video_id
    base.parent.mkdir(parents=True, exist_ok=True)
    _write(f'{base}_c.npy', _npy(matrix))
    _write(f'{base}_v.npy', _npy(video.vector.astype(np.float32)))
    _write(f'{base}.json', (json.dumps(dict(info, clips=times), indent=1, sort_keys=True) + '\n').encode())
    return matrix.shape


def _npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _write(path, content):
    temporary = f'{path}.part'
    with open(temporary, 'wb') as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
