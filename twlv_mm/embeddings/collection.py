"""Embed many videos: finished ones are never lost, failures are listed, and the rest goes on."""

import os
from contextlib import ExitStack
from typing import NamedTuple

import twlv_mm
from twlv_mm.records import CLASSES_FILE, write_text
from twlv_mm.video import ReadFault, Segment, check_decoder, read_ahead

from .batches import VIEWS, SharedBatches
from .claims import SharedVideos
from .extractor import not_finite
from .folder import check_id, name_fault
from .manifest import enter_run
from .progress import ExtractionProgress
from .store import Store

FORMATS = ('npy', 'parquet')
ON_FAULT = ('skip', 'keep')
ENGINES = ('local', 'ray')


class Summary(NamedTuple):
    """Result of a run."""

    embedded: int  # videos embedded
    finished_before: int  # videos that had embeddings already
    failures: list[dict]  # of this run, as read_failures() returns them


def extract_collection(
    extractor,
    videos,
    out,
    split='all',
    *,
    formats=('npy',),
    views=('forward',),
    on_fault='skip',
    mix=False,
    workers=None,
    decoder=None,
    timeout=120.0,
    shard=(0, 1),
    engine='local',
    class_names=None,
):
    """Embed videos into ``<out>/<sampling>/<split>/``; the reversed view into ``<out>/<sampling>-reversed/<split>/``.

    It can be killed at any time; called again, it continues. A video that cannot be read is listed in failures.jsonl
    and tried again by the next run. Several processes may embed into one folder at once.

    Args:
        extractor (Extractor): Encoder and sampling.
        videos (list[Video]): From :func:`find_videos`.
        out (str): Folder to write to.
        split (str): Name of the sub-folder, such as 'train'.
        formats (Collection[str]): 'npy' (TWLV-I's layout), 'parquet' or both.
        views (Collection[str]): 'forward', 'reversed' (each clip's frames backwards) or both.
        on_fault (str): For a video that breaks off: 'skip' it, or 'keep' the clips before the fault. It is listed in
            either case.
        mix (bool): Whether to write into a folder that was made with other settings.
        workers (int, optional): Reader processes; one per CPU core, at most four, if None. 0 reads in this process.
        decoder (str, optional): As for :func:`twlv_mm.video.open_video`.
        timeout (float): Seconds that a decoder may take for its next frames.
        shard (tuple[int, int]): Index and number of processes that split the videos.
        engine (str): 'local', or 'ray' for a Ray cluster.
        class_names (list[str], optional): Names of the annotated classes, written to ``classes.txt``.

    Returns:
        Summary: result of this process.
    """
    asked = dict(formats=formats, views=views, on_fault=[on_fault], engine=[engine])
    known = dict(formats=FORMATS, views=VIEWS, on_fault=ON_FAULT, engine=ENGINES)
    for name, values in asked.items():
        for value in values:
            if value not in known[name]:
                raise ValueError(f'{name}: unknown {value!r}; choose from {", ".join(known[name])}')
    if not 0 <= shard[0] < shard[1]:
        raise ValueError(f'shard {shard[0]} of {shard[1]} does not exist: shards count from 0')
    if workers is not None and workers < 0:
        raise ValueError(f'workers={workers}: must be 0 or more')
    for video in videos:
        check_id(video.video_id, video.path)
    check_decoder(decoder, segments=any(video.segment for video in videos))
    videos = videos[shard[0] :: shard[1]]
    faults = {video.video_id: fault for video in videos if (fault := name_fault(video.video_id))}
    unnameable = [_naming_failure(video, faults[video.video_id]) for video in videos if video.video_id in faults]
    videos = [video for video in videos if video.video_id not in faults]
    video_ids = [video.video_id for video in videos]
    settings = dict(extractor.settings, decoder=decoder or 'default', on_fault=on_fault, version=twlv_mm.__version__)
    stores = {}
    for view in views:
        sampling = extractor.sampling.sampling + ('' if view == 'forward' else f'-{view}')
        folder = os.path.join(out, sampling, split)
        enter_run(folder, dict(settings, view=view), video_ids, mix)
        if class_names is not None and any(video.annotation is not None for video in videos):
            write_text(os.path.join(folder, CLASSES_FILE), ''.join(f'{name}\n' for name in class_names))
        stores[view] = Store(folder, formats, video_ids, shard)
        for failure in unnameable:
            stores[view].failures.add(failure)
    finished = set.intersection(*(store.finished for store in stores.values()))
    todo = [video for video in videos if video.video_id not in finished]
    shared = SharedVideos(todo, list(stores.values()))
    workers = min(4, os.cpu_count()) if workers is None else workers
    batches = SharedBatches(extractor, views)

    def results():
        paths = (_source(video) for video in shared)
        if engine == 'ray':
            from .ray_engine import embed_with_ray

            shared.take_all()
            return embed_with_ray(extractor, list(paths), views, workers, decoder, timeout)
        streams = read_ahead(paths, extractor.sampling, workers=workers, decoder=decoder, timeout=timeout)
        return enumerate(batches(streams))

    embedded, by_others, failures = [], 0, list(unnameable)
    with ExitStack() as stack:
        progress = stack.enter_context(ExtractionProgress(len(todo), shown=shard[0] == 0))
        for store in stores.values():
            stack.callback(store.claims.close)

        def take_over():
            nonlocal by_others
            while shared.settled:
                video, failure = shared.settled.popleft()
                by_others += failure is None
                failures.extend([failure] if failure else [])
                for store in stores.values():
                    store.settle(video.video_id)
                progress.leave_out()

        def wait():
            take_over()
            return shared.wait(lambda count: progress.note(f'waiting for another process to finish {count} videos'))

        while wait():
            for index, result in results():
                video = shared.taken[index]
                if not isinstance(result, ReadFault):
                    result = _finite(video.path, result)
                fault = result if isinstance(result, ReadFault) else result.fault
                kept = 0 if result is fault or (fault and on_fault == 'skip') else len(result.times)
                if fault:
                    failure = dict(video_id=video.video_id, path=video.path, stage=fault.stage, reason=str(fault))
                    failures.append(failure | (dict(clips=kept) if kept else {}))
                else:
                    embedded.append(video.video_id)
                for view, store in stores.items():
                    if fault:  # before the files, which mark the video as finished
                        store.failures.add(failures[-1])
                    if kept:
                        info = _info(extractor, view, video, result)
                        store.write(video.video_id, result.clips[view], result.times, info)
                    else:
                        store.settle(video.video_id)
                shared.release(video)
                progress.advance(kept, None if engine == 'ray' else batches.waiting_seconds, fault and str(fault))
                take_over()
        take_over()
        for store in stores.values():
            store.finish(embedded)
    return Summary(len(embedded), len(finished) + by_others, failures)


def _naming_failure(video, fault):
    names = dict(video_id=video.video_id, path=video.path)
    names = {key: os.fsencode(name).decode('utf-8', 'backslashreplace') for key, name in names.items()}
    return dict(names, stage='name', reason=fault)


def _source(video):
    return Segment(video.path, *video.segment) if video.segment else video.path


def _finite(path, video):
    for vectors in video.clips.values():
        if fault := not_finite(vectors, video.times):
            return ReadFault(f'{path}: {fault}', 'encode')
    return video


def _info(extractor, view, video, result):
    """Content of a video's json except its clips."""
    info = dict(extractor.settings, view=view, version=twlv_mm.__version__)
    if extractor.model.pretraining_sets is not None:
        info['pretraining_sets'] = list(extractor.model.pretraining_sets)
    info.update(duration=result.duration, num_frames=result.num_frames, decoder=result.decoder)
    if video.annotation is not None:
        info['annotation'] = video.annotation
    if video.segment is not None:
        info['segment'] = dict(file=os.path.basename(video.path), start=video.segment[0], end=video.segment[1])
    if result.fault:
        info['fault'] = str(result.fault)
    return info
