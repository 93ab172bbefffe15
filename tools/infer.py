#!/usr/bin/env python
"""Recognise, localize, segment or detect actions in videos: <out>/<video>.json, .png or .mp4 for each, and
summary.csv."""

import argparse
import inspect
import sys
from importlib import import_module

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.encoders import read_config
from twlv_mm.inference import infer_videos
from twlv_mm.records.checks import printable
from twlv_mm.system_errors import run_tool
from twlv_mm.video import DECODERS

EXIT_CODES = 'Exit code: 0 success, 1 some videos failed (failures.jsonl lists them), 2 nothing was done.'
# Names, so that only one is imported: detection needs mmdet, which takes seconds.
INFERENCERS = dict(
    recognition_knn='twlv_mm.recognition.EmbeddingInferencer',
    recognition_linear='twlv_mm.recognition.RecognitionInferencer',
    recognition_attentive='twlv_mm.recognition.RecognitionInferencer',
    recognition_finetune='twlv_mm.recognition.RecognitionInferencer',
    localization='twlv_mm.localization.LocalizationInferencer',
    segmentation='twlv_mm.segmentation.SegmentationInferencer',
    detection='twlv_mm.detection.DetectionInferencer',
)


def parse_args():
    if any(argument.split('=')[0] == '--zero-shot' for argument in sys.argv[1:]):
        return parse_zero_shot()
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_CODES)
    parser.add_argument('config', metavar='CONFIG', help='config of the run that wrote the checkpoint')
    parser.add_argument(
        'checkpoint', metavar='CHECKPOINT', help='its checkpoint; for kNN, the folder of the labelled embeddings'
    )
    parser.add_argument('input', metavar='INPUT', help='a video, a folder, a quoted pattern, or a list of videos')
    parser.add_argument('--out', required=True, help='folder to write to')
    parser.add_argument(
        '--classes',
        metavar='FILE',
        help="class names, one per line (default: the config's or the checkpoint's)",
    )
    parser.add_argument(
        '--top-k', type=int, help='number of classes for recognition (default 5), of actions for localization (20)'
    )
    parser.add_argument(
        '--min-score',
        type=float,
        help='lowest score of an action, for localization (default 0.05) and detection (0.3)',
    )
    parser.add_argument(
        '--interval-seconds',
        type=float,
        metavar='S',
        help='for detection: time from one frame with boxes to the next (default 1)',
    )
    parser.add_argument(
        '--encoder-weights',
        metavar='PATH',
        help="the encoder's checkpoint, for localization, segmentation and recognition on embeddings (default: the "
        "config's)",
    )
    parser.add_argument(
        '--overlay',
        action='store_true',
        help='for localization and segmentation: also write <video>.mp4, the video with its labels and a timeline',
    )
    parser.add_argument(
        '--decoder', choices=DECODERS, help='except for detection (default: av, which reads everything)'
    )
    parser.add_argument('--device', help='cpu, cuda, cuda:1, … (default: a GPU if there is one)')
    parser.add_argument(
        '--zero-shot',
        metavar='FILE',
        help='classify with an encoder trained with text instead of a trained model; the file has the sentences to '
        'choose from, one per line: %(prog)s SOURCE INPUT --zero-shot FILE --out FOLDER',
    )
    return parser.parse_args()


def parse_zero_shot():
    """The arguments without a trained model."""
    parser = argparse.ArgumentParser(description='Find the sentences that fit videos best.', epilog=EXIT_CODES)
    parser.add_argument('source', metavar='SOURCE', help='hf:FOLDER_OR_REPO of CLIP, SigLIP, SigLIP 2 or X-CLIP')
    parser.add_argument('input', metavar='INPUT', help='a video, a folder, a quoted pattern, or a list of videos')
    parser.add_argument('--zero-shot', metavar='FILE', help='the sentences, one per line')
    parser.add_argument('--out', required=True, help='folder to write to')
    parser.add_argument('--top-k', type=int, default=5, help='number of sentences (default %(default)s)')
    parser.add_argument('--decoder', choices=DECODERS, help='(default: av, which reads everything)')
    parser.add_argument('--device', help='cpu, cuda, cuda:1, … (default: a GPU if there is one)')
    parser.set_defaults(overlay=False)
    return parser.parse_args()


def inferencer_class(config):
    """The inferencer of the task of a config's results."""
    cfg = read_config(config)
    task = cfg.get('default_hooks', {}).get('results', {}).get('task')
    if task not in INFERENCERS:
        raise ValueError(
            f'the task of {config} is {task!r} (default_hooks.results.task); there are inferencers for '
            f'{", ".join(INFERENCERS)}'
        )
    of_embeddings = cfg.model.type.endswith('EmbeddingLinearProbe')
    room, name = INFERENCERS['recognition_knn' if of_embeddings else task].rsplit('.', 1)
    return getattr(import_module(room), name)


def given(args, names, function):
    """The options of these names that were given, which a function must have."""
    options = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    for name in options.keys() - inspect.signature(function).parameters.keys():
        raise ValueError(f'--{name.replace("_", "-")} does not apply to {args.config}: leave it out')
    return options


def main():
    args = parse_args()
    try:
        if args.zero_shot:
            from twlv_mm.recognition import ZeroShotInferencer

            inferencer = ZeroShotInferencer(args.source, args.zero_shot, args.device, args.decoder)
            calling = dict(top_k=args.top_k)
        else:
            kind = inferencer_class(args.config)
            building = given(args, ('device', 'classes', 'encoder_weights', 'decoder'), kind)
            calling = given(args, ('top_k', 'min_score', 'interval_seconds'), kind.__call__)
            inferencer = kind(args.config, args.checkpoint, **building)
        summary = infer_videos(inferencer, args.input, args.out, args.overlay, **calling)
    except (ValueError, FileNotFoundError, ImportError) as error:
        print(printable(f'error: {error}'), file=sys.stderr)
        sys.exit(2)
    print(f'{summary.done} videos done, in {args.out}, {len(summary.failures)} failed')
    for failure in summary.failures:
        print(printable(f'  {failure["path"]}: {failure["reason"]}'))
    sys.exit(min(len(summary.failures), 1))


if __name__ == '__main__':
    run_tool(main)
