"""Find the videos to embed: files, folders, patterns and the annotation lists of datasets."""

import glob
import itertools
import os
from pathlib import Path
from typing import NamedTuple

from mmengine.logging import print_log

from twlv_mm.records import checks, parsing, read_json, read_rows, read_video_list
from twlv_mm.video import is_video, passed_over, walk_files

from .video_aliases import aliases_of, ids_by_alias

AVA_COLUMNS = 6  # at least, without action and person


class Video(NamedTuple):
    """A video to embed, or a segment of one."""

    video_id: str  # name of its embedding files; may contain sub-folders
    path: str  # expected path
    annotation: int | list[int] | None = None  # class or classes from a list
    segment: tuple[float, float] | None = None  # start and end in seconds since the first frame; the whole file if None


def find_videos(source, root=None, subset=None):
    """Find the videos of a source.

    Args:
        source (str): A video file; a folder, searched recursively; a pattern such as ``'videos/*/a*.mp4'``; or an
            annotation list: a ``.txt`` or ``.csv`` for :func:`twlv_mm.records.read_video_list` (where
            ``file start end class`` is a segment, times in seconds with a decimal point), THUMOS14's or ActivityNet's
            ``.json``, or AVA's ``.csv``. Hidden files and folders are skipped unless a list names them; linked folders
            are searched once.
        root (str, optional): Folder of the videos of a list. If None, the folder of the list, or the common folder of
            the videos if all paths are absolute.
        subset (str, optional): Of a ``.json``: only the videos of this subset, such as 'validation'.

    Returns:
        list[Video]: sorted by id. The id is the path below the folder (for a list below ``root``, for a pattern below
        its part without wildcards) without extension, or the id in a json or csv; a segment's ends with
        ``_<start>_<end>`` (``_2`` and so on if repeated). A listed video that does not exist has its expected path;
        reading it will fail.
    """
    source = os.fspath(source)
    suffix = Path(source).suffix.lower()
    is_list = os.path.isfile(source) and suffix in _LISTS
    if glob.has_magic(source) and not os.path.exists(source):
        base = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), Path(source).parts[:-1]))
        videos = _of_files(filter(_is_file, glob.glob(source, recursive=True)), base)
        where = f'no videos match {source}'
    elif os.path.isdir(source):
        videos = _of_files(walk_files(source), Path(source))
        where = f'no videos in {source}'
    elif not os.path.isfile(source):
        raise FileNotFoundError(f'file or folder {source} does not exist')
    elif is_list:
        with parsing(source):
            videos = _LISTS[suffix](Path(source), root, subset)
        if not videos:
            raise FileNotFoundError(f'no videos are listed in {source}')
    else:
        videos = [Video(Path(source).stem, source)]
    if not videos:
        raise FileNotFoundError(f'{where}; video files are recognised by extensions that FFmpeg knows')
    if root is not None and not is_list:
        raise ValueError(f'root is for lists, but {source} is not a list: leave root out')
    if subset is not None and not (is_list and suffix == '.json'):
        raise ValueError(f'subset is for .json lists, but {source} is not one: leave subset out')
    outside = [video for video in videos if '..' in video.video_id.split('/') or os.path.isabs(video.video_id)]
    if outside:
        raise ValueError(
            f'{source} lists {outside[0].path}, outside the video folder, so that its embeddings would be written '
            'outside theirs: set root to a folder that holds all videos'
        )
    for video in videos if is_list else ():
        checks.name(video.video_id, f'{source}, the name of a video')
    videos.sort(key=lambda video: video.video_id)
    for one, other in itertools.pairwise(videos):
        if one.video_id == other.video_id:
            raise ValueError(f'{one.path} and {other.path} both have the id {one.video_id}: rename one of them')
    return videos


class VideoFiles:
    """Look-up of video files by id or alias (see :func:`twlv_mm.embeddings.ids_by_alias`).

    Args:
        source (str): The video files, as for :func:`twlv_mm.embeddings.find_videos`.
    """

    def __init__(self, source):
        self.source = source
        self._videos = {video.video_id: video for video in find_videos(source)}
        self._names = ids_by_alias(self._videos)

    def __call__(self, video_id):
        """Find the file of a video id.

        Returns:
            Video: path and, for part of a file, segment.

        Raises:
            FileNotFoundError: if no file matches, or several do.
        """
        found = self._names.get(video_id) or self._names.get(video_id.removeprefix('v_'))
        if found is not None:
            return self._videos[found]
        fitting = [video.path for name, video in self._videos.items() if video_id in aliases_of(name)]
        if fitting:
            raise FileNotFoundError(f'it matches several files: {" and ".join(fitting[:2])}')
        raise FileNotFoundError(f'it is not among the videos of {self.source}')

    def names(self, path):
        """Ids and aliases (set) of the video or segments in a file; empty if the file is not one of these videos."""
        real = os.path.realpath(path)
        found = [name for name, video in self._videos.items() if os.path.realpath(video.path) == real]
        return set().union(*map(aliases_of, found))


def _is_file(path):
    return os.path.isfile(path) or os.path.islink(path)


def _of_files(paths, base):
    videos, others = [], []
    for path in map(Path, paths):
        below = path.relative_to(base)
        # Hidden files, such as macOS's ._name.mp4.
        if any(part.startswith('.') for part in below.parts):
            continue
        if is_video(path):
            videos.append(Video(below.with_suffix('').as_posix(), str(path)))
        else:
            others.append(path)
    if text := passed_over(others):
        print_log(f'{base}: {text}', 'current')
    return videos


def _of_list(source, root, subset):
    """Lines of a file and its classes; a repeated file has the classes of all its lines."""
    listed = read_video_list(source)
    if root is None:
        whole = bool(listed) and all(os.path.isabs(video.file) for video in listed)
        root = os.path.commonpath({os.path.dirname(video.file) for video in listed}) if whole else source.parent
    root = str(Path(root, '_'))[:-1]  # with a slash if needed
    classes, counts, segments = {}, {}, []
    for line, name, labels, segment in listed:
        if segment is None and name in classes:
            classes[name][2].extend(labels)
            continue
        video_id, path = _listed_id_and_path(name, root, source, line)
        if segment is None:
            classes[name] = video_id, path, [*labels]
            continue
        video_id += f'_{segment[0]:.3f}_{segment[1]:.3f}'
        counts[video_id] = counts.get(video_id, 0) + 1
        if counts[video_id] > 1:
            video_id += f'_{counts[video_id]}'
        segments.append(Video(video_id, path, labels[0] if labels else None, segment))
    files = [
        Video(video_id, path, found[0] if len(found) == 1 else found or None)
        for video_id, path, found in classes.values()
    ]
    return files + segments


def _listed_id_and_path(name, root, source, line):
    # No pathlib: it would dominate the time for millions of lines.
    around = f'/{name}/'
    if '//' not in around and '/.' not in around:
        below, path = name, root + name
    else:
        below, path = _normalised(name, root, source, line)
    stem, _, ending = below.rpartition('.')
    has_ending = ending and '/' not in ending and stem.rpartition('/')[2].strip('.')
    return (stem if has_ending else below), path


def _normalised(name, root, source, line):
    absolute = name.startswith('/')
    below = os.path.relpath(name, root) if absolute else name
    if '..' in below.split('/'):
        raise ValueError(
            f'{source}, line {line}: {name} is outside the video folder {root}, so that its embeddings would be '
            'written outside theirs: set root to a folder that holds all videos'
        )
    below = os.path.normpath(below)
    return below, os.path.normpath(name) if absolute else root + below


def _of_activitynet_json(source, root, subset):
    content = read_json(source)
    if not isinstance(content, dict) or 'database' not in content:
        raise ValueError(
            f'{source} is not an annotation list of a known kind: it has no "database", unlike THUMOS14\'s and '
            "ActivityNet's; give the folder of the videos instead"
        )
    entries = checks.instance(content['database'], dict, f'{source}, database')
    subsets = sorted({entry['subset'] for entry in entries.values()})
    if subset not in (None, *subsets):
        raise ValueError(f'{source} has no subset {subset!r}; choose from {", ".join(subsets)}')
    names = [name for name, entry in entries.items() if subset in (None, entry['subset'])]
    return _of_names(names, root, source)


def _of_csv(source, root, subset):
    with source.open('rb') as file:
        commas = file.readline().count(b',')
    if commas < AVA_COLUMNS - 1:
        return _of_list(source, root, subset)
    names = dict.fromkeys(row[0] for row in read_rows(source).values())
    return _of_names([name for name in names if name not in ('video_id', 'video')], root, source)


def _of_names(names, root, source):
    """Find the files of ids anywhere below the root, also by their aliases."""
    root = source.parent if root is None else Path(root)
    files = {}
    known = set(names)
    for path in filter(is_video, walk_files(root)):
        stem = Path(path).stem
        for name in [stem] if stem in known else aliases_of(stem):
            files.setdefault(name, []).append(path)
    videos = []
    for name in names:
        found = files.get(name, [])
        if len(found) > 1:
            raise ValueError(f'{source} lists {name}, which matches {found[0]} and {found[1]}: remove one of them')
        videos.append(Video(name, found[0] if found else str(root / f'{name}.mp4')))
    return videos


_LISTS = {'.txt': _of_list, '.json': _of_activitynet_json, '.csv': _of_csv}
