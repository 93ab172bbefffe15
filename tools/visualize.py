#!/usr/bin/env python
"""Draw embeddings and predictions.

`embeddings`: a split in two dimensions by PCA, t-SNE or LDA, several encoders side by side.
`direction`: how well each encoder tells videos from the same videos reversed, as a table and a plot per class.
`segmentation`: frame labels of each video as coloured bars, the ground truth above the predictions of each run.
"""

import argparse
import sys
from pathlib import Path

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.analysis import (
    METHODS,
    draw_direction,
    draw_embeddings,
    load_pairs,
    study_direction,
    video_thumbnails,
    write_results,
    write_tables,
)
from twlv_mm.records.checks import printable
from twlv_mm.segmentation import compare_runs
from twlv_mm.system_errors import run_tool


def draw_of_embeddings(args):
    drawn = draw_embeddings(
        by_name(args.encoders),
        args.out,
        args.method,
        scope=args.scope,
        ann_file=args.ann_file,
        class_names=args.class_names,
        only=args.only,
        exclude=args.exclude,
        num_classes=args.num_classes,
        amount=args.points,
        videos=args.videos,
        max_thumbnails=args.thumbnails,
        seed=args.seed,
        fit_drawn=args.fit_drawn,
        perplexity=args.perplexity,
        by_folder=args.by_folder,
        clusters=args.cluster,
    )
    for name, count in drawn.points.items():
        print(f'{name}: {count} points' + (f' of {drawn.num_classes} classes' if drawn.num_classes > 1 else ''))
    for note in drawn.notes:
        print(printable(note))
    report_videos(drawn.left_out, drawn.frameless)
    for path in drawn.files:
        print(path)


def draw_of_direction(args):
    folders = by_name(args.encoders)
    pairs = {name: load_pairs(folder, args.ann_file, args.class_names) for name, folder in folders.items()}
    for name, its in pairs.items():
        for video_id, direction in its.unpaired.items():
            print(printable(f'  left out: {video_id}, which {name} has {direction} only'))
    study = study_direction(pairs, args.only, permutations=args.permutations, seed=args.seed)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    thumbnails, frameless = {}, []
    if args.videos is not None:
        video_ids = next(iter(study.pairs.values())).forward.video_ids
        thumbnails, frameless = video_thumbnails(args.videos, video_ids, args.thumbnails, args.seed)
    print(write_tables(study, out))
    pictures = draw_direction(study, out, thumbnails=thumbnails, fit_drawn=args.fit_drawn)
    arguments = {name: value for name, value in vars(args).items() if name not in ('draw', 'encoders')}
    records = write_results(study, out, args.dataset, arguments)
    report_videos(study.left_out, frameless)
    print(f'{len(pictures)} pictures and pages in {out}, the table in {out}/direction.csv, {out}/direction.md and')
    print('\n'.join(map(str, records)))


def report_videos(left_out, frameless):
    for name, count in left_out.items():
        print(f'  left out: {count} videos of {name}, which other encoders have not embedded')
    for video_id, reason in frameless:
        print(printable(f'  without thumbnail: {video_id}: {reason}'))


def draw_segmentation(args):
    runs = by_name(args.runs)
    comparison = compare_runs(runs, args.out, args.videos, args.video_root)
    print(f'{len(comparison.drawn)} videos drawn, in {args.out}')
    for video_id, names in comparison.lacking.items():
        print(printable(f'  not drawn: {video_id}, missing in {", ".join(names)}'))
    for video_id, reason in comparison.frameless:
        print(printable(f'  without frames: {video_id}: {reason}'))


def by_name(pairs):
    named = dict(pairs)
    if len(named) < len(pairs):
        raise ValueError('two arguments have the same name: give each its own, NAME=PATH')
    return named


def named_path(text):
    name, equals, path = text.partition('=')
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f'{text!r} is not NAME=PATH')
    return name, path


def amount(text):
    number = float(text)
    if not (0 < number < 1 or (number >= 1 and number.is_integer())):
        raise argparse.ArgumentTypeError(f'{text!r} is neither a number of points nor a fraction between 0 and 1')
    return number


def add_common(parser, folder_help):
    """Arguments that `embeddings` and `direction` share."""
    parser.add_argument('encoders', nargs='+', type=named_path, metavar='NAME=FOLDER', help=folder_help)
    parser.add_argument('--out', required=True, help='folder to draw to')
    parser.add_argument('--ann-file', metavar='LIST', help="videos and classes (default: the embeddings' own)")
    parser.add_argument('--class-names', metavar='FILE', help='names of the classes, one a line')
    parser.add_argument('--only', nargs='+', metavar='CLASS', help='only these classes')
    parser.add_argument('--videos', metavar='FOLDER', help='the video files, for thumbnails')
    parser.add_argument('--thumbnails', type=int, default=2000, help='at most this many (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='default %(default)s')
    parser.add_argument(
        '--fit-drawn',
        action='store_true',
        help="fit LDA on the points that are drawn, as TWLV-I's script does, instead of on the other half",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    pictures = parser.add_subparsers(dest='picture', required=True)
    embeddings = pictures.add_parser('embeddings', help='embeddings in two dimensions')
    add_common(embeddings, 'display name of an encoder, and its embeddings, <out>/<sampling>/<split>')
    embeddings.add_argument('--method', nargs='+', choices=METHODS, default=METHODS, help='default: all three')
    embeddings.add_argument('--scope', choices=['video', 'clip'], default='video', help='default %(default)s')
    embeddings.add_argument('--exclude', nargs='+', metavar='CLASS', help='leave out these classes')
    embeddings.add_argument('--num-classes', type=int, metavar='N', help='N of the classes, chosen at random')
    embeddings.add_argument('--points', type=amount, metavar='N', help='N random points, or a fraction such as 0.5')
    embeddings.add_argument(
        '--perplexity', type=float, default=30, help='of t-SNE (default %(default)s; lower if there are few points)'
    )
    embeddings.add_argument('--by-folder', action='store_true', help="use the videos' folders as classes")
    embeddings.add_argument(
        '--cluster', type=int, metavar='K', help='K clusters instead of classes, named by their medoids'
    )
    embeddings.set_defaults(draw=draw_of_embeddings)

    direction = pictures.add_parser('direction', help='forward against reversed videos')
    add_common(direction, 'name of an encoder and its forward embeddings; the reversed ones are in <sampling>-reversed')
    direction.add_argument('--permutations', type=int, default=200, help='of the baseline (default %(default)s)')
    direction.add_argument('--dataset', required=True, help='name of the dataset in results.json')
    direction.set_defaults(draw=draw_of_direction)

    segmentation = pictures.add_parser('segmentation', help='frame labels of several runs, one above the other')
    segmentation.add_argument(
        '--runs',
        nargs='+',
        type=named_path,
        required=True,
        metavar='NAME=FILE',
        help='display name of a run, and the predictions.json of its test',
    )
    segmentation.add_argument('--out', required=True, help='folder to draw to')
    segmentation.add_argument('--videos', nargs='+', metavar='ID', help='videos to draw (default: all)')
    segmentation.add_argument('--video-root', metavar='FOLDER', help='the video files, to show frames above the bars')
    segmentation.set_defaults(draw=draw_segmentation)
    args = parser.parse_args()
    try:
        args.draw(args)
    except (ValueError, FileNotFoundError, ImportError) as error:
        print(printable(f'error: {error}'), file=sys.stderr)
        sys.exit(2)


if __name__ == '__main__':
    run_tool(main)
