"""Which videos are to be embedded: files, folders, and the annotation lists of data sets."""

import glob
import itertools
import os
import re
from pathlib import Path
from typing import NamedTuple

from twlv_mm.records import checks, read_json, read_lines, read_rows

SUFFIXES = ('.mp4', '.avi', '.mkv', '.webm', '.mov', '.mpg', '.mpeg', '.m4v', '.wmv', '.flv', '.ts', '.3gp')

# file start end [class]: times have a decimal point, which tells them from classes.
SEGMENT_LINE = re.compile(r'(.*\S)\s+(\d+\.\d+)\s+(\d+\.\d+)((?:\s+\d+)?)')


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
            ``'videos/*/a*.mp4'``; or an annotation list: mmaction2's ``.txt`` (``file class …`` in a line, or files
            only; ``file start end class`` is a segment, its times in seconds with a decimal point), THUMOS14's or
            ActivityNet's ``.json``, AVA's ``.csv``. Hidden files and folders are passed over, unless a list names them.
        root (str, optional): Folder of the videos of a list; the folder of the list if None.
        subset (str, optional): Of a ``.json``: only the videos of this subset ('validation', say).

    Returns:
        list[Video]: sorted by id. The id is the path below the folder (below ``root`` for a list, below the part
        without wildcards for a pattern) without the file's suffix, or what a json or csv calls it; that of a segment
        ends with ``_<start>_<end>``, and one that is listed again with ``_2`` and so on. A video of a list that is not
        there comes with the path where it was looked for: reading it will fail.

    Raises:
        FileNotFoundError: if there is no such path, or no video in it.
        ValueError: if two videos would get the same id, a segment does not end after it starts, a list cannot be read
            or has no such subset, or ``root`` or ``subset`` are given and there is no list, or no ``.json``.
    """
    source = os.fspath(source)
    suffix = Path(source).suffix.lower()
    is_list = os.path.isfile(source) and suffix in _LISTS
    if glob.has_magic(source) and not os.path.exists(source):
        base = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), Path(source).parts[:-1]))
        videos = _of_files((Path(path) for path in glob.glob(source, recursive=True)), base)
        where = f'no videos match {source}'
    elif os.path.isdir(source):
        videos = _of_files(Path(source).rglob('*'), Path(source))
        where = f'no videos in {source}'
    elif not os.path.isfile(source):
        raise FileNotFoundError(f'there is no file or folder {source}')
    elif is_list:
        try:
            videos = _LISTS[suffix](Path(source), Path(root or Path(source).parent), subset)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f'{source} is not an annotation list of a known kind: {error!r}') from error
        if not videos:
            raise FileNotFoundError(f'no videos are listed in {source}')
    else:
        videos = [Video(Path(source).stem, source)]
    if not videos:
        raise FileNotFoundError(f'{where}; files with these endings count: {" ".join(SUFFIXES)}')
    if root is not None and not is_list:
        raise ValueError(f"root is the folder of a list's videos, and {source} is no list: leave root out")
    if subset is not None and not (is_list and suffix == '.json'):
        raise ValueError(f'a .json has subsets, and {source} is none: leave subset out')
    outside = [video for video in videos if '..' in Path(video.video_id).parts or os.path.isabs(video.video_id)]
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


def _of_files(paths, base):
    return [
        Video(path.relative_to(base).with_suffix('').as_posix(), str(path))
        for path in paths
        if path.suffix.lower() in SUFFIXES
        # Hidden ones are what systems leave beside videos, such as macOS's ._name.mp4.
        and not any(part.startswith('.') for part in path.relative_to(base).parts)
        and (path.is_file() or path.is_symlink())
    ]


def _of_mmaction_list(source, root, subset):
    """Lines of a file and its classes; a file that comes several times has all the classes of its lines."""
    classes, segments = {}, []
    for line in read_lines(source).values():
        if segment := SEGMENT_LINE.fullmatch(line):
            segments.append(segment.groups())
            continue
        words = line.split()
        end = len(words)
        while end > 1 and words[end - 1].isdigit():
            end -= 1
        name = ' '.join(words[:end])
        classes.setdefault(name, []).extend(
            checks.count_in(word, f'{source}, a class of {name}') for word in words[end:]
        )
    files = [
        Video(_listed_id(name, root), str(root / name), found[0] if len(found) == 1 else found or None)
        for name, found in classes.items()
    ]
    return files + list(_of_segments(segments, source, root))


def _of_segments(lines, source, root):
    counts = {}
    for name, start, end, label in lines:
        if not float(start) < float(end):
            raise ValueError(f'{source}: {name} has a segment from {start} to {end} s: it has to end after it starts')
        video_id = f'{_listed_id(name, root)}_{float(start):.3f}_{float(end):.3f}'
        counts[video_id] = counts.get(video_id, 0) + 1
        if counts[video_id] > 1:
            video_id += f'_{counts[video_id]}'
        yield Video(video_id, str(root / name), int(label) if label else None, (float(start), float(end)))


def _listed_id(name, root):
    path = Path(os.path.relpath(name, root)) if os.path.isabs(name) else Path(name)
    return path.with_suffix('').as_posix()


def _of_activitynet_json(source, root, subset):
    content = read_json(source)
    if 'database' not in content:
        raise ValueError(
            f'{source} is not an annotation list of a known kind: it has no "database", as THUMOS14\'s and '
            "ActivityNet's have; the folder of the videos can be given instead"
        )
    entries = content['database']
    subsets = sorted({entry['subset'] for entry in entries.values()})
    if subset not in (None, *subsets):
        raise ValueError(f'{source} has no subset {subset!r}; there are {", ".join(subsets)}')
    names = [name for name, entry in entries.items() if subset in (None, entry['subset'])]
    return _of_names(names, root)


def _of_ava_csv(source, root, subset):
    names = dict.fromkeys(row[0] for row in read_rows(source).values())
    return _of_names([name for name in names if name not in ('video_id', 'video')], root)


def _of_names(names, root):
    """Find the files of ids: ``<id>.<suffix>`` somewhere below the root; ActivityNet's files have v_ before the id."""
    files = {Path(video.path).stem: video.path for video in _of_files(root.rglob('*'), root)}
    return [Video(name, files.get(name) or files.get(f'v_{name}') or str(root / f'{name}.mp4')) for name in names]


_LISTS = {'.txt': _of_mmaction_list, '.json': _of_activitynet_json, '.csv': _of_ava_csv}
