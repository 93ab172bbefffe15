"""Features made by other tools, one file per video, read as described by a FeatureLayout."""

import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
import torch

from twlv_mm.compat import weights_only
from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.records import checks, parse_npy, parsing, read_bytes, read_json, read_npz

# Describes the files, which it lies beside.
DESCRIPTION = 'twlv_features.json'
ENDINGS = ('.npy', '.npz', '.pt', '.pth')
LAYOUTS = ('TD', 'DT')
WHOLE_VIDEO = 'video'
MOST = 1_000_000  # frames, or frames per second


@dataclass(frozen=True)
class FeatureLayout:
    """Description of feature files; the names are ActionFormer's where it has them.

    Args:
        layout (str, optional): 'TD' (one row per time step) or 'DT' (one column). If None, dims decides.
        dims (int, optional): D, dimensions per vector.
        feat_stride (float | str, optional): Frames from one vector to the next; 'video' if the vectors divide the video
            evenly. If None, the task is given seconds, or needs no times.
        num_frames (float, optional): Frames per vector.
        offset_frames (float, optional): Middle of the first vector's frames, in frames from the start of the video. If
            None, num_frames / 2, as in ActionFormer.
        default_fps (float, optional): Frame rate that feat_stride and num_frames refer to, for all videos.
        fps (dict[str, float]): Frame rate of single videos, by id.
        file_prefix (str): File name before the video id.
        file_ext (str, optional): File name after the video id, such as '.npy' or '-i3d.npz'. If None, the extension of
            ``ENDINGS`` found in the folder.
        key (str, optional): Name of the array in an .npz, or in a dict in a .pt, with several.
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
        if self.layout is None and self.dims is None:
            raise ValueError(
                "it is unknown which axis is time: set layout to 'TD' (one row per time step) or 'DT' (one column), or "
                'dims to the dimensions per vector'
            )
        if self.layout not in (None, *LAYOUTS):
            raise ValueError(f'layout is {checks.shown(self.layout)}; it must be TD or DT')
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
            raise ValueError(f'file_ext is {checks.shown(self.file_ext)}; it must end in {", ".join(ENDINGS)}')
        if self.feat_stride not in (None, WHOLE_VIDEO):
            checks.number(self.feat_stride, "feat_stride, if not 'video',", least=1e-3, most=MOST)
            if self.num_frames is None:
                raise ValueError(
                    'feat_stride is set without num_frames, the frames per vector, which determines the time of the '
                    'first vector: set it'
                )

    def grid(self, source, video_id, count, duration=None, fps=None):
        """Time grid of a video's vectors.

        Args:
            source (str): The video and its folder, for messages.
            video_id (str): Its id.
            count (int): Number of vectors.
            duration (float, optional): Of the video in seconds.
            fps (float, optional): Frame rate of the video, if known from elsewhere.

        Returns:
            dict | None: origin, step and clip_seconds as for :func:`video_grid`; None without feat_stride.
        """
        if self.feat_stride is None:
            return None
        if self.feat_stride == WHOLE_VIDEO:
            if not duration:
                raise ValueError(f"{source} has feat_stride='video', but the duration of the video is unknown")
            step = duration / count
            return dict(origin=step / 2, step=step, clip_seconds=step)
        fps = self.fps_of(video_id) or fps
        if fps is None:
            raise ValueError(
                f'{source} has a vector every {self.feat_stride:g} frames of unknown frame rate: set default_fps, or '
                f'fps for each video, in {DESCRIPTION} or in features of the config'
            )
        offset = self.num_frames / 2 if self.offset_frames is None else self.offset_frames
        return dict(origin=offset / fps, step=self.feat_stride / fps, clip_seconds=self.num_frames / fps)

    def fps_of(self, video_id):
        """Frame rate of a video; None if not given."""
        return self.fps.get(video_id, self.default_fps)

    def described(self):
        """The description for results.json, without defaults; fps of single videos only as their number."""
        values = {name: value for name, value in asdict(self).items() if value not in (None, '', {})}
        return values | (dict(fps=f'of {len(self.fps)} videos') if self.fps else {})


def read_layout(folder, given=None):
    """The description of a folder's feature files, or None: ``given`` (dict) overrides its ``twlv_features.json``."""
    path = Path(folder, DESCRIPTION)
    in_file = read_json(path, dict) if path.is_file() else {}
    if not in_file and given is None:
        return None
    where = f'features of {folder}'
    if in_file:
        where = f'{path} and features of the config' if given else str(path)
    layout = in_file | dict(given or {})
    known = [one.name for one in fields(FeatureLayout)]
    if unknown := [name for name in layout if name not in known]:
        raise ValueError(f'{where}: unknown key {checks.shown(unknown[0])}; choose from {", ".join(known)}')
    try:
        return FeatureLayout(**layout)
    except (ValueError, TypeError) as error:
        raise ValueError(f'{where}: {error}') from None


class FeatureFiles:
    """Feature files, with the reading interface of :class:`~.npy.NpyFiles`.

    Args:
        folder (Path): Where the files are.
        names (list[str]): Their paths below it.
        layout (FeatureLayout): Their description.

    Attributes:
        video_ids (dict[str, str]): video id -> path of its file below the folder.
    """

    def __init__(self, folder, names, layout):
        self.folder, self.layout = folder, layout
        names = [name for name in names if name.startswith(layout.file_prefix)]
        ending = layout.file_ext
        if ending is None:
            found = sorted({os.path.splitext(name)[1] for name in names}.intersection(ENDINGS))
            if len(found) > 1:
                raise ValueError(f'{folder} has files with {" and ".join(found)}: set file_ext to one of them')
            ending = found[0] if found else ENDINGS[0]
        first = len(layout.file_prefix)
        names = [name for name in names if name.endswith(ending) and len(name) > first + len(ending)]
        self.video_ids = {name[first : -len(ending)]: name for name in names}

    def has_video(self, video_id):
        """False: there are no vectors of whole videos."""
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
        """T; for an npy file only the header is read."""
        path = self._path(video_id)
        if path.endswith('.npy'):
            with parsing(path):
                return len(self._in_order(np.load(path, mmap_mode='r', allow_pickle=False)))
        return len(self.clips(video_id)[1])

    def info(self, video_id):
        return {} if self.layout.model is None else dict(model=self.layout.model)

    def times(self, video_id):
        """(T, 2) float64 seconds, or None if the frame rate is unknown."""
        layout = self.layout
        if layout.feat_stride in (None, WHOLE_VIDEO) or layout.fps_of(video_id) is None:
            return None
        count = self.count(video_id)
        grid = layout.grid(self._path(video_id), video_id, count)
        middles = grid['origin'] + grid['step'] * np.arange(count)
        return np.stack([middles - grid['clip_seconds'] / 2, middles + grid['clip_seconds'] / 2], axis=1)

    def vector_paths(self):
        """Sorted paths below the folder of the files that hold vectors."""
        return sorted(self.video_ids.values())

    def _path(self, video_id):
        return f'{self.folder}/{self.video_ids[video_id]}'

    def _read(self, path):
        if path.endswith('.npy'):
            return parse_npy(read_bytes(path))
        if path.endswith('.npz'):
            return self._chosen(path, read_npz(path))
        weights_only.apply()
        try:
            content = load_checkpoint(path)
        except Exception as error:  # the unpickler may raise anything for a damaged file
            raise ValueError(f'{path} cannot be read: {error}') from error
        content = self._chosen(path, content) if isinstance(content, dict) else content
        if isinstance(content, torch.Tensor):
            content = content.detach()
            content = (content.float() if content.dtype == torch.bfloat16 else content).numpy()  # numpy has no bfloat16
        return content

    def _chosen(self, path, arrays):
        if self.layout.key is None and len(arrays) == 1:
            return next(iter(arrays.values()))
        if self.layout.key not in arrays:
            raise ValueError(f'{path} has {checks.shown(sorted(map(str, arrays)))}: set key to one of them')
        return arrays[self.layout.key]

    def _in_order(self, array):
        """(T, D) whatever the order of the axes; no copy."""
        if not isinstance(array, np.ndarray) or array.dtype.kind != 'f' or not array.size:
            kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise ValueError(f'expected floating-point numbers, found {kind}')
        shape, layout, dims = array.shape, self.layout.layout, self.layout.dims
        if array.ndim != 2:  # one vector, features pooled over height and width, or a batch of one
            long = [length for length in shape if length > 1]
            if len(long) > 2:
                raise ValueError(f'the shape {shape} has more axes than time and vector')
            array = array.reshape(long)
            if len(long) < 2:
                array, layout = array.reshape(1, -1), 'TD'
        if layout is None:
            if array.shape == (dims, dims):
                raise ValueError(f'the shape {shape} leaves open which axis is time: set layout to TD or DT')
            layout = 'DT' if array.shape[0] == dims else 'TD'
        array = array if layout == 'TD' else array.T
        if dims not in (None, array.shape[1]):
            raise ValueError(f'the shape {shape} does not have dims={dims} dimensions per vector')
        return array
