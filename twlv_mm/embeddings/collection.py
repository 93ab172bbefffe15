"""Embedding a folder of videos."""

import os
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import twlv_mm
from twlv_mm.video import VideoError

from .store import write_embeddings

SUFFIXES = ('.mp4', '.avi', '.mkv', '.webm', '.mov', '.mpg', '.mpeg', '.m4v', '.wmv', '.flv', '.ts', '.3gp')


def find_videos(source):
    """Find the videos that a path stands for.

    Args:
        source (str): A video file, or a folder that is searched with its sub-folders.

    Returns:
        dict[str, str]: video id -> path, sorted. The id is the path below the folder without the file's suffix.

    Raises:
        FileNotFoundError: if there is no such path, or no video in the folder.
        ValueError: if two videos would get the same id.
    """
    source = Path(source)
    if source.is_file():
        return {source.stem: str(source)}
    if not source.is_dir():
        raise FileNotFoundError(f'there is no file or folder {source}')
    videos = {}
    for path in sorted(p for p in source.rglob('*') if p.suffix.lower() in SUFFIXES and p.is_file()):
        video_id = path.relative_to(source).with_suffix('').as_posix()
        if video_id in videos:
            raise ValueError(f'{videos[video_id]} and {path} would both be written as {video_id}: rename one of them')
        videos[video_id] = str(path)
    if not videos:
        raise FileNotFoundError(f'no videos in {source}; files with these endings count: {" ".join(SUFFIXES)}')
    return videos


def extract_collection(extractor, videos, out, split='all'):
    """Embed videos into ``<out>/<sampling>/<split>/`` in the published layout.

    A video that cannot be read is skipped and listed.

    Args:
        extractor (Extractor): Encoder and sampling.
        videos (dict[str, str]): video id -> path.
        out (str): Folder to write to.
        split (str): Name of the sub-folder, for example 'train' or 'val'.

    Returns:
        dict[str, str]: path -> reason, for the videos that could not be read.
    """
    folder = os.path.join(out, extractor.sampling, split)
    arch_name, sha256 = extractor.model.arch_name, extractor.model.weights_sha256
    failures = {}
    columns = TextColumn('embedding'), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns) as progress:
        for video_id, path in progress.track(videos.items()):
            try:
                embeddings, info = extractor(path)
            except (VideoError, OSError) as error:
                failures[path] = str(error)
                progress.console.print(f'skipped: {error}', markup=False, highlight=False, soft_wrap=True)
                continue
            info.update(
                model=arch_name,
                weights_sha256=sha256,
                sampling=extractor.sampling,
                frames_per_clip=extractor.num_frames,
                version=twlv_mm.__version__,
            )
            if extractor.sampling == 'multi-clip':
                stride_seconds = extractor.stride_seconds or extractor.clip_seconds
                info.update(clip_seconds=extractor.clip_seconds, stride_seconds=stride_seconds)
            count, dims = write_embeddings(folder, video_id, embeddings, info)
            progress.console.print(
                f'{video_id}: {count} x {dims}, {info["duration"]:.2f} s', markup=False, highlight=False, soft_wrap=True
            )
    return failures
