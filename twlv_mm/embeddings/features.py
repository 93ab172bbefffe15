"""Folders of features that were made elsewhere, a file a video, which are read as they are by what is said of them."""

import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np

from twlv_mm.compat import weights_only
from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.records import checks, parse_npy, parsing, read_bytes, read_json, read_npz

# Beside the files: what is said of them.
DESCRIPTION = 'twlv_features.json'
ENDINGS = ('.npy', '.npz', '.pt', '.pth')
LAYOUTS = ('TD', 'DT')
WHOLE_VIDEO = 'video'
MOST = 1_000_000  # frames, or frames a second


@dataclass(frozen=True)
class FeatureLayout:
    """What has to be known of files of features; the names are ActionFormer's where it has them.

    Args:
        layout (str, optional): 'TD', a row for each moment, or 'DT', a column for each. If None, dims tells.
        dims (int, optional): D, numbers a vector.
        feat_stride (float | str, optional): Frames from one vector to the next; 'video' where the vectors divide the
            whole video evenly, however long it is. If None, the task is told in seconds, or does not ask when.
        num_frames (float, optional): Frames that a vector is made of.
        offset_frames (float, optional): Middle of the frames of the first vector, counted from the video's beginning.
            If None, half of num_frames, as in ActionFormer: the first vector is made of the first frames.
        default_fps (float, optional): Frames a second that feat_stride and num_frames count, of all videos.
        fps (dict[str, float]): The same of single videos, by id.
        file_prefix (str): What the names of the files have before the id of the video.
        file_ext (str, optional): What they have after it, '.npy' or '-i3d.npz' say. If None, the one of ``ENDINGS``
            that the folder has.
        key (str, optional): Name of the array in an .npz, or in a dict in a .pt, that has several.
        model (str, optional): The encoder, for results.json.
    """

    layout: str | None = None
    dims: int | None = None
    feat_stride: float | str | None = None
    num_frames: float | None = None
    offset_frames: float | None = None
    default_fps: float | None = None
    fps: dict = field(default_factory=dict)
    file_prefix: str = ''
    file_ext: str | None = None
    key: str | None = None
    model: str | None = None

    def __post_init__(self):
        """Check the values."""
        if self.layout is None and self.dims is None:
            raise ValueError(
                "nothing says which axis is time: set layout to 'TD' (a row for each moment) or 'DT' (a column), or "
                'dims to the numbers a vector'
            )
        if self.layout not in (None, *LAYOUTS):
            raise ValueError(f'layout is {checks.shown(self.layout)}; it has to be TD or DT')
        if self.dims is not None:
            checks.count(self.dims, 'dims', least=1)
        for name in ('num_frames', 'default_fps'):
            if getattr(self, name) is not None:
                checks.number(getattr(self, name), name, least=1e-3, most=MOST)
        if self.offset_frames is not None:
            checks.number(self.offset_frames, 'offset_frames', least=-MOST, most=MOST)
        for video_id, fps in checks.instance(self.fps, dict, 'fps').items():
            checks.number(fps, f'fps of {video_id}', least=1e-3, most=MOST)
        for name in ('file_prefix', 'file_ext', 'key', 'model'):
            if (value := getattr(self, name)) not in (None, ''):
                checks.name(value, name)
        if self.file_ext is not None and not self.file_ext.endswith(ENDINGS):
            raise ValueError(f'file_ext is {checks.shown(self.file_ext)}; it has to end in {", ".join(ENDINGS)}')
        if self.feat_stride not in (None, WHOLE_VIDEO):
            checks.number(self.feat_stride, "feat_stride, if not 'video',", least=1e-3, most=MOST)
            if self.num_frames is None:
                raise ValueError(
                    'feat_stride is given without num_frames, the frames that a vector is made of, which says when the '
                    'first vector is: set it'
                )

    def grid(self, source, video_id, count, duration=None, fps=None):
        """When the vectors of a video are.

        Args:
            source (str): The video and its folder, for messages.
            video_id (str): Its id.
            count (int): Its vectors.
            duration (float, optional): Of the video in seconds, where it is known.
            fps (float, optional): Of the video, where somebody else knows it.

        Returns:
            dict | None: origin (middle of the first), step and clip_seconds, in seconds; None without feat_stride.
        """
        if self.feat_stride is None:
            return None
        if self.feat_stride == WHOLE_VIDEO:
            if not duration:
                raise ValueError(f"{source} divides its video evenly (feat_stride='video'), whose duration is unknown")
            step = duration / count
            return dict(origin=step / 2, step=step, clip_seconds=step)
        fps = self.fps_of(video_id) or fps
        if fps is None:
            raise ValueError(
                f'{source} has a vector every {self.feat_stride:g} frames, and nothing says how many frames a second '
                f'that counts: set default_fps, or fps of each video, in {DESCRIPTION} or in features of the config'
            )
        offset = self.num_frames / 2 if self.offset_frames is None else self.offset_frames
        return dict(origin=offset / fps, step=self.feat_stride / fps, clip_seconds=self.num_frames / fps)

    def fps_of(self, video_id):
        """Frames a second of a video, None where not said."""
        return self.fps.get(video_id, self.default_fps)

    def said(self):
        """What was said of the files, for results.json.

        Returns:
            dict: without what was not said, and without the fps of single videos but for their number.
        """
        values = {name: value for name, value in asdict(self).items() if value not in (None, '', {})}
        return values | (dict(fps=f'of {len(self.fps)} videos') if self.fps else {})


def read_layout(folder, given=None):
    """What is said of the files of a folder.

    Args:
        folder (Path): Which may have a ``twlv_features.json``.
        given (dict, optional): The same said elsewhere, which is put in its place name by name.

    Returns:
        FeatureLayout | None: None if nothing is said, so that the files are this project's.
    """
    path = Path(folder, DESCRIPTION)
    said = read_json(path, dict) if path.is_file() else {}
    if not said and given is None:
        return None
    where = f'{path}{" and features of the config" if said and given else ""}' if said else f'features of {folder}'
    said = said | dict(given or {})
    known = [one.name for one in fields(FeatureLayout)]
    if unknown := [name for name in said if name not in known]:
        raise ValueError(f'{where}: there is no {checks.shown(unknown[0])}; there are {", ".join(known)}')
    try:
        return FeatureLayout(**said)
    except (ValueError, TypeError) as error:
        raise ValueError(f'{where}: {error}') from None


class FeatureFiles:
    """Files of features, with the reading side of :class:`~.npy.NpyFiles`.

    Args:
        folder (Path): Where the files are.
        names (list[str]): Their paths below it.
        layout (FeatureLayout): What is said of them.

    Attributes:
        video_ids (dict[str, str]): id of a video -> path of its file below the folder.
    """

    def __init__(self, folder, names, layout):
        self.folder, self.layout = folder, layout
        names = [name for name in names if name.startswith(layout.file_prefix)]
        ending = layout.file_ext
        if ending is None:
            found = sorted({os.path.splitext(name)[1] for name in names}.intersection(ENDINGS))
            if len(found) > 1:
                raise ValueError(f'{folder} has files that end in {" and in ".join(found)}: set file_ext to one')
            ending = found[0] if found else ENDINGS[0]
        first = len(layout.file_prefix)
        names = [name for name in names if name.endswith(ending) and len(name) > first + len(ending)]
        self.video_ids = {name[first : -len(ending)]: name for name in names}

    def has_video(self, video_id):
        """There is no vector of a whole video besides those of its moments."""
        return False

    def clips(self, video_id):
        """Path and (T, D) float32 vectors of a video, in order of time."""
        path = self._path(video_id)
        with parsing(path):
            array = self._in_order(self._read(path))
            with np.errstate(over='ignore'):
                return path, np.ascontiguousarray(array, np.float32)

    any_vectors = clips

    def count(self, video_id):
        """T; of an npy file only the header is read."""
        path = self._path(video_id)
        if path.endswith('.npy'):
            with parsing(path):
                return len(self._in_order(np.load(path, mmap_mode='r', allow_pickle=False)))
        return len(self.clips(video_id)[1])

    def info(self, video_id):
        """What is known of every video."""
        return {} if self.layout.model is None else dict(model=self.layout.model)

    def times(self, video_id):
        """(T, 2) float64 seconds, or None where the frames a second are not said."""
        layout = self.layout
        if layout.feat_stride in (None, WHOLE_VIDEO) or layout.fps_of(video_id) is None:
            return None
        count = self.count(video_id)
        grid = layout.grid(self._path(video_id), video_id, count)
        middles = grid['origin'] + grid['step'] * np.arange(count)
        return np.stack([middles - grid['clip_seconds'] / 2, middles + grid['clip_seconds'] / 2], axis=1)

    def vector_paths(self):
        """Path below the folder of each file that holds vectors, sorted."""
        return sorted(self.video_ids.values())

    def _path(self, video_id):
        return f'{self.folder}/{self.video_ids[video_id]}'

    def _read(self, path):
        """The array in a file."""
        if path.endswith('.npy'):
            return parse_npy(read_bytes(path))
        if path.endswith('.npz'):
            return self._chosen(path, read_npz(path))
        weights_only.apply()
        try:
            content = load_checkpoint(path)
        except Exception as error:  # a damaged file can make the unpickler fail in any way
            raise ValueError(f'{path} cannot be read: {error}') from error
        content = self._chosen(path, content) if isinstance(content, dict) else content
        # numpy has no bfloat16.
        return content.float().numpy() if hasattr(content, 'numpy') else content

    def _chosen(self, path, arrays):
        """One of the arrays in a file."""
        if self.layout.key is None and len(arrays) == 1:
            return next(iter(arrays.values()))
        if self.layout.key not in arrays:
            raise ValueError(f'{path} has {checks.shown(sorted(map(str, arrays)))}: set key to one of them')
        return arrays[self.layout.key]

    def _in_order(self, array):
        """(T, D), whatever the axes were; no copy."""
        if not isinstance(array, np.ndarray) or array.dtype.kind != 'f' or not array.size:
            kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise ValueError(f'floating-point numbers are expected, and it has {kind}')
        shape, layout, dims = array.shape, self.layout.layout, self.layout.dims
        if array.ndim != 2:  # a whole video's, pooled over height and width, or a batch of one
            long = [length for length in shape if length > 1]
            if len(long) > 2:
                raise ValueError(f'the shape {shape} has more axes than time and numbers a vector')
            array = array.reshape(long)
            if len(long) < 2:
                array, layout = array.reshape(1, -1), 'TD'
        if layout is None:
            if array.shape == (dims, dims):
                raise ValueError(f'the shape {shape} does not tell which axis is time: set layout to TD or DT')
            layout = 'DT' if array.shape[0] == dims else 'TD'
        array = array if layout == 'TD' else array.T
        if dims not in (None, array.shape[1]):
            raise ValueError(f'the shape {shape} has not dims={dims} numbers a vector')
        return array
