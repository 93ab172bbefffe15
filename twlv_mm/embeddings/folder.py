"""Folders of embeddings, read the same way whether they hold npy files, Parquet, or features of other tools."""

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

    The format is recognised by the files. If both formats are there, TWLV-I's layout is read if it has every video
    of the Parquet files; otherwise the folder is refused, as neither is complete. Unfinished videos are not listed.
    Arrays are read on access. Features of other tools are described by ``twlv_features.json`` in the folder or by
    ``features``: see :class:`~twlv_mm.embeddings.features.FeatureLayout`.

    Args:
        path (str): ``<out>/<sampling>/<split>``. Sub-folders are part of the video ids; hidden files, ``*.part`` and
            manifest.json are ignored.
        refused (list, optional): Collects path and error of each unusable Parquet file instead of raising.
        names (list[str], optional): Use only these files, by their paths below the folder.
        features (dict, optional): Description of features.

    Attributes:
        path (Path): The folder.
        format (str): 'npy' (TWLV-I's layout), 'parquet' or 'features'.
        features (FeatureLayout | None): Description of features.
        video_ids (list[str]): Sorted.

    Raises:
        FileNotFoundError: if the folder does not exist or has no embeddings.
    """

    def __init__(self, path, refused=None, names=None, features=None):
        self.path = Path(path)
        if not self.path.is_dir():
            raise FileNotFoundError(f'folder {path} does not exist')
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
        # tools/extract.py, which writes a manifest, writes a video's json last; other tools may write none.
        ours = (self.path / MANIFEST).is_file() and any(name.endswith('.json') for name in names)
        files = NpyFiles(self.path, names, json_is_last=ours)
        if parts:
            files = self._whole(files, ParquetParts(parts, refused))
        return 'npy' if isinstance(files, NpyFiles) else 'parquet', files

    def _none(self, names):
        if self.features is not None:
            return f'no file name matches {DESCRIPTION} or features in the config'
        others = [name for name in names if name.endswith(ENDINGS)]
        return (
            'neither <video_id>_c.npy or _v.npy nor part-*.parquet; name the folder <out>/<sampling>/<split> that '
            'tools/extract.py wrote'
            + (
                f'; or if files such as {others[0]} are features of another tool, describe them in {DESCRIPTION} in '
                'the same folder (docs/embeddings.md)'
                if others
                else ''
            )
        )

    def __len__(self):
        return len(self.video_ids)

    def __contains__(self, video_id):
        return video_id in self.files.video_ids

    @property
    def dims(self):
        """int: D, dimensions per vector, of the first video that was read."""
        if self._first is None:
            self._checked(*self.files.any_vectors(self.video_ids[0]))
        return self._first[1]

    def clips(self, video_id):
        """(M, D) float32 vectors of a video's clips in order of time, M >= 1."""
        return self._checked(*self.files.clips(self._known(video_id)))

    def count(self, video_id):
        """Number of a video's clips, read from a file header where possible."""
        return self.files.count(self._known(video_id))

    def video(self, video_id):
        """(D,) float32 vector of a whole video; the mean of its clips if none was written."""
        if not self.files.has_video(self._known(video_id)):
            return self.clips(video_id).mean(axis=0)
        return self._checked(*self.files.video(video_id))

    def info(self, video_id):
        """dict with duration in seconds, num_frames and the rest of a video's json or Parquet metadata; empty if not
        written.
        """
        return self.files.info(self._known(video_id))

    def times(self, video_id):
        """(M, 2) float64 start and end of a video's clips in seconds since the first frame; None if unknown."""
        return self.files.times(self._known(video_id))

    def annotation(self, video_id):
        """Label of a video as written (str, int or list), or None."""
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
            fix = 'extract it again' if self.features is None else 'or layout is wrong'
            raise ValueError(
                f'{source} has {array.shape[-1]} dimensions per vector, {self._first[0]} has {self._first[1]}: '
                f'one of them comes from another encoder; {fix}'
            )
        return array


def check_id(video_id, path):
    """Check that a folder will find the embeddings of a video (of the file ``path``) again, and inside it."""
    around = f'/{video_id}/'
    if f'{video_id}.json' in (MANIFEST, DESCRIPTION) or '//' in around or '/.' in around or '.part/' in video_id:
        raise ValueError(
            f'{path} would be embedded as {video_id!r}, which could not be read again: an id must not be absolute or '
            f'hidden, in a folder named *.part, or the name of {MANIFEST} or {DESCRIPTION}. Rename the video'
        )


def name_fault(video_id, ending='_c.npy'):
    """Why a video id cannot be used in file names with an ending; None if it can."""
    try:
        encoded = video_id.encode()
    except UnicodeEncodeError:
        return 'its name is not UTF-8: rename the file or its folder'
    most = MAX_NAME_BYTES - len(ending)
    if len(encoded) > most and (longest := max(map(len, encoded.split(b'/')))) > most:
        return (
            f'its name is too long for <id>{ending}: {longest} bytes of at most {most}; rename the file or its folder'
        )
    return None


def _scan(folder):
    """Paths below a folder of its files, without hidden and unfinished ones."""
    start = len(os.path.join(folder, ''))
    for path in walk_files(folder):
        name = path[start:]
        if not name.endswith('.part') and '.part/' not in name and name != MANIFEST:
            yield name
