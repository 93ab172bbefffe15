"""A folder of embeddings, read the same way whether it holds the published layout, Parquet or features of elsewhere.

npy.py reads the first, parquet_parts.py the second, features.py the third.
"""

import os
from difflib import get_close_matches
from pathlib import Path

from twlv_mm.video import walk_files

from .features import DESCRIPTION, ENDINGS, FeatureFiles, read_layout
from .manifest import MANIFEST
from .npy import NpyFiles
from .parquet import PART_NAME
from .parquet_parts import ParquetParts

MAX_NAME_BYTES = 255  # of the usual file systems


class EmbeddingFolder:
    """The embeddings of a split, by video id.

    The format is recognised by the files. Where both formats are there, as tools/extract.py writes them on request, the
    published layout is read if it has every video that the Parquet files have; otherwise the folder is refused, since
    neither is the whole split. Videos that an extraction has not finished are not there. Arrays are read when they are
    asked for. Features that were made elsewhere are read as they are, where a ``twlv_features.json`` in the folder, or
    ``features``, says how: see :class:`~twlv_mm.embeddings.features.FeatureLayout`.

    Args:
        path (str): ``<out>/<sampling>/<split>``. Its sub-folders are part of the video ids; hidden files, ``*.part``
            and manifest.json are not embeddings.
        refused (list, optional): Takes the path and the error of each Parquet file that cannot be used, which would be
            raised otherwise.
        names (list[str], optional): Only these of its files, by their paths below it.
        features (dict, optional): What is said of features that were made elsewhere.

    Attributes:
        path (Path): The folder.
        format (str): 'npy' (published layout), 'parquet' or 'features'.
        features (FeatureLayout | None): What is said of features; None of this project's embeddings.
        video_ids (list[str]): Sorted.
    """

    def __init__(self, path, refused=None, names=None, features=None):
        self.path = Path(path)
        if not self.path.is_dir():
            raise FileNotFoundError(f'there is no folder {path}')
        names = list(_scan(self.path)) if names is None else names
        self.features = read_layout(self.path, features)
        self.format, self.files = self._files(names, refused)
        self.video_ids = sorted(self.files.video_ids)
        if not self.video_ids:
            raise FileNotFoundError(f'no embeddings in {path}: {self._none(names)}')
        self._first = None

    def _files(self, names, refused):
        if self.features is not None:
            return 'features', FeatureFiles(self.path, names, self.features)
        parts = sorted(self.path / name for name in names if PART_NAME.fullmatch(name))
        # tools/extract.py, which leaves a manifest, writes a video's json last; other tools write none.
        ours = (self.path / MANIFEST).is_file() and any(name.endswith('.json') for name in names)
        files = NpyFiles(self.path, names, json_is_last=ours)
        if parts:
            files = self._whole(files, ParquetParts(parts, refused))
        return 'npy' if isinstance(files, NpyFiles) else 'parquet', files

    def _none(self, names):
        """Why there is nothing to read."""
        if self.features is not None:
            return f'no file is named as {DESCRIPTION}, or features in the config, says'
        others = [name for name in names if name.endswith(ENDINGS)]
        return (
            'neither <video_id>_c.npy or _v.npy nor part-*.parquet; name the folder <out>/<sampling>/<split> that '
            'tools/extract.py wrote'
            + (
                f'; or if {others[0]} and others are features that were made elsewhere, say how they are to be read in '
                f'{DESCRIPTION} beside them (docs/embeddings.md)'
                if others
                else ''
            )
        )

    def __len__(self):
        """Number of videos."""
        return len(self.video_ids)

    def __contains__(self, video_id):
        """Whether the folder has a video of this id."""
        return video_id in self.files.video_ids

    @property
    def dims(self):
        """D, numbers a vector, as the video has it that was read first."""
        if self._first is None:
            self._checked(*self.files.any_vectors(self.video_ids[0]))
        return self._first[1]

    def clips(self, video_id):
        """Vectors of a video's clips.

        Args:
            video_id (str): One of ``video_ids``.

        Returns:
            ndarray: (M, D) float32, in order of time, M >= 1.
        """
        return self._checked(*self.files.clips(self._known(video_id)))

    def count(self, video_id):
        """How many clips a video has, from the header of its file where that says it.

        Args:
            video_id (str): One of ``video_ids``.

        Returns:
            int: M.
        """
        return self.files.count(self._known(video_id))

    def video(self, video_id):
        """Vector of a whole video; the mean of its clips where none was written.

        Args:
            video_id (str): One of ``video_ids``.

        Returns:
            ndarray: (D,) float32.
        """
        if not self.files.has_video(self._known(video_id)):
            return self.clips(video_id).mean(axis=0)
        return self._checked(*self.files.video(video_id))

    def info(self, video_id):
        """What is known of a video: duration in seconds, num_frames and whatever else its json or Parquet file says.

        Args:
            video_id (str): One of ``video_ids``.

        Returns:
            dict: Empty where nothing was written.
        """
        return self.files.info(self._known(video_id))

    def times(self, video_id):
        """Start and end of a video's clips.

        Args:
            video_id (str): One of ``video_ids``.

        Returns:
            ndarray | None: (M, 2) float64 seconds since the first frame; None where they are not known.
        """
        return self.files.times(self._known(video_id))

    def annotation(self, video_id):
        """Label of a video, as it was written.

        Args:
            video_id (str): One of ``video_ids``.

        Returns:
            str | int | list | None: None where there is none.
        """
        return self.info(video_id).get('annotation')

    def _whole(self, npy, parquet):
        missing = sorted(set(parquet.video_ids) - npy.video_ids)
        if not missing:
            return npy
        if npy.video_ids:
            raise ValueError(
                f'{self.path} holds {len(npy.video_ids)} videos as npy files, but {len(missing)} of its Parquet files '
                f'are not among them ({", ".join(missing[:3])}): extract again, or remove one of the formats'
            )
        return parquet

    def _known(self, video_id):
        if video_id not in self.files.video_ids:
            near = get_close_matches(str(video_id), self.video_ids, 1, cutoff=0.0)
            raise ValueError(f'{self.path} has no video {video_id!r} among its {len(self)}; the nearest is {near[0]!r}')
        return video_id

    def _checked(self, source, array):
        self._first = self._first or (source, array.shape[-1])
        if array.shape[-1] != self._first[1]:
            cure = 'extract it again' if self.features is None else 'or is layout the other one?'
            raise ValueError(
                f'{source} has {array.shape[-1]} numbers a vector, {self._first[0]} has {self._first[1]}: '
                f'one of them is of another encoder; {cure}'
            )
        return array


def check_id(video_id, path):
    """Check that a folder finds the embeddings of a video again, and that they are in it.

    Args:
        video_id (str): Its id.
        path (str): Its file, for the message.
    """
    around = f'/{video_id}/'
    if f'{video_id}.json' in (MANIFEST, DESCRIPTION) or '//' in around or '/.' in around or '.part/' in video_id:
        raise ValueError(
            f'{path} would be embedded as {video_id!r}, which cannot be read again: an id must not be absolute or '
            f'hidden, in a folder called *.part, or the name of {MANIFEST} or {DESCRIPTION}. Rename the video'
        )


def name_fault(video_id):
    """Why files cannot have the id of a video in their names.

    Args:
        video_id (str): Its id.

    Returns:
        str | None: the reason; None if they can.
    """
    try:
        encoded = video_id.encode()
    except UnicodeEncodeError:
        return 'its name is not UTF-8: rename the file or its folder'
    most = MAX_NAME_BYTES - len('_c.npy')
    if len(encoded) > most and (longest := max(map(len, encoded.split(b'/')))) > most:
        return f'its name is too long for <id>_c.npy: {longest} bytes, at most {most}; rename the file or its folder'
    return None


def _scan(folder):
    """Paths below a folder of its files, without hidden and unfinished ones."""
    start = len(os.path.join(folder, ''))
    for path in walk_files(folder):
        name = path[start:]
        if not name.endswith('.part') and '.part/' not in name and name != MANIFEST:
            yield name
