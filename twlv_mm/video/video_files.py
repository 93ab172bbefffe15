"""Find the video files below a folder."""

import os
import warnings
from collections import Counter
from functools import cache

import av

from twlv_mm.records import raise_if_system

# FFmpeg's video containers and raw streams; FFmpeg knows their endings.
FORMATS = (
    *('amv', 'asf', 'avi', 'avs2', 'avs3', 'cavsvideo', 'dhav', 'dirac', 'dnxhd', 'dv', 'dvd', 'f4v', 'flv', 'gif'),
    *('gxf', 'h261', 'h263', 'h264', 'hevc', 'ismv', 'ivf', 'kux', 'm4v', 'matroska', 'mjpeg', 'mov', 'mpeg'),
    *('mpeg1video', 'mpeg2video', 'mpegts', 'mxf', 'nut', 'obu', 'ogv', 'rm', 'roq', 'smjpeg', 'svcd', 'swf', 'ty'),
    *('vc1', 'vc1test', 'vivo', 'vob', 'vvc', 'webm', 'wtv', 'yuv4mpegpipe'),
)
# Endings of the same containers for files without video.
NO_VIDEO = {'avif', 'heic', 'heif', 'ism', 'isma', 'm4a', 'm4b', 'mka', 'mks', 'mpo', 'ra', 'wma'}
# Common endings that FFmpeg does not list: it recognises these files by their content.
OTHERS = {'divx', 'm2p', 'm2v', 'mod', 'mpe', 'mpv', 'ogm', 'ogx', 'qt', 'rmvb', 'tod', 'tp', 'trp', 'xvid'}


@cache
def video_endings():
    """The endings of video files, in lower case with the dot."""
    known = set().union(*(av.ContainerFormat(name).extensions for name in FORMATS if name in av.formats_available))
    return frozenset(f'.{ending}' for ending in (known | OTHERS) - NO_VIDEO)


def is_video(path):
    """Whether the name of a file has the ending of a video."""
    return os.path.splitext(path)[1].lower() in video_endings()


def walk_files(folder):
    """Yield the paths of the files below a folder.

    Links to folders are followed, but no folder is entered twice. Hidden files and folders are skipped, and links to
    nothing are yielded. A warning names folders that cannot be read.
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
            warnings.warn(f'skipping the folder {place}, which cannot be read: {error}', stacklevel=2)
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
    """Summarise files that are not videos: 'passed over 3 files that are not videos: .txt 2, .jpg 1', or ''."""
    endings = Counter(os.path.splitext(path)[1].lower() or 'no ending' for path in paths)
    total = endings.total()
    if not total:
        return ''
    counts = ', '.join(f'{ending} {count}' for ending, count in endings.most_common(10))
    more = f', {len(endings) - 10} other endings' if len(endings) > 10 else ''
    what = 'file that is not a video' if total == 1 else 'files that are not videos'
    return f'passed over {total} {what}: {counts}{more}'
