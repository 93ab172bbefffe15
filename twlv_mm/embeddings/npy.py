"""TWLV-I's layout of embeddings, as published: three small files per video."""

import tokenize

import numpy as np

from twlv_mm import records

# What follows the video id in a file name.
ENDINGS = ('_c.npy', '_v.npy', '.json')


class NpyFiles:
    """TWLV-I's layout of embeddings.

    Args:
        folder (Path): Where the files are.
        names (list[str]): Their paths below it.
        json_is_last (bool): Whether a video without json is unfinished.

    Attributes:
        video_ids (set[str]): Videos with vectors.
        endings (dict[str, set[str]]): video id -> which of ``ENDINGS`` exist, also for videos without vectors.
    """

    def __init__(self, folder, names, json_is_last=False):
        self.folder = folder
        self.endings = {}
        for name in names:
            ending = name[-6:] if name.endswith(ENDINGS[:2]) else name[-5:]
            if ending in ENDINGS:
                self.endings.setdefault(name[: -len(ending)], set()).add(ending)
        self.video_ids = {
            video_id
            for video_id, endings in self.endings.items()
            if endings != {'.json'} and ('.json' in endings or not json_is_last)
        }

    def has_video(self, video_id):
        """Whether a vector of the whole video was written."""
        return '_v.npy' in self.endings[video_id]

    def clips(self, video_id):
        """Path and (M, D) float32 vectors of a video's clips."""
        path = self._path(video_id, '_c.npy')
        if '_c.npy' not in self.endings[video_id]:
            raise FileNotFoundError(f'{video_id} has only a whole-video vector, not {path}: extract it again')
        array = read_npy(path)
        if array.ndim != 2 or not array.size:
            raise ValueError(f'{path} has the shape {array.shape}, expected (clips, D): extract it again')
        return path, array

    def count(self, video_id):
        """M, from the header of the file: faster for thousands of videos."""
        try:
            return len(np.load(self._path(video_id, '_c.npy'), mmap_mode='r', allow_pickle=False))
        except (OSError, ValueError, TypeError):
            return len(self.clips(video_id)[1])  # for its error message

    def video(self, video_id):
        """Path and (D,) float32 vector of a video."""
        path = self._path(video_id, '_v.npy')
        array = read_npy(path)
        if array.size != array.shape[-1] or array.ndim > 2 or not array.size:
            raise ValueError(f'{path} has the shape {array.shape}, expected (D,) or (1, D): extract it again')
        return path, array.reshape(-1)

    def any_vectors(self, video_id):
        """Path and float32 vectors (..., D) that a video surely has."""
        return self.clips(video_id) if '_c.npy' in self.endings[video_id] else self.video(video_id)

    def info(self, video_id):
        return read_json(self._path(video_id, '.json')) if '.json' in self.endings[video_id] else {}

    def times(self, video_id):
        """(M, 2) float64 seconds, or None."""
        clips = self.info(video_id).get('clips')
        if clips is None:
            return None
        path = self._path(video_id, '.json')
        try:
            times = [(clip['start'], clip['end']) for clip in clips]
            return records.checks.array(times, path, 2) if times else np.empty((0, 2))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f'{path}: clips is not a list of {{start, end}} in seconds: extract it again') from error

    def vector_paths(self):
        """Sorted paths below the folder of the files that hold vectors."""
        return sorted(id_ + ending for id_, endings in self.endings.items() for ending in endings - {'.json'})

    def _path(self, video_id, ending):
        return f'{self.folder}/{video_id}{ending}'


def read_npy(path):
    """Read an npy file of floating-point numbers as a float32 array in C order."""
    content = records.read_bytes(path)
    try:
        array = records.parse_npy(content)
        if array.dtype.kind != 'f' or not array.ndim:
            raise ValueError(f'{array.dtype} of shape {array.shape} instead of an array of floating-point numbers')
    except (ValueError, SyntaxError, tokenize.TokenError) as error:
        raise ValueError(f'{path} is not a valid embedding file ({error}): extract it again') from error
    with np.errstate(over='ignore'):  # a float64 beyond float32 becomes inf, which verify() reports
        return array.astype(np.float32, order='C')


def read_json(path):
    """Read a json object (dict) of embeddings."""
    try:
        return records.read_json(path, dict)
    except ValueError as error:
        raise ValueError(f'{error}: extract it again') from None
