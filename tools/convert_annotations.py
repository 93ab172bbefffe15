#!/usr/bin/env python
"""Convert annotations of ELAN, CVAT, Label Studio, VIA, csv or tools/infer.py to the formats that models train on, or
to ELAN, CVAT, csv and FiftyOne. conversion.json records the decisions and what was left out.
"""

import argparse
import os
from pathlib import Path

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.records import annotations, similar_names, write_json
from twlv_mm.records.checks import printable
from twlv_mm.system_errors import fail, run_tool
from twlv_mm.video import is_video, open_video, walk_files

TO_TRAIN_ON = ('localization', 'segmentation', 'detection')
TO_TOOLS = ('elan', 'cvat', 'csv', 'fiftyone')
EXIT_CODES = 'Exit code: 0 converted, 2 failed, nothing was converted.'


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_CODES)
    parser.add_argument(
        'source', nargs='+', metavar='SOURCE', help='.eaf, .xml, .json or .csv files, or folders of them'
    )
    parser.add_argument('--to', required=True, choices=[*TO_TRAIN_ON, *TO_TOOLS])
    parser.add_argument('--out', required=True, help='folder to write to')
    parser.add_argument('--videos', metavar='FOLDER', help='the videos, for durations, sizes and frame times')
    parser.add_argument(
        '--fps',
        type=float,
        help="frame rate of numbered frames: Label Studio's frameRate, or the video's if --videos is not given",
    )
    parser.add_argument(
        '--label-from', metavar='NAME', help='tier (ELAN) or attribute (CVAT, VIA) whose values are the labels'
    )
    training = parser.add_argument_group('formats to train on')
    training.add_argument('--split', type=float, default=0.8, metavar='SHARE', help='of train (default %(default)s)')
    training.add_argument('--folds', type=int, metavar='K', help='segmentation: K folds instead')
    training.add_argument(
        '--group', metavar='REGEX', help='keep recordings on one side: matches the recording in a file name'
    )
    training.add_argument('--seed', type=int, default=0, help='of the split (default %(default)s)')
    training.add_argument('--labels-per-second', type=float, metavar='N', help='segmentation: rate of the labels')
    training.add_argument(
        '--background',
        default=annotations.BACKGROUND,
        help='segmentation: class of unlabelled frames (default %(default)s)',
    )
    training.add_argument('--every', type=float, metavar='S', help='detection: seconds between keyframes')
    return parser.parse_args()


class Videos:
    """The videos in a folder, opened on demand."""

    def __init__(self, folder):
        if not os.path.isdir(folder):
            raise FileNotFoundError(f'folder {folder} does not exist')
        self.missing, self._opened, self._paths = set(), {}, {}
        for path in filter(is_video, walk_files(folder)):
            for name in {os.path.basename(path), Path(path).stem}:
                self._paths.setdefault(name, []).append(path)

    def __call__(self, name):
        """Media of a video by its name; None if it does not exist."""
        paths = self._paths.get(name) or self._paths.get(Path(name).stem, [])
        if len(paths) > 1:
            raise ValueError(f'{name} matches {paths[0]} and {paths[1]}: remove one of them')
        if not paths:
            self.missing.add(name)
            return None
        if paths[0] not in self._opened:
            with open_video(paths[0]) as video:
                height, width = video.read([0]).shape[1:3]
                times = video.frame_times
            clock = annotations.Clock(times)
            self._opened[paths[0]] = annotations.Media(
                os.path.basename(paths[0]), float(times[-1, 1]), (float(width), float(height)), clock
            )
        return self._opened[paths[0]]


def convert(args):
    """Read, split and write; returns lines of a summary."""
    videos_at_hand = None if args.videos is None else Videos(args.videos)
    context = annotations.Import(videos_at_hand or (lambda name: None), args.fps, args.label_from)
    videos = annotations.read_annotation_files(args.source, context)
    boxes = any(video.boxes for video in videos)
    if args.to in ('localization', 'segmentation', 'elan'):
        annotations.take_lifetimes(videos, context)
        if not any(video.segments for video in videos):
            raise ValueError(f'{args.to} needs segments, but there are {"only boxes" if boxes else "no annotations"}')
    elif args.to == 'detection' and not boxes:
        raise ValueError('detection needs boxes, but there are none')
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    summary = write(args, videos, context, out)
    summary += [f'note: {note}' for note in context.notes()]
    labels = sorted({one.label for video in videos for one in [*video.segments, *video.boxes]})
    summary += [f'note: {question}' for question in similar_names(labels)]
    if videos_at_hand is not None and videos_at_hand.missing:
        missing = sorted(videos_at_hand.missing)
        summary.append(f'note: {len(missing)} videos are not in {args.videos}: {", ".join(missing[:5])}')
    options = {name: value for name, value in vars(args).items() if value is not None}
    write_json(out / 'conversion.json', dict(options=options, videos=len(videos), told=summary))
    return summary


def write(args, videos, context, out):
    if args.to in TO_TRAIN_ON:
        folds = annotations.split_videos(videos, args.split, args.folds, args.group, args.seed)
        if args.folds is not None and args.to != 'segmentation':
            raise ValueError('--folds is for segmentation only: leave it out')
        if args.to == 'localization':
            return annotations.write_localization(videos, folds[0], out)
        if args.to == 'detection':
            return annotations.write_detection(videos, folds[0], out, args.every)
        if args.labels_per_second is None:
            raise ValueError('segmentation needs the rate of the labels: give --labels-per-second, such as 15')
        return annotations.write_segmentation(videos, folds, out, args.labels_per_second, args.background)
    if args.to == 'elan':
        return annotations.write_elan(videos, out)
    if args.to == 'csv':
        return annotations.write_annotation_table(videos, out)
    framed = args.to == 'cvat' or any(video.boxes for video in videos)
    clocks = {video.video_id: context.clock(video.file, args.to) for video in videos} if framed else {}
    if args.to == 'fiftyone':
        return annotations.write_fiftyone(videos, out, clocks)
    for video in videos:
        if video.size is None:
            raise ValueError(f'the frame size of {video.file} is unknown: give --videos')
    return annotations.write_cvat(videos, out, clocks)


def main():
    try:
        summary = convert(parse_args())
    except (FileNotFoundError, ValueError) as error:
        fail(error)
    print(printable('\n'.join(summary)))


if __name__ == '__main__':
    run_tool(main)
