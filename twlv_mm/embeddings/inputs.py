"""Which videos are to be embedded: files, folders, and the annotation lists of data sets."""

import glob
import itertools
import os
from pathlib import Path
from typing import NamedTuple

from mmengine.logging import print_log

from twlv_mm.records import checks, parsing, read_json, read_rows, read_video_list
from twlv_mm.video import is_video, passed_over, walk_files

from .naming import names_of

AVA_COLUMNS = 6  # at the least, without action and person


class Video(NamedTuple):
    """A video to embed, or a stretch of one.

    Attributes:
        video_id (str): Name of its embedding files; may hold sub-folders.
        path (str): Where it is, or should be.
        annotation (int | list[int] | None): Its class or classes, where a list says so.
        segment (tuple[float, float] | None): Start and end in seconds since the first frame; the whole file if None.
    """

    video_id: str
    path: str
    annotation: int | list | None = None
    segment: tuple[float, float] | None = None


def find_videos(source, root=None, subset=None):
    """Find the videos that a path stands for.

    Args:
        source (str): A video file; a folder, which is searched with its sub-folders; a pattern such as
            ``'videos/*/a*.mp4'``; or an annotation list: a ``.txt`` or ``.csv`` for
            :func:`twlv_mm.records.read_video_list` (``file start end class`` is a segment, its times in seconds with a
            decimal point), THUMOS14's or ActivityNet's ``.json``, AVA's ``.csv``. Hidden files and folders are passed
            over, unless a list names them; linked folders are searched once.
        root (str, optional): Folder of the videos of a list. If None, the folder of the list, or where all its paths
            are absolute, the folder that holds all of them.
        subset (str, optional): Of a ``.json``: only the videos of this subset ('validation', say).

    Returns:
        list[Video]: sorted by id. The id is the path below the folder (below ``root`` for a list, below the part
        without wildcards for a pattern) without the file's suffix, or what a json or csv calls it; that of a segment
        ends with ``_<start>_<end>``, and one that is listed again with ``_2`` and so on. A video of a list that is not
        there comes with the path where it was looked for: reading it will fail.
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
        raise FileNotFoundError(f'there is no file or folder {source}')
    elif is_list:
        with parsing(source):
            videos = _LISTS[suffix](Path(source), root, subset)
        if not videos:
            raise FileNotFoundError(f'no videos are listed in {source}')
    else:
        videos = [Video(Path(source).stem, source)]
    if not videos:
        raise FileNotFoundError(f'{where}; files count whose ending FFmpeg knows for video')
    if root is not None and not is_list:
        raise ValueError(f"root is the folder of a list's videos, and {source} is no list: leave root out")
    if subset is not None and not (is_list and suffix == '.json'):
        raise ValueError(f'a .json has subsets, and {source} is none: leave subset out')
    outside = [video for video in videos if '..' in video.video_id.split('/') or os.path.isabs(video.video_id)]
    if outside:
        raise ValueError(
            f'{source} lists {outside[0].path}, outside of the folder of the videos, and its files would be written '
            'outside of theirs: let root be a folder that holds all videos, or name them below it'
        )
    for video in videos if is_list else ():
        checks.name(video.video_id, f'{source}, the name of a video')
    videos.sort(key=lambda video: video.video_id)
    for one, other in itertools.pairwise(videos):
        if one.video_id == other.video_id:
            raise ValueError(f'{one.path} and {other.path} would both be written as {one.video_id}: rename one of them')
    return videos


def _is_file(path):
    return os.path.isfile(path) or os.path.islink(path)


def _of_files(paths, base):
    videos, others = [], []
    for path in map(Path, paths):
        below = path.relative_to(base)
        # Hidden ones are what systems leave beside videos, such as macOS's ._name.mp4.
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
    """Lines of a file and its classes; a file that comes several times has all the classes of its lines."""
    listed = read_video_list(source)
    if root is None:
        whole = bool(listed) and all(os.path.isabs(video.file) for video in listed)
        root = os.path.commonpath({os.path.dirname(video.file) for video in listed}) if whole else source.parent
    root = str(Path(root, '_'))[:-1]  # with the slash, if it needs one
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
    # Of millions of lines: pathlib would take most of the time.
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
            f'{source}, line {line}: {name} is outside of the folder of the videos {root}, and its files would be '
            'written outside of theirs: let root be a folder that holds all videos, or name them below it'
        )
    below = os.path.normpath(below)
    return below, os.path.normpath(name) if absolute else root + below


def _of_activitynet_json(source, root, subset):
    content = read_json(source)
    if not isinstance(content, dict) or 'database' not in content:
        raise ValueError(
            f'{source} is not an annotation list of a known kind: it has no "database", as THUMOS14\'s and '
            "ActivityNet's have; the folder of the videos can be given instead"
        )
    entries = checks.instance(content['database'], dict, f'{source}, database')
    subsets = sorted({entry['subset'] for entry in entries.values()})
    if subset not in (None, *subsets):
        raise ValueError(f'{source} has no subset {subset!r}; there are {", ".join(subsets)}')
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
    """Find the files of ids somewhere below the root, also those that go by an id as :func:`names_of` says."""
    root = source.parent if root is None else Path(root)
    files = {}
    known = set(names)
    for path in filter(is_video, walk_files(root)):
        stem = Path(path).stem
        for name in [stem] if stem in known else names_of(stem):
            files.setdefault(name, []).append(path)
    videos = []
    for name in names:
        found = files.get(name, [])
        if len(found) > 1:
            raise ValueError(f'{source} lists {name}, and both {found[0]} and {found[1]} fit it: remove one of them')
        videos.append(Video(name, found[0] if found else str(root / f'{name}.mp4')))
    return videos


_LISTS = {'.txt': _of_list, '.json': _of_activitynet_json, '.csv': _of_csv}
