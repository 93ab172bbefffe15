#!/usr/bin/env python
"""Quality of search on generated videos, and its time and memory by the size of the collection.

`precision`: precision@10 by motion and by appearance. `direction`: nearest videos of a video played backwards.
`moments`: rank of planted moments. `duplicates`: recall of planted copies. `growth`: exact search among random vectors
in Parquet. `pictures`, after `precision` and `duplicates`: the pictures of docs/search.md.
"""

import argparse
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

import twlv_mm  # isort: skip  applies the fixes of twlv_mm.compat

import av
import cv2
import torch
from torch import nn

from benchmarks.steps import peak_bytes_of
from twlv_mm.embeddings import Extractor, VideoFiles, extract_collection, find_videos
from twlv_mm.embeddings.parquet import write_part
from twlv_mm.search import (
    Collection,
    answer_page,
    duplicates_page,
    find_duplicates,
    find_moments,
    precision_at,
)
from twlv_mm.search.moments import answer
from twlv_mm.search.query import embed_query, stored_query
from twlv_mm.synthetic import MOTIONS, item_rng, make_trimmed, make_untrimmed, render_clip
from twlv_mm.synthetic.scene import OPPOSITES
from twlv_mm.video import open_video, write_video

ENCODER, FPS = 'twlv_small_synthetic', 8
DIMS, CLIPS_A_VIDEO, PART_VIDEOS = 768, 100, 1000
MOMENTS = (2.0, 3.0, 5.0)  # seconds
STRIDES = (0.5, 2.0)
COPIES = ('re-encoded', 'smaller', 'cropped', 'mirrored', 'shortened')
THRESHOLDS = (0.95, 0.98, 0.99)
JPEG = (cv2.IMWRITE_JPEG_QUALITY, 85)
ROOT = Path(__file__).parents[1]


class FrameWise(nn.Module):
    """The mean over every fourth frame of an encoder's embedding of the frame as a still video."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, video):
        """(N, 3, T, H, W) -> (N, D)."""
        frames = video[:, :, 1::4].transpose(1, 2)
        still = frames.flatten(0, 1).unsqueeze(2).expand(-1, -1, self.encoder.spec.num_frames, -1, -1)
        return self.encoder.embed(still).unflatten(0, frames.shape[:2]).mean(dim=1)


def encoders():
    """Name -> encoder: the small one of this package, the same one frame by frame, and an untrained one."""
    small = twlv_mm.get_model(ENCODER, 'official', frozen=True)
    spec = dict(name='frame_wise', num_frames=16, img_size=small.spec.img_size, grid=None)
    spec.update(embed_dims=small.spec.embed_dims, mean=small.spec.mean, std=small.spec.std)
    frame_wise = twlv_mm.wrap(FrameWise(small), twlv_mm.EncoderSpec(**spec))
    frame_wise.allow_random = True  # it has the weights of the small encoder
    torch.manual_seed(0)
    untrained = twlv_mm.get_model(ENCODER, frozen=True, allow_random=True)
    return dict(small=small, frame_wise=frame_wise, untrained=untrained)


def embed(model, videos, out, split, views=('forward',), **sampling):
    """The folder of embeddings; existing ones are kept."""
    extractor = Extractor(model, **sampling)
    extract_collection(extractor, find_videos(videos), out, split, views=views, workers=0)
    return out / extractor.sampling.sampling / split, extractor


def precision(root):
    """Print precision@10, a line per encoder and label."""
    make_trimmed(root / 'trimmed', num_train=10, num_test=400)
    for name, model in encoders().items():
        folder, _ = embed(model, root / 'trimmed/test_both.txt', root / f'precision_{name}', 'test', sampling='uniform')
        for label in ('motion', 'appearance'):
            classes = {video.video_id: video.annotation for video in find_videos(root / f'trimmed/test_{label}.txt')}
            found, chance = precision_at(folder, classes)
            print(f'{name}: precision@10 of the same {label} {found:.1%}, by chance {chance:.1%}', flush=True)


def direction(root):
    """Print how often the best match of a reversed video is another video, and has the opposite motion."""
    make_trimmed(root / 'trimmed', num_train=10, num_test=400)
    motions = {video.video_id: MOTIONS[video.annotation] for video in find_videos(root / 'trimmed/test_motion.txt')}
    for name in ('small', 'frame_wise'):
        views, out = ['forward', 'reversed'], root / f'direction_{name}'
        source = root / 'trimmed/test_both.txt'
        folder, _ = embed(encoders()[name], source, out, 'test', views, sampling='uniform')
        collection = Collection(folder)
        found = {}
        for video_id, motion in motions.items():
            hits = answer(stored_query(video_id, collection, reverse=True), collection, 1, without_own=True)
            best = [motions[hits.hits[view][0].video_id] for view in views]
            found[video_id] = not hits.same_best, best[0] == motion, best[1] == OPPOSITES[motion]
        shares = np.mean(list(found.values()), axis=0)
        told = 'another best match {:.1%}; same motion forwards {:.1%}; the opposite one backwards {:.1%}'
        print(f'{name}: {told.format(*shares)}', flush=True)


def moments(root):
    """Print how many planted moments are the first hit, and the error of its start and end."""
    make_untrimmed(root / 'untrimmed', num_videos=10)
    planted = plant(root)
    for stride in STRIDES:
        folder, extractor = embed(
            twlv_mm.get_model(ENCODER, 'official', frozen=True), root / 'planted/videos', root / 'moments',
            f'stride_{stride:g}', clip_seconds=2.0, stride_seconds=stride,
        )  # fmt: skip
        collection = Collection(folder)
        for seconds in MOMENTS:
            first, within, off = 0, 0, []
            chosen = [moment for moment in planted if moment[3] - moment[2] == seconds]
            for query, video_id, start, end in chosen:
                hit = answer(embed_query(query, collection, extractor), collection, 1).hits['forward'][0]
                if hit.video_id == video_id and hit.start < end and start < hit.end:
                    first += 1
                    off.append((abs(hit.start - start), abs(hit.end - end)))
                    within += max(off[-1]) <= 2
            print(
                f'clips of 2 s every {stride:g} s, moments of {seconds:g} s: {first} of {len(chosen)} are the first '
                f'hit, {within} of these with start and end within one clip; off by {np.mean(off):.2f} s on average',
                flush=True,
            )


def plant(root):
    """Write videos with moments of other videos in them; returns the query and position of each."""
    for name in ('videos', 'queries'):
        (root / 'planted' / name).mkdir(parents=True, exist_ok=True)
    planted = []
    for number, path in enumerate(sorted((root / 'untrimmed/videos').rglob('*.mp4'))):
        with open_video(path) as video:
            frames = video.read(range(len(video.frame_times)))
        for place, seconds in enumerate(MOMENTS):
            count = int(seconds * FPS)
            rng = item_rng(99, 'test', 10 * number + place)
            clip = render_clip(rng, 'test', num_frames=count)[0]
            start = int(len(frames) * (place + 0.3) / 3.3) + int(rng.integers(FPS))
            frames[start : start + count] = clip
            query = root / f'planted/queries/{path.stem}_{place}.mp4'
            write_video(query, clip, FPS)
            planted.append((query, path.stem, start / FPS, (start + count) / FPS))
        write_video(root / 'planted/videos' / path.name, frames, FPS)
    return planted


def duplicates(root):
    """Print which copies are found: of 40 two-second videos and 10 of a minute or more, among 210."""
    make_trimmed(root / 'trimmed', num_train=10, num_test=400)
    make_untrimmed(root / 'untrimmed', num_videos=10)
    trimmed = sorted((root / 'trimmed/test').glob('*.mp4'))[:200]
    untrimmed = sorted((root / 'untrimmed/videos').rglob('*.mp4'))
    (root / 'originals').mkdir(exist_ok=True)
    for path in trimmed + untrimmed:
        link = root / 'originals' / path.name
        link.exists() or link.symlink_to(path.absolute())
    for path in trimmed[:40] + untrimmed:
        copy_all(path, root / 'copies')
    models = encoders()
    for name in ('small', 'untrained'):
        first, second = (
            embed(models[name], root / kind, root / f'duplicates_{name}', kind, clip_seconds=2.0, stride_seconds=1.0)[0]
            for kind in ('originals', 'copies')
        )
        for threshold in THRESHOLDS:
            pairs = {(pair.video_id, *pair.other_id.split('/')) for pair in find_duplicates(first, second, threshold)}
            found = {
                f'{kind} {length}': sum((path.stem, kind, path.stem) in pairs for path in paths)
                for kind in COPIES
                for length, paths in (('short', trimmed[:40]), ('long', untrimmed))
            }
            wrong = sum(one != other for one, _, other in pairs)
            print(f'{name}, threshold {threshold}: {found}, {wrong} wrong pairs', flush=True)


def copy_all(path, out):
    """Write the copies of a video."""
    with open_video(path) as video:
        frames = video.read(range(len(video.frame_times)))
    quarter = len(frames) // 4
    made = {
        're-encoded': (frames, 35),
        'smaller': ([cv2.resize(frame, (48, 48), interpolation=cv2.INTER_AREA) for frame in frames], 28),
        'cropped': (frames[:, 3:-3, 3:-3], 23),
        'mirrored': (frames[:, :, ::-1], 23),
        'shortened': (frames[quarter : 3 * quarter], 23),
    }
    for kind, (copy, quality) in made.items():
        file = out / kind / path.name
        if file.exists():
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(file), 'w') as container:
            stream = container.add_stream('libx264', rate=FPS, options=dict(crf=str(quality)))
            stream.height, stream.width = copy[0].shape[:2]
            stream.pix_fmt = 'yuv420p'
            for frame in copy:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format='rgb24')))
            container.mux(stream.encode())


def growth(root, counts=(100_000, 300_000, 1_000_000)):
    """Print CPU seconds and peak memory of searching a Parquet folder, one process per size."""
    for count in counts:
        folder = root / f'random_{count}/multi-clip/all'
        if not folder.exists():
            fill(folder, count // CLIPS_A_VIDEO)
        subprocess.run([sys.executable, __file__, '--out', str(root), '--folder', str(folder)], check=True)


def fill(folder, num_videos):
    """Write a folder of random vectors as an extraction does."""
    times = np.stack([np.arange(CLIPS_A_VIDEO), np.arange(CLIPS_A_VIDEO) + 1.0], axis=1)
    info = dict(duration=float(CLIPS_A_VIDEO), num_frames=25 * CLIPS_A_VIDEO, sampling='multi-clip')
    for start in range(0, num_videos, PART_VIDEOS):
        rng = np.random.default_rng(start)
        videos = (
            dict(video_id=f'{number:06d}', clips=clips, times=times, video=clips.mean(axis=0), info=info)
            for number in range(start, min(start + PART_VIDEOS, num_videos))
            for clips in [rng.standard_normal((CLIPS_A_VIDEO, DIMS), np.float32)]
        )
        write_part(f'{folder}/part-{start:06d}.parquet', videos)


def grow(folder):
    """Measure one size of :func:`growth`."""
    torch.set_num_threads(1)
    collections = []
    for when in ('first opening, which writes the matrix', 'opening again', 'query', 'query'):

        def run(when=when):
            if when == 'query':
                assert find_moments('000007#5', collections[-1]).hits['forward'][0].video_id == '000007'
            else:
                collections.append(Collection(folder))

        start = time.process_time()
        memory = peak_bytes_of(run)
        seconds = time.process_time() - start
        print(f'{len(collections[-1]):,} x {DIMS}, {when}: {seconds:.1f} s, +{memory >> 20} MiB', flush=True)


def pictures(root):
    """Screenshots of search pages for docs/search.md, of the embeddings of the other steps."""
    sys.path.insert(0, str(ROOT))
    from tests.chromium import Chromium, find_chromium

    trimmed = VideoFiles(root / 'trimmed/test_both.txt')
    hits = find_moments('test/00000', root / 'precision_small/uniform/test', top=6, without_own=True, files=trimmed)
    pages = dict(search_hits=answer_page(hits, trimmed)[0])
    folders = [root / f'duplicates_small/multi-clip/{kind}' for kind in ('originals', 'copies')]
    pairs = find_duplicates(*folders)
    sources = [VideoFiles(root / kind) for kind in ('originals', 'copies')]
    shown = [next(pair for pair in pairs if pair.other_id.startswith(kind)) for kind in ('cropped', 'shortened')]
    pages['search_duplicates'] = duplicates_page(shown, 'Originals and copies', *sources)[0]
    for name, page in pages.items():
        (root / f'{name}.html').write_text(page)
        with Chromium(find_chromium(), str(root / f'profile_{name}'), size=(1150, 900)) as browser:
            browser.open((root / f'{name}.html').absolute().as_uri())
            browser.screenshot(root / f'{name}.png')
        picture = cv2.imread(str(root / f'{name}.png'))
        path = ROOT / f'docs/{name}.jpg'
        cv2.imwrite(str(path), cv2.resize(picture, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA), JPEG)
        print(f'{path}: {path.stat().st_size // 1000} kB', flush=True)


STEPS = dict(
    precision=precision,
    direction=direction,
    moments=moments,
    duplicates=duplicates,
    growth=growth,
    pictures=pictures,
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, required=True, help='folder for videos and embeddings; growth needs 9 GB')
    parser.add_argument('--steps', nargs='+', choices=STEPS, default=list(STEPS))
    parser.add_argument('--folder', help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    warnings.filterwarnings('ignore', message='.*has no weights')
    if args.folder:
        grow(args.folder)
        return
    for step in args.steps:
        STEPS[step](args.out)


if __name__ == '__main__':
    main()
