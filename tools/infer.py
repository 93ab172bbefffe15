#!/usr/bin/env python
"""Name what happens in videos: <out>/<video>.json and .png for each, and summary.csv."""

import argparse
import sys

import twlv_mm  # noqa: F401  isort: skip  before anything that it mends

from mmengine.config import Config

from twlv_mm.recognition import RecognitionInferencer, infer_videos

EXIT_CODES = 'Exit code: 0 all went well, 1 some videos failed (failures.jsonl lists them), 2 nothing was done.'
INFERENCERS = dict(recognition_linear=RecognitionInferencer, recognition_attentive=RecognitionInferencer)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_CODES)
    parser.add_argument('config', metavar='CONFIG', help='config of the run that wrote the checkpoint')
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='its checkpoint')
    parser.add_argument('input', metavar='INPUT', help='a video, a folder, a quoted pattern, or a list of videos')
    parser.add_argument('--out', required=True, help='folder to write to')
    parser.add_argument('--classes', metavar='FILE', help="names of the classes, one a line (default: the config's)")
    parser.add_argument('--top-k', type=int, default=5, help='classes to name (default %(default)s)')
    parser.add_argument('--device', help='cpu, cuda, cuda:1, … (default: a GPU if there is one)')
    return parser.parse_args()


def inferencer_class(config):
    """The inferencer of the task that a config's results are of."""
    task = Config.fromfile(config).get('default_hooks', {}).get('results', {}).get('task')
    if task not in INFERENCERS:
        raise ValueError(
            f'{config} is of the task {task!r} (default_hooks.results.task), and there are inferencers for '
            f'{", ".join(INFERENCERS)}'
        )
    return INFERENCERS[task]


def main():
    args = parse_args()
    try:
        inferencer = inferencer_class(args.config)(args.config, args.checkpoint, args.device, args.classes)
        summary = infer_videos(inferencer, args.input, args.out, args.top_k)
    except (ValueError, FileNotFoundError) as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
    print(f'{summary.done} videos named in {args.out}, {len(summary.failures)} failed')
    for failure in summary.failures:
        print(f'  {failure["path"]}: {failure["reason"]}')
    sys.exit(min(len(summary.failures), 1))


if __name__ == '__main__':
    main()
