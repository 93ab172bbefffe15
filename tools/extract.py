#!/usr/bin/env python
"""Embed a video file or a folder of videos with any encoder; writes <out>/<sampling>/<split>/."""

import argparse
import sys

import twlv_mm
from twlv_mm.embeddings import Extractor, extract_collection, find_videos


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', choices=twlv_mm.list_models(), metavar='MODEL', help='a name from list_models()')
    parser.add_argument('input', help='a video file, or a folder (searched with its sub-folders)')
    parser.add_argument('--out', required=True, help='folder to write to')
    parser.add_argument('--weights', help="the encoder's checkpoint; without it the encoder is random")
    parser.add_argument('--sampling', choices=['uniform', 'multi-clip'], default='multi-clip')
    parser.add_argument('--clip-seconds', type=float, default=2.0, help='T: length of a clip (default 2)')
    parser.add_argument('--stride-seconds', type=float, help='T_s: from one clip to the next (default T)')
    parser.add_argument('--num-frames', type=int, help="N: frames a clip (default: the encoder's)")
    parser.add_argument('--split', default='all', help='name of the sub-folder, for example train (default all)')
    parser.add_argument('--batch-size', type=int, default=8, help='clips encoded at once (default 8)')
    parser.add_argument('--device', help='cpu, cuda, cuda:1, … (default: a GPU if there is one)')
    return parser.parse_args()


def main():
    args = parse_args()
    try:
        videos = find_videos(args.input)
        extractor = Extractor(
            args.model,
            args.weights,
            sampling=args.sampling,
            clip_seconds=args.clip_seconds,
            stride_seconds=args.stride_seconds,
            num_frames=args.num_frames,
            batch_size=args.batch_size,
            device=args.device,
        )
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f'error: {error}')
    failures = extract_collection(extractor, videos, args.out, args.split)
    print(f'{len(videos) - len(failures)} videos embedded into {args.out}, {len(failures)} skipped')
    for path, reason in failures.items():
        print(f'  {path}: {reason}')
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main()
