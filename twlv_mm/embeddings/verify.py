"""Checks of a folder of embeddings."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from itertools import chain, repeat
from numbers import Real
from typing import NamedTuple

import numpy as np

from twlv_mm.records import locked, path_below
from twlv_mm.video import HIGHEST_RATE, LONGEST_FRAME_SECONDS, clip_windows

from .extraction_settings import SETTINGS
from .folder import EmbeddingFolder
from .manifest import MANIFEST, read_failures, read_manifest
from .npy import ENDINGS
from .parquet import write_part
from .parquet_store import LOCK as PARTS_LOCK
from .parquet_store import set_aside
from .store import array_sha256

# Relative tolerance of the video vector against the mean of its clips; half precision has 11 bits.
MEAN_TOLERANCE, HALF_MEAN_TOLERANCE = 1e-4, 1e-3
# Seconds; other tools round durations to hundredths.
TIME_TOLERANCE = 0.01
CHUNK = 1000  # videos per work item


class Problem(NamedTuple):
    """A problem with a video's embeddings."""

    video_id: str  # the video; or manifest.json
    what: str  # what is wrong, in a sentence


def verify(folder, repair=False, processes=1):
    """Check a folder of embeddings in either format.

    Checked are: that each video has the files that others have (all three with a manifest), and that the manifest's
    videos exist or are in failures.jsonl; shapes; finite numbers; that a video's vector is the mean of its clips; that
    clips lie within the duration and match clip_seconds and stride_seconds in number; the hashes written with the
    vectors; and that all videos have the settings in the manifest, or without one those of the majority. Missing fields
    are not checked, nor are videos in failures.jsonl without files. An unreadable Parquet file is a problem under its
    own name.

    Args:
        folder (str | EmbeddingFolder): Embeddings in either format.
        repair (bool): Whether to delete the embeddings of damaged videos, so that the next extraction redoes them.
            Videos with other settings are not damaged. Unreadable Parquet files get the ending ``.damaged``.
        processes (int): Number of processes. With more than one the script must be importable (``if __name__ ==
            '__main__'``); worthwhile for thousands of videos.

    Returns:
        list[Problem]: sorted by video; empty for an intact folder.
    """
    refused = []
    if not isinstance(folder, EmbeddingFolder):
        try:
            folder = EmbeddingFolder(folder, refused)
        except FileNotFoundError:
            if not refused:
                raise
            folder = None  # all of it is unreadable
    if folder is not None and folder.features is not None:
        raise ValueError(f'{folder.path} has features of another tool, which are checked when they are read')
    if folder is not None and (below := _manifest_below(folder)):
        raise ValueError(f'{folder.path} holds several folders of embeddings, such as that of {below}: verify each')
    problems = [Problem(path.name, str(error)) for path, error in refused]
    if folder is not None:
        problems += _check_folder(folder, repair, processes)
    if repair:
        for path, _ in refused:
            set_aside(path)
    return sorted(problems)


def _manifest_below(folder):
    """The manifest of another extraction in a sub-folder, which repairing would take for a video's json."""
    if folder.format != 'npy' or (folder.path / MANIFEST).is_file():
        return None
    endings = folder.files.endings
    names = (f'{video_id}.json' for video_id, there in endings.items() if there == {'.json'})
    return next((name for name in names if name.endswith(f'/{MANIFEST}')), None)


def _check_folder(folder, repair, processes):
    damage, kinds = list(_check_files(folder)), {}
    for found, of_kinds in _check_chunks(folder, processes):
        damage += found
        for kind, video_ids in of_kinds.items():
            kinds.setdefault(kind, []).extend(video_ids)
    problems = [*damage, *_check_manifest(folder), *_check_settings(folder, kinds)]
    if repair:
        _delete(folder, {problem.video_id for problem in damage})
    return problems


def _check_chunks(folder, processes):
    chunks, first = _chunks(folder), _first_sound(folder)
    if processes == 1 or len(chunks) == 1:
        for names in chunks:
            yield _check_videos(folder.path, names, first)
        return
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(min(processes, len(chunks)), context) as pool:
        yield from pool.map(_check_videos, repeat(folder.path), chunks, repeat(first))


def _chunks(folder):
    """File names of the folder in chunks that hold whole videos."""
    if folder.format == 'parquet':
        return [[name] for name in folder.files.vector_paths()]
    names = [[video_id + ending for ending in folder.files.endings[video_id]] for video_id in folder.video_ids]
    return [list(chain.from_iterable(names[i : i + CHUNK])) for i in range(0, len(names), CHUNK)]


def _first_sound(folder):
    """Path and length of the first readable vector."""
    for video_id in folder.video_ids:
        with suppress(ValueError, FileNotFoundError):
            path, vectors = folder.files.any_vectors(video_id)
            return path, vectors.shape[-1]
    return None


def _check_videos(path, names, first):
    """Problems of the videos in some of a folder's files, and their settings as json -> ids."""
    folder, damage, kinds = EmbeddingFolder(path, names=names), [], {}
    folder._first = first
    for video_id in folder.video_ids:
        damage += [Problem(video_id, what) for what in _check_video(folder, video_id)]
        with suppress(ValueError):  # a damaged json is already listed
            info = folder.info(video_id)
            kind = json.dumps({name: info[name] for name in (*SETTINGS, 'precision') if name in info})
            kinds.setdefault(kind, []).append(video_id)
    return damage, kinds


def _check_settings(folder, kinds):
    try:
        allowed = read_manifest(folder.path)['settings']
    except (FileNotFoundError, ValueError):
        allowed = []
    allowed = allowed or [json.loads(min(kinds, key=lambda kind: (-len(kinds[kind]), kinds[kind])))] if kinds else []
    for kind, video_ids in kinds.items():
        info = json.loads(kind)
        differences = [
            [
                f'{name} is {info[name]!r}, not {made[name]!r}'
                for name in info
                if name in made and made[name] != info[name]
            ]
            for made in allowed
        ]
        if all(differences):
            for video_id in video_ids:
                yield Problem(video_id, f'was made with other settings: {"; ".join(min(differences, key=len))}')


def _delete(folder, video_ids):
    if folder.format == 'npy':
        for video_id in video_ids:
            for ending in ('.json', '_c.npy', '_v.npy'):
                path_below(folder.path, video_id + ending).unlink(missing_ok=True)
        return
    with locked(folder.path / PARTS_LOCK):
        for part in {folder.files.video_ids[video_id] for video_id in video_ids}:
            sound = [video_id for video_id in part.rows if video_id not in video_ids]
            if sound:
                write_part(part.path, map(part.read, sound))
            else:
                part.path.unlink()


def _check_manifest(folder):
    path = folder.path / MANIFEST
    if not path.is_file():
        return
    try:
        listed = set(read_manifest(folder.path)['videos'])
        failed = {failure['video_id'] for failure in read_failures(folder.path)}
    except (ValueError, TypeError, KeyError) as error:
        yield Problem(MANIFEST, f'it or failures.jsonl is unreadable ({error})')
        return
    there = set(folder.files.endings if folder.format == 'npy' else folder.video_ids)
    for video_id in listed - there - failed:
        yield Problem(video_id, 'is in the manifest but has neither embeddings nor a failure')
    for video_id in there - listed:
        yield Problem(video_id, 'is not in the manifest')


def _check_files(folder):
    if folder.format != 'npy':
        return
    endings = folder.files.endings
    # Without a manifest the folder is another tool's, possibly without json or _v.npy.
    expected = set(ENDINGS) if (folder.path / MANIFEST).is_file() else set().union(*endings.values())
    for video_id, there in endings.items():
        for ending in sorted(expected - there):
            yield Problem(video_id, f'has no {video_id}{ending}')


def _check_video(folder, video_id):
    """Sentences on a video's problems."""
    try:
        clips, video = folder.clips(video_id), folder.video(video_id)
        info, times = folder.info(video_id), folder.times(video_id)
    except (ValueError, FileNotFoundError) as error:
        yield str(error)
        return
    if not info and folder.format == 'parquet' and (folder.path / MANIFEST).is_file():
        yield 'has no info in the metadata of its Parquet file'
    finite = [np.isfinite(vector).all() for vector in (clips, video)]
    if not finite[0]:
        yield f'clips {_some(np.flatnonzero(~np.isfinite(clips).all(axis=1)))} contain NaN or Inf'
    if not finite[1]:
        yield 'the vector of the video contains NaN or Inf'
    if all(finite):
        yield from _check_mean(clips, video)
    yield from _check_hashes(info, clips_sha256=clips, video_sha256=video)
    yield from _check_times(info, times, len(clips))


def _check_mean(clips, video):
    mean = clips.mean(axis=0, dtype=np.float64)
    with np.errstate(over='ignore'):
        is_half = np.array_equal(video, video.astype(np.float16))
    tolerance = HALF_MEAN_TOLERANCE if is_half else MEAN_TOLERANCE
    distance, norm = np.linalg.norm(video - mean), np.linalg.norm(mean)
    if distance > tolerance * norm:
        yield f'the vector of the video is not the mean of its clips: {distance:.2g} away from it (norm {norm:.2g})'


def _check_hashes(info, **arrays):
    for name, array in arrays.items():
        if name in info and info[name] != array_sha256(array):
            yield f'{name} does not match the vectors: they were changed after they were written'


def _check_times(info, times, count):
    duration, clip_seconds, stride_seconds = (info.get(name) for name in ('duration', 'clip_seconds', 'stride_seconds'))
    for name in ('duration', 'clip_seconds', 'stride_seconds'):
        if info.get(name) is not None and not (_is_number(info[name]) and 0 < info[name] < np.inf):
            yield f'{name} is {json.dumps(info[name])}, not a length in seconds'
            return
    frames = info.get('num_frames')
    if duration is not None and _is_number(frames) and frames > 0:
        rate = frames / duration
        if not 1 / LONGEST_FRAME_SECONDS < rate < HIGHEST_RATE:
            yield f'{frames} frames in {duration:g} s is impossible: its file had broken time stamps, extract it again'
            return
    if times is not None:
        if len(times) != count:
            yield f'has {count} clips but times of {len(times)}'
        starts, ends = times.T
        if not (starts >= 0).all() or not (starts < ends).all():
            yield f'clips {_some(np.flatnonzero(~((starts >= 0) & (starts < ends))))} do not end after they start'
        if (np.diff(starts) < 0).any():
            yield 'clips are not in order of time'
        if duration is not None and (ends > duration + TIME_TOLERANCE).any():
            late = np.flatnonzero(ends > duration + TIME_TOLERANCE)
            yield f'clips {_some(late)} end after the video, which is {duration:g} s long'
    # A video that broke off has only the clips before the fault.
    if duration is not None and clip_seconds is not None and 'fault' not in info:
        every = clip_seconds if stride_seconds is None else stride_seconds
        about = (duration - clip_seconds) / every
        # Do not build billions of windows for absurd numbers.
        expected = len(clip_windows(duration, clip_seconds, every)) if about < 2 * count + 2 else f'about {about:.0f}'
        if count != expected:
            yield f'has {count} clips; {duration:g} s should have {expected} of {clip_seconds:g} s every {every:g} s'


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def _some(indices):
    return ', '.join(map(str, indices[:3])) + (' …' if len(indices) > 3 else '')
