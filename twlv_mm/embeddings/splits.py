"""Extract the embeddings that a config needs before its run."""

import logging
import os

from mmengine.logging import print_log

from twlv_mm.records import names_beside

from .collection import extract_collection
from .extractor import Extractor, chosen_encoder
from .manifest import failure_text
from .video_sources import find_videos


def extract_splits(encoder, splits, out, shard=(0, 1), decoder=None, workers=None, **options):
    """Extract the embeddings of several splits; finished videos are skipped.

    In a config, as the variable ``extraction``::

        extraction = dict(
            encoder=dict(source='twlv_base', weights=encoder_weights),
            sampling='multi-clip', clip_seconds=0.5, stride_seconds=0.125,
            splits=dict(train='data/my/train', val='data/my/val'), out='embeddings/my')

    Args:
        encoder (dict): As for :func:`~twlv_mm.embeddings.extractor.chosen_encoder`.
        splits (dict[str, str | list[dict]]): Split -> source for :func:`find_videos`, or a list of its arguments for
            several sources, which may overlap.
        out (str): Folder to write to, ``<out>/<sampling>/<split>/``.
        shard (tuple[int, int]): Index and number of processes.
        decoder (str, optional): As for :func:`extract_collection`.
        workers (int, optional): As for :func:`extract_collection`.
        **options: Those of :class:`Extractor`.
    """
    encoder = chosen_encoder(encoder, f'the embeddings in {out}', 'with --cfg-options encoder_weights=PATH')
    extractor = Extractor(encoder, **options)
    for split, source in splits.items():
        several = [dict(source=source)] if isinstance(source, str) else source
        videos = list({video.video_id: video for one in several for video in find_videos(**one)}.values())
        first = several[0]['source']
        source = first if len(several) == 1 else f'{len(several)} lists, {first} the first,'
        done = extract_collection(
            extractor,
            videos,
            out,
            split,
            decoder=decoder,
            workers=workers,
            shard=shard,
            class_names=names_beside(first) if os.path.isfile(first) else None,
        )
        print_log(
            f'{done.embedded} videos of {source} embedded into {out} ({split}), {done.finished_before} were already '
            f'there, {len(done.failures)} failed.',
            'current',
            logging.WARNING if done.failures else logging.INFO,
        )
        for failure in done.failures:
            print_log(failure_text(failure), 'current', logging.WARNING)
