#!/usr/bin/env python
"""Search an embedded collection for moments similar to a query, or for duplicate videos."""

import argparse
import sys
import time
from pathlib import Path

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.embeddings import VideoFiles, extraction_note
from twlv_mm.records import write_json, write_text
from twlv_mm.records.checks import printable
from twlv_mm.search import (
    THRESHOLD,
    Collection,
    IndexedCollection,
    answer_page,
    answer_record,
    duplicates_page,
    duplicates_record,
    find_duplicates,
    find_moments,
    update_index,
)
from twlv_mm.system_errors import fail, run_tool
from twlv_mm.video import DECODERS, VideoError

EXIT_CODES = 'Exit code: 0 done, 2 failed.'
MOST_PAIRS = 100  # on a page


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_CODES)
    parser.add_argument(
        'query',
        metavar='QUERY',
        nargs='?',
        help='a video, an image, the id of a stored video, or one of its clips: ID#NUMBER',
    )
    parser.add_argument(
        '--text',
        help='a sentence instead of a QUERY, for hf: encoders of CLIP, SigLIP, SigLIP 2 or X-CLIP',
    )
    parser.add_argument('--in', dest='folder', metavar='FOLDER', help='embeddings, <out>/<sampling>/<split>')
    parser.add_argument('--start', type=float, metavar='S', help="start in the query's video, in seconds")
    parser.add_argument('--end', type=float, metavar='S', help="end in the query's video, in seconds")
    parser.add_argument('--top', type=int, default=10, metavar='K', help='maximum number of hits (default %(default)s)')
    parser.add_argument('--reversed', action='store_true', help='also search for the query played backwards')
    parser.add_argument('--without-own', action='store_true', help="leave out the query's own video")

    times = parser.add_argument_group('embeddings without clip times, such as the published ones')
    times.add_argument('--clip-seconds', type=float, help='T, length of a clip')
    times.add_argument('--stride-seconds', type=float, help='T_s, from clip to clip (default: T)')

    large = parser.add_argument_group('collections too large for exact search')
    large.add_argument(
        '--index',
        action='store_true',
        help='without QUERY: build the index of the folder, or add new videos; with QUERY: search by the index',
    )
    large.add_argument(
        '--uri', help="location of the index: a folder or an object store's address, s3://… (default: FOLDER/.lance)"
    )

    duplicates = parser.add_argument_group('duplicate videos')
    duplicates.add_argument(
        '--duplicates',
        nargs='+',
        metavar='FOLDER',
        help='pairs within one folder of embeddings, or between two, such as train and test',
    )
    duplicates.add_argument(
        '--threshold', type=float, default=THRESHOLD, metavar='COSINE', help='of matching clips (default %(default)s)'
    )

    output = parser.add_argument_group('output')
    output.add_argument('--json', metavar='FILE', help='write the results as json')
    output.add_argument('--html', metavar='FILE', help='write a page with film strips and films; needs --videos')
    output.add_argument(
        '--videos',
        nargs='+',
        metavar='SOURCE',
        help='the video files, as for extract: a folder, a pattern or a list; two of them for two folders',
    )

    encoding = parser.add_argument_group("encoder of the query, by default the folder's")
    encoding.add_argument('--model', help='SOURCE or config, if it cannot be built from the folder alone')
    encoding.add_argument('--weights', help='its checkpoint')
    encoding.add_argument('--device', help='cpu, cuda, cuda:1, … (default: a GPU if there is one)')
    encoding.add_argument('--decoder', choices=DECODERS, help='default: av, which reads everything')
    args = parser.parse_args()
    asked = [args.duplicates, args.query, args.text]
    if asked.count(None) != 2 and not (args.index and asked == [None] * 3):
        parser.error(
            'give QUERY or --text TEXT with --in FOLDER, --index with --in FOLDER, or --duplicates FOLDER [OTHER]'
        )
    if args.duplicates is None and args.folder is None:
        parser.error('give the folder to search: --in FOLDER')
    if args.uri is not None and not args.index:
        parser.error('--uri is the location of the index: give --index, too')
    if args.duplicates is not None and len(args.duplicates) > 2:
        parser.error('--duplicates compares one folder with itself or with one other folder')
    if args.html is not None and args.videos is None:
        parser.error('--html needs --videos, the folder of the video files')
    if args.videos is not None and len(args.videos) > len(args.duplicates or ['']):
        parser.error('--videos has one source for each folder of embeddings')
    return args


def search(args):
    """Answer a query; returns the page and failures of :func:`answer_page` if --html is given."""
    files = VideoFiles(args.videos[0]) if args.videos else None
    collection = opened(args.folder, args)
    answer = find_moments(
        args.query,
        collection,
        start=args.start,
        end=args.end,
        top=args.top,
        reverse=args.reversed,
        without_own=args.without_own,
        text=args.text,
        model=args.model,
        weights=args.weights,
        device=args.device,
        decoder=args.decoder,
        files=files,
    )
    query = answer.query
    if args.text is None:
        clips = 'one clip' if query.num_clips == 1 else f'the mean of {query.num_clips} clips'
        print(printable(f'{query.name}, {query.start:.2f} to {query.end:.2f} s, as {clips}'))
    by = '' if answer.exact else ', by the index'
    print(f'{answer.num_clips:,} clips of {answer.num_videos:,} videos searched{by}')
    for video_id in answer.left_out:
        print(printable(f'  left out as its own: {video_id}'))
    for view, hits in answer.hits.items():
        if len(answer.hits) == 2:
            print('played forward:' if view == 'forward' else 'played backwards:')
        print_table(('video', 'start', 'end', 'cosine'), [hit_row(hit) for hit in hits])
    if args.reversed:
        same = 'the same best moment' if answer.same_best else 'a different best moment'
        print(f'played backwards: {same}; {answer.common} of {len(answer.hits["forward"])} moments in common')
    if args.json:
        write_json(args.json, answer_record(answer, args.folder))
    return answer_page(answer, files) if args.html else None


def make_index(args):
    """Build or update an index, and print its recall."""
    done = 0

    def progress(clips):
        nonlocal done
        done += clips
        print(f'  {done:,} clips added', flush=True)

    start = time.monotonic()
    update = update_index(args.folder, args.uri, args.clip_seconds, args.stride_seconds, progress)
    print(
        f'{update.added:,} videos added, {update.removed:,} removed: {update.clips:,} clips of {update.videos:,} videos'
    )
    print(f'{time.monotonic() - start:.0f} s')
    print(
        f'recall@10 {100 * IndexedCollection(args.folder, args.uri).recall():.1f} %, with 100 stored clips as queries'
    )


def search_duplicates(args):
    """List duplicates; returns as :func:`search`."""
    folders = [opened(folder, args) for folder in args.duplicates]
    pairs = find_duplicates(*folders, threshold=args.threshold)
    print(f'{len(pairs)} pair{"s" * (len(pairs) != 1)} of videos with clips of cosine {args.threshold:g} or more')
    rows = [(*pair[:2], f'{pair.cosine:.4f}', f'{pair.share:.0%}', *map(span, pair[4:])) for pair in pairs]
    print_table(('video', 'other', 'cosine', 'share', 'from, to', 'other from, to'), rows)
    if args.json:
        write_json(args.json, duplicates_record(pairs, folders, args.threshold))
    if args.html is None:
        return None
    sources = [VideoFiles(source) for source in args.videos]
    shown = pairs[:MOST_PAIRS]
    if len(shown) < len(pairs):
        print(f'  the page shows the first {len(shown)}')
    return duplicates_page(shown, f'Duplicates in {" and ".join(args.duplicates)}', sources[0], sources[-1])


def opened(folder, args):
    """The collection in a folder; prints what is missing."""
    if args.index:
        collection, where = IndexedCollection(folder, args.uri), 'in the index (--index without QUERY adds them)'
    else:
        collection, where = Collection(folder, args.clip_seconds, args.stride_seconds), 'embedded'
    if collection.missing:
        some = ', '.join(collection.missing[:3])
        text = f'{folder}: {len(collection.missing)} videos are not {where} and left out, such as {some}.'
        print(printable(text + extraction_note(folder)))
    return collection


def hit_row(hit):
    return hit.video_id, f'{hit.start:.2f}', f'{hit.end:.2f}', f'{hit.cosine:.4f}'


def span(moment):
    return f'{moment[0]:.2f}, {moment[1]:.2f}'


def print_table(header, rows):
    if not rows:
        return
    rows = [[printable(str(cell)) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print('  ' + '  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def main():
    args = parse_args()
    try:
        if args.query is None and args.index:
            page = make_index(args)
        else:
            page = search(args) if args.duplicates is None else search_duplicates(args)
        if page is not None:
            text, failures = page
            Path(args.html).parent.mkdir(parents=True, exist_ok=True)
            write_text(args.html, text)
            for video_id, reason in failures:
                print(printable(f'  without frames: {video_id}: {reason}'))
            print(f'{args.html}: {len(text) / 1e6:.1f} MB')
    except (ValueError, FileNotFoundError, ImportError, VideoError) as error:
        fail(error)
    sys.exit(0)


if __name__ == '__main__':
    run_tool(main)
