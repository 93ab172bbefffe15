"""The layout published with the paper, three small files a video, as a folder reads it."""

import io
import tokenize
from functools import lru_cache

import numpy as np

from twlv_mm import records

# The ends of a video's files; the rest of their name is its id.
ENDINGS = ('_c.npy', '_v.npy', '.json')
NPY_VERSION_1 = b'\x93NUMPY\x01\x00'


class NpyFiles:
    """The published layout.

    Args:
        folder (Path): Where the files are.
        names (list[str]): Their paths below it.
        json_is_last (bool): Whether a video without json is not finished yet.

    Attributes:
        video_ids (set[str]): Videos that have vectors.
        endings (dict[str, set[str]]): video id -> which of ``ENDINGS`` there are, also of videos without vectors.
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
        """Whether the vector of the whole video was written."""
        return '_v.npy' in self.endings[video_id]

    def clips(self, video_id):
        """Path and (M, D) float32 vectors of a video's clips."""
        path = self._path(video_id, '_c.npy')
        if '_c.npy' not in self.endings[video_id]:
            raise FileNotFoundError(f'{video_id} has only its whole vector, there is no {path}: extract it again')
        array = read_npy(path)
        if array.ndim != 2 or not array.size:
            raise ValueError(f'{path} has the shape {array.shape}, expected (clips, D): extract it again')
        return path, array

    def count(self, video_id):
        """M; only the header of the file is read, which for thousands of videos matters."""
        try:
            return len(np.load(self._path(video_id, '_c.npy'), mmap_mode='r', allow_pickle=False))
        except (OSError, ValueError, TypeError):
            return len(self.clips(video_id)[1])  # which says what is wrong

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
        """Content of a video's json, or an empty dict."""
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
            raise ValueError(f'{path}: clips is no list of {{start, end}} in seconds: extract it again') from error

    def vector_paths(self):
        """Path below the folder of each file that holds vectors, sorted."""
        return sorted(id_ + ending for id_, endings in self.endings.items() for ending in endings - {'.json'})

    def _path(self, video_id, ending):
        return f'{self.folder}/{video_id}{ending}'


def read_npy(path):
    """Read a small npy file, in a sixth of the processor time that ``np.load`` takes (5 x 1,024 numbers).

    Most of ``np.load``'s time goes into parsing the header. The files of a folder share few headers, so each is parsed
    once, by numpy.

    Args:
        path (str): An npy file of floating-point numbers.

    Returns:
        ndarray: float32, in C order.
    """
    content = records.read_bytes(path)
    try:
        if not content.startswith(NPY_VERSION_1):
            raise ValueError('no npy header')
        end = 10 + int.from_bytes(content[8:10], 'little')
        shape, fortran_order, dtype = _parse_header(content[:end])
        if dtype.kind != 'f':
            raise ValueError(f'{dtype} instead of floating-point numbers')
        array = np.frombuffer(content, dtype, offset=end).reshape(shape, order='F' if fortran_order else 'C')
        if not array.ndim:
            raise ValueError('a single number')
    except (ValueError, SyntaxError, tokenize.TokenError) as error:
        raise ValueError(f'{path} is no sound file of embeddings ({error}): extract it again') from error
    with np.errstate(over='ignore'):  # a float64 beyond float32 becomes inf, which verify() lists
        return array.astype(np.float32, order='C')


@lru_cache(maxsize=4096)
def _parse_header(header):
    file = io.BytesIO(header)
    np.lib.format.read_magic(file)
    return np.lib.format.read_array_header_1_0(file)


def read_json(path):
    """Read a json object.

    Args:
        path (str): A json file.

    Returns:
        dict: Its content.
    """
    try:
        return records.read_json(path, dict)
    except ValueError as error:
        raise ValueError(f'{error}: extract it again') from None
