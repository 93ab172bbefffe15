#!/usr/bin/env python
"""Embed videos with any encoder into <out>/<sampling>/<split>/. Run the same command again to continue."""

import argparse
import os
import sys
from datetime import timedelta

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

import torch
import torch.distributed as dist

from twlv_mm.embeddings import Extractor, extract_collection, find_videos, verify
from twlv_mm.embeddings.collection import ENGINES, FORMATS, ON_FAULT
from twlv_mm.embeddings.extractor import PRECISIONS
from twlv_mm.embeddings.manifest import failure_text
from twlv_mm.encoders import is_config
from twlv_mm.records import names_beside
from twlv_mm.records.checks import printable
from twlv_mm.system_errors import fail, run_tool
from twlv_mm.video import DECODERS

EXIT_CODES = (
    'Exit code: 0 all videos embedded, 1 some videos failed (see failures.jsonl), 2 the run failed, 130 interrupted.'
)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_CODES)
    parser.add_argument(
        'model', metavar='MODEL', nargs='?', help='a name from list_models(), another SOURCE, or a config'
    )
    parser.add_argument(
        'input',
        metavar='INPUT',
        nargs='?',
        help="a video, a folder (searched recursively), a quoted pattern, or a list: mmaction2's .txt, also of "
        "segments (file start end label), THUMOS14's or ActivityNet's .json, AVA's .csv",
    )
    parser.add_argument('--out', help='folder to write to')
    parser.add_argument('--weights', help="the encoder's checkpoint; without it the encoder is random")
    parser.add_argument('--root', help="folder of a list's videos (default: the list's)")
    parser.add_argument('--subset', help='only this subset of a .json')
    parser.add_argument('--split', default='all', help='name of the sub-folder, such as train (default all)')
    parser.add_argument('--verify', metavar='DIR', help='only check the embeddings in a folder')
    parser.add_argument(
        '--repair',
        action='store_true',
        help='with --verify: delete damaged embeddings, and redo them if MODEL, INPUT and --out are also given',
    )

    clips = parser.add_argument_group('clips')
    clips.add_argument(
        '--sampling', choices=['uniform', 'multi-clip'], default='multi-clip', help='default %(default)s'
    )
    clips.add_argument('--clip-seconds', type=float, help="T: length of a clip (default: the config's, or 2)")
    clips.add_argument('--stride-seconds', type=float, help="T_s: from clip to clip (default: the config's, or T)")
    clips.add_argument('--num-frames', type=int, help="N: frames per clip (default: the encoder's)")
    clips.add_argument('--views', default='forward', help='forward, reversed (frames backwards), or forward,reversed')
    clips.add_argument(
        '--on-fault', choices=ON_FAULT, default='skip', help='for a video that breaks off (default: %(default)s)'
    )

    encoding = parser.add_argument_group('encoding')
    encoding.add_argument('--pooling', help="mean or class_token (default: the encoder's own)")
    encoding.add_argument('--precision', choices=PRECISIONS, default='fp32', help='default %(default)s')
    encoding.add_argument('--batch-size', type=int, default=8, help='clips encoded at once (default %(default)s)')
    encoding.add_argument('--device', help='cpu, cuda, cuda:1, … (default: a GPU if there is one)')
    encoding.add_argument(
        '--workers', type=int, help='processes that decode or verify (default: one per core, at most four)'
    )
    encoding.add_argument('--decoder', choices=DECODERS, help='default: av, which reads everything')
    encoding.add_argument(
        '--timeout', type=float, default=120, help='seconds to wait for the next frames (default %(default)s)'
    )

    output = parser.add_argument_group('output')
    output.add_argument('--formats', default='npy', help=f'{" or ".join(FORMATS)}, or both with a comma (default npy)')
    output.add_argument('--mix', action='store_true', help='allow a folder that was made with other settings')

    many = parser.add_argument_group('several processes')
    many.add_argument('--launcher', choices=['none', 'pytorch', 'slurm'], default='none', help='of this process')
    many.add_argument('--shard', type=shard, default=(0, 1), metavar='I/N', help='this is process I (from 0) of N')
    many.add_argument('--engine', choices=ENGINES, default='local', help='ray: a Ray cluster (default local)')
    args = parser.parse_args()
    if args.verify is None and None in (args.model, args.input, args.out):
        parser.error('MODEL, INPUT and --out are required, or --verify DIR')
    if args.repair and args.verify is None:
        parser.error('--repair goes with --verify DIR')
    return args


def shard(text):
    """'3/16' -> (3, 16)."""
    number, count = map(int, text.split('/'))
    return number, count


def shard_of(args):
    """Index and number of processes."""
    names = dict(pytorch=('RANK', 'WORLD_SIZE'), slurm=('SLURM_PROCID', 'SLURM_NTASKS')).get(args.launcher)
    missing = [name for name in names or () if name not in os.environ]
    if missing:
        script = dict(pytorch='dist_extract.sh', slurm='slurm_extract.sh')[args.launcher]
        raise ValueError(f'--launcher {args.launcher}: {missing[0]} is not set: use tools/{script}')
    return tuple(int(os.environ[name]) for name in names) if names else args.shard


def device_of(args):
    """One GPU for each process of a launcher."""
    local_rank = os.environ.get('LOCAL_RANK' if args.launcher == 'pytorch' else 'SLURM_LOCALID')
    if args.device is None and args.launcher != 'none' and torch.cuda.is_available():
        return f'cuda:{int(local_rank) % torch.cuda.device_count()}'
    return args.device


def run(args):
    """Embed; returns the number of failures."""
    options = ('clip_seconds', 'stride_seconds', 'num_frames', 'pooling')
    given = {name: getattr(args, name) for name in options if getattr(args, name) is not None}
    build = Extractor.from_config if is_config(args.model) else Extractor
    videos = find_videos(args.input, args.root, args.subset)
    extractor = build(
        args.model,
        args.weights,
        sampling=args.sampling,
        precision=args.precision,
        batch_size=args.batch_size,
        device=device_of(args),
        **given,
    )
    summary = extract_collection(
        extractor,
        videos,
        args.out,
        args.split,
        formats=args.formats.split(','),
        views=args.views.split(','),
        on_fault=args.on_fault,
        mix=args.mix,
        workers=args.workers,
        decoder=args.decoder,
        timeout=args.timeout,
        shard=shard_of(args),
        engine=args.engine,
        class_names=names_beside(args.input) if os.path.isfile(args.input) else None,
    )
    counts = torch.tensor([summary.embedded, summary.finished_before, len(summary.failures)])
    if args.launcher == 'pytorch':
        # torchrun stops all processes once one exits with an error code, so they exit together.
        dist.init_process_group('gloo', timeout=timedelta(days=30))
        dist.all_reduce(counts)
        dist.destroy_process_group()
    embedded, before, failed = counts.tolist()
    if shard_of(args)[0] == 0 or args.launcher != 'pytorch':
        print(f'{embedded} videos embedded into {args.out}, {before} were already there, {failed} failed')
        for failure in summary.failures:
            print(printable(f'  {failure_text(failure)}'))
    return failed


def main():
    args = parse_args()
    try:
        if args.verify is None:
            sys.exit(min(run(args), 1))
        problems = verify(args.verify, args.repair, args.workers or min(4, os.cpu_count()))
        for problem in problems:
            print(printable(f'{problem.video_id}: {problem.what}'))
        print(f'{args.verify}: {len(problems)} problems')
        if args.repair and None not in (args.model, args.input, args.out):
            sys.exit(min(run(args), 1))
    except (ValueError, FileNotFoundError, ImportError) as error:
        fail(error)
    except KeyboardInterrupt as error:
        error.advice = 'Run the same command again to continue'
        raise
    sys.exit(min(len(problems), 1))


if __name__ == '__main__':
    run_tool(main)
