"""Embedding on a Ray cluster: actors decode on CPUs and encode, results go to the process that writes."""

import json
import logging

import numpy as np

from twlv_mm.video import ReaderProcess, ReadFault, Segment, clips_of_frames

from .batches import VIEWS, EmbeddedVideo

# Nearly zero: the actors of a lost node must fit on the others, or Ray waits for a new node forever.
ACTOR_CPUS = 0.01


def embed_with_ray(extractor, paths, views, workers, decoder, timeout):
    """Embed videos on the Ray cluster of RAY_ADDRESS, or on a new local one; arguments as for
    :func:`extract_collection`.

    There is one encoding actor per GPU, or one on the CPU, and ``workers`` decoding actors. Videos must have the same
    paths on every machine. The work of a lost node is redone by the others, as soon as a GPU is free.

    Yields:
        tuple[int, EmbeddedVideo | ReadFault]: index of the path and its result, as they finish.
    """
    try:
        import ray
    except ImportError as error:
        raise ImportError('--engine ray needs Ray: pip install "ray[data]"') from error
    if not paths:
        return
    ray.init(ignore_reinit_error=True, logging_level=logging.WARNING, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    num_gpus = int(ray.cluster_resources().get('GPU', 0)) if extractor.device.type == 'cuda' else 0
    videos = ray.data.from_items([dict(index=index, path=json.dumps(path)) for index, path in enumerate(paths)])
    clips = videos.flat_map(
        _Decode,
        fn_constructor_args=(extractor.sampling, decoder, timeout),
        concurrency=max(1, min(workers, len(paths))),
        num_cpus=ACTOR_CPUS,
        scheduling_strategy='SPREAD',
    )
    vectors = clips.map_batches(
        _Encode,
        fn_constructor_args=(extractor.to('cpu'), views, num_gpus > 0),
        batch_size=max(1, extractor.batch_size // len(views)),
        concurrency=num_gpus or 1,
        num_gpus=min(num_gpus, 1),
        num_cpus=ACTOR_CPUS,
        scheduling_strategy='SPREAD',
    )
    found = {}  # index -> clip number -> row
    for row in vectors.iter_rows():
        rows = found.setdefault(row['index'], {})
        rows[row['number']] = row
        last = next((row for row in rows.values() if row['header']), None)
        if last is not None and len(rows) == last['number'] + 1:
            yield row['index'], _result(found.pop(row['index']), json.loads(last['header']), views)


def _result(rows, header, views):
    fault = ReadFault(*header.pop('fault')) if header['fault'] else header.pop('fault')
    times = header.pop('times')
    if not times:
        return fault
    vectors = np.stack([rows[number]['vectors'] for number in range(len(times))])
    clips = {view: np.ascontiguousarray(vectors[:, place]) for place, view in enumerate(views)}
    return EmbeddedVideo(**header, times=np.array(times), clips=clips, fault=fault)


class _Decode:
    """Actor: a path in, one row per clip out, the last one with the video's metadata."""

    def __init__(self, sampling, decoder, timeout):
        self.blank = np.zeros((sampling.num_frames, sampling.size, sampling.size, 3), np.uint8)
        self.process = ReaderProcess(sampling, decoder, timeout)

    def __call__(self, row):
        path = json.loads(row['path'])
        stream = self.process.stream(path if isinstance(path, str) else Segment(*path))
        header = dict(fault=None, times=[])
        clip, count = self.blank, 0  # a video without clips gets one row, too
        if isinstance(stream, ReadFault):
            header['fault'] = (str(stream), stream.stage)
        else:
            header.update(duration=stream.duration, num_frames=stream.num_frames, decoder=stream.decoder)
            try:
                for following in clips_of_frames(stream.chunks, stream.indices):
                    if count:
                        yield dict(index=row['index'], number=count - 1, clip=clip, header='')
                    clip, count = following, count + 1
            except ReadFault as fault:
                header['fault'] = (str(fault), fault.stage)
            header['times'] = stream.windows[:count].tolist()
        yield dict(index=row['index'], number=max(count - 1, 0), clip=clip, header=json.dumps(header))


class _Encode:
    """Actor: replaces the clips of rows by one vector per view."""

    def __init__(self, extractor, views, on_gpu):
        self.extractor = extractor.to('cuda' if on_gpu else 'cpu')
        self.views = views

    def __call__(self, batch):
        clips = batch.pop('clip')
        views = np.stack([clips[:, VIEWS[view]] for view in self.views], axis=1)
        flat = views.reshape(-1, *clips.shape[1:])
        batch['vectors'] = self.extractor.encode(flat).cpu().numpy().reshape(*views.shape[:2], -1)
        return batch
