"""Which files below a folder are videos."""

import os
import warnings
from collections import Counter
from functools import cache

import av

from twlv_mm.records import raise_if_system

# FFmpeg's containers and raw streams of video; their endings are asked of it.
FORMATS = (
    *('amv', 'asf', 'avi', 'avs2', 'avs3', 'cavsvideo', 'dhav', 'dirac', 'dnxhd', 'dv', 'dvd', 'f4v', 'flv', 'gif'),
    *('gxf', 'h261', 'h263', 'h264', 'hevc', 'ismv', 'ivf', 'kux', 'm4v', 'matroska', 'mjpeg', 'mov', 'mpeg'),
    *('mpeg1video', 'mpeg2video', 'mpegts', 'mxf', 'nut', 'obu', 'ogv', 'rm', 'roq', 'smjpeg', 'svcd', 'swf', 'ty'),
    *('vc1', 'vc1test', 'vivo', 'vob', 'vvc', 'webm', 'wtv', 'yuv4mpegpipe'),
)
# Endings of the same containers that files without video have.
NO_VIDEO = {'avif', 'heic', 'heif', 'ism', 'isma', 'm4a', 'm4b', 'mka', 'mks', 'mpo', 'ra', 'wma'}
# Usual ones that FFmpeg does not list: it recognises these files by their content.
OTHERS = {'divx', 'm2p', 'm2v', 'mod', 'mpe', 'mpv', 'ogm', 'ogx', 'qt', 'rmvb', 'tod', 'tp', 'trp', 'xvid'}


@cache
def video_endings():
    """The endings of files that are taken for videos.

    Returns:
        frozenset[str]: in lower case, with the dot.
    """
    known = set().union(*(av.ContainerFormat(name).extensions for name in FORMATS if name in av.formats_available))
    return frozenset(f'.{ending}' for ending in (known | OTHERS) - NO_VIDEO)


def is_video(path):
    """Whether a file is a video by the ending of its name.

    Args:
        path (str | Path): Its path, or only its name.
    """
    return os.path.splitext(path)[1].lower() in video_endings()


def walk_files(folder):
    """List the files below a folder.

    Links to folders are followed, but no folder is entered twice: not one that a link in it leads back to, nor one that
    has been listed under its own name. Hidden files and folders are passed over. A warning names folders that cannot be
    read.

    Args:
        folder (str | Path): The folder.

    Yields:
        str: path of a file, or of a link that leads nowhere.
    """
    entered, folders, links = set(), [os.fspath(folder)], []
    while folders or links:
        place = folders.pop() if folders else links.pop(0)
        try:
            status = os.stat(place)
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(place) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            if not isinstance(error, PermissionError):
                raise_if_system(error, place)
            warnings.warn(f'the folder {place} is left out, it cannot be read: {error}', stacklevel=2)
            continue
        for entry in entries:
            if entry.name.startswith('.'):
                continue
            if entry.is_symlink():
                if os.path.isdir(entry.path):
                    links.append(entry.path)
                else:
                    yield entry.path
            elif entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                yield entry.path


def passed_over(paths):
    """Say which files are no videos.

    Args:
        paths (Iterable[str | Path]): Files.

    Returns:
        str: 'passed over 3 files that are no videos: .txt 2, .jpg 1'; empty where there are none.
    """
    endings = Counter(os.path.splitext(path)[1].lower() or 'no ending' for path in paths)
    total = endings.total()
    if not total:
        return ''
    counts = ', '.join(f'{ending} {count}' for ending, count in endings.most_common(10))
    more = f', {len(endings) - 10} other endings' if len(endings) > 10 else ''
    what = 'file that is no video' if total == 1 else 'files that are no videos'
    return f'passed over {total} {what}: {counts}{more}'
