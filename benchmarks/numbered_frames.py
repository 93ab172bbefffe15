#!/usr/bin/env python
"""Count wrong frames on every path from a file to a model, with videos whose frames show their own number.

FOLDER holds the videos and truth.json: for each file the numbers and start times of its frames. Each path is run as a
user runs it, and the numbers are read from the pixels that the model would get.
"""

import argparse
import json
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import twlv_mm  # noqa: F401  isort: skip  before mmaction's models

import numpy as np
import torch
from mmaction.datasets.transforms import SampleFrames
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from twlv_mm.embeddings import EmbeddingFolder, Video, extract_collection
from twlv_mm.recognition import RecognitionInferencer
from twlv_mm.video import ClipSampling, clip_windows

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
NUM_FRAMES = 16
# Instants closer than this to the start of a frame count as that frame's (twlv_mm.video.sampling).
TOLERANCE = 1e-3


class Truth:
    """Number and start (seconds) of each frame of a file, in order, and the duration in seconds."""

    def __init__(self, entry):
        count = entry['frames']
        numbers, times = entry['numbers'], entry['times']
        if isinstance(numbers, str):
            first, last = map(int, numbers.split(' to '))
            numbers = range(first, last + 1)
        if isinstance(times, str):
            times = np.arange(count) * float(times.split()[1])
        self.numbers, self.times = np.array(numbers), np.array(times, float)
        step = np.median(np.diff(self.times)) if count > 1 else 1 / 30
        self.duration = entry.get('duration') or self.times[-1] + step
        self.size = entry.get('size', (160, 120))  # as shown

    def at(self, instants):
        """Numbers of the frames that are shown at the given seconds."""
        places = np.searchsorted(self.times, np.asarray(instants) + TOLERANCE, side='right') - 1
        return self.numbers[places.clip(0, len(self.numbers) - 1)]

    def of_windows(self, windows):
        """(M, N) numbers of clips, N frames at the middles of equal parts of each window."""
        middles = (np.arange(NUM_FRAMES) + 0.5) / NUM_FRAMES
        return self.at(windows[:, :1] + (windows[:, 1:] - windows[:, :1]) * middles)


def draw_number(number, width=160, height=120):
    """An image of a number: 12 bits as black and white blocks, in two rows of six."""
    picture = np.full((height, width, 3), 96, np.uint8)
    for bit in range(12):
        row, column = divmod(bit, 6)
        block = picture[row * (height // 2) : (row + 1) * (height // 2), column * (width // 6) :][:, : width // 6]
        block[:] = 235 if number >> bit & 1 else 16
    return picture


def read_number(picture):
    """The number that an (H, W, 3) image of any size shows."""
    height, width = picture.shape[:2]
    rows, columns = (np.array([0.25, 0.75]) * height).astype(int), ((np.arange(6) + 0.5) * (width // 6)).astype(int)
    patches = [picture[y - 2 : y + 3, x - 2 : x + 3].mean() > 120 for y in rows for x in columns]
    return sum(1 << bit for bit, white in enumerate(patches) if white)


class NumberReader:
    """A stand-in for an encoder; the vector of a clip is the numbers on its frames."""

    batch_size = 8
    model = SimpleNamespace(pretraining_sets=None)

    def __init__(self, sampling):
        self.sampling = ClipSampling(sampling, 0.5, 0.125, NUM_FRAMES, 120, 'squash')
        self.settings = dict(self.sampling._asdict(), model='numbers', weights_sha256=None)

    def encode(self, clips):
        """(M, N, H, W, 3) pixels to (M, N) numbers."""
        return torch.tensor([[read_number(frame) for frame in clip] for clip in clips], dtype=torch.float32)


def extraction(sampling, segment=False):
    """The path of ``twlv extract``; with ``segment``, of the middle half of each file."""

    def way(path, truth, out):
        times = (truth.duration / 4, truth.duration * 3 / 4) if segment else None
        summary = extract_collection(NumberReader(sampling), [Video('a', str(path), None, times)], out, workers=0)
        if summary.failures:
            raise RuntimeError(summary.failures[0]['reason'])
        found = EmbeddingFolder(Path(out) / sampling / 'all').clips('a').astype(int)
        start, length = (times[0], times[1] - times[0]) if segment else (0.0, truth.duration)
        windows = np.array([[0.0, length]]) if sampling == 'uniform' else clip_windows(length, 0.5, 0.125)
        return found, truth.of_windows(windows + start)

    return way


def live_test(path, truth, out):
    """The test pipeline of k400_linear.py: 4 clips of 16 frames, 3 crops."""
    init_default_scope('mmaction')
    pipeline = Compose(Config.fromfile(CONFIGS / 'twlv/k400_linear.py').test_dataloader.dataset.pipeline)
    inputs = pipeline(dict(filename=str(path), label=-1, start_index=0, modality='RGB'))['inputs']
    return read_crops(inputs, truth), live_numbers(truth)


def inference(path, truth, out):
    """The path of ``twlv infer`` with k400_linear.py, up to the model."""
    inferencer = RecognitionInferencer.__new__(RecognitionInferencer)
    init_default_scope('mmaction')
    seen = []

    class Model:
        def test_step(self, batch):
            seen.extend(batch['inputs'])
            return [type('Sample', (), dict(pred_score=torch.zeros(400)))]

    cfg = Config.fromfile(CONFIGS / 'twlv/k400_linear.py')
    vars(inferencer).update(model=Model(), pipeline=Compose(cfg.test_dataloader.dataset.pipeline))
    vars(inferencer).update(classes=[''] * 400, _made_with=dict(decoder=dict(name='', version=None)), decoder=None)
    inferencer(str(path))
    return read_crops(seen[0], truth), live_numbers(truth)


def live_segment(path, truth, out):
    """The test pipeline of ek100_linear.py on the middle half of a file."""
    init_default_scope('mmaction')
    start, end = truth.duration / 4, truth.duration * 3 / 4
    pipeline = Compose(Config.fromfile(CONFIGS / 'twlv/ek100_linear.py').test_dataloader.dataset.pipeline)
    sample = dict(filename=str(path), start=start, end=end, label=-1, start_index=0, modality='RGB')
    length = min(16 / 30, end - start)
    starts = start + np.linspace(0, end - start - length, 4)
    return read_crops(pipeline(sample)['inputs'], truth), truth.of_windows(np.stack([starts, starts + length], 1))


def keyframe(path, truth, out):
    """The test pipeline of ava_stal.py with the frame in the middle of a file as the keyframe."""
    init_default_scope('mmaction')
    pipeline = Compose(Config.fromfile(CONFIGS / 'twlv/ava_stal.py').test_dataloader.dataset.pipeline)
    timestamp = truth.times[len(truth.times) // 2]
    sample = dict(filename=str(path), timestamp=timestamp, offset_seconds=0.0, start_index=0, modality='RGB')
    frames = pipeline(sample)['inputs'].permute(1, 2, 3, 0).numpy()
    found = np.array([[read_number(frame) for frame in frames]])
    times = timestamp + (np.arange(NUM_FRAMES) - NUM_FRAMES // 2) * (2.1 / NUM_FRAMES)
    # The frame that starts closest to an instant and the one shown at that time are both correct.
    nearest = truth.numbers[np.abs(truth.times[:, None] - times).argmin(axis=0)]
    shown = truth.at(times)
    return found, np.where(found == shown, shown, nearest)


def live_numbers(truth):
    """(4, 16) numbers of mmaction2's SampleFrames in testing, over the frames in the order in which they are shown."""
    sampled = SampleFrames(clip_len=16, frame_interval=4, num_clips=4, test_mode=True)(
        dict(total_frames=len(truth.numbers), start_index=0)
    )
    return truth.numbers[sampled['frame_inds']].reshape(4, 16)


def read_crops(inputs, truth):
    """(M, N) numbers of M clips whose first and last crop out of three together show whole frames."""
    crops = inputs.reshape(3, -1, *inputs.shape[1:]).permute(0, 1, 3, 4, 5, 2).numpy()
    side, ratio = crops.shape[3], truth.size[0] / truth.size[1]
    width, height = int(side * max(ratio, 1) + 0.5), int(side / min(ratio, 1) + 0.5)
    whole = np.zeros((*crops.shape[1:3], height, width, 3), np.uint8)
    whole[:, :, :side, :side] = crops[0]
    whole[:, :, -side:, -side:] = crops[2]
    return np.array([[read_number(frame) for frame in clip] for clip in whole])


WAYS = {
    'uniform': extraction('uniform'),
    'multi-clip': extraction('multi-clip'),
    'extracted segment': extraction('multi-clip', segment=True),
    'live k400 test': live_test,
    'live segment': live_segment,
    'AVA keyframe': keyframe,
    'infer.py': inference,
}


def count_wrong(way, path, truth):
    """Run one path on one file.

    Args:
        way (str): A key of WAYS.
        path (Path): The video.
        truth (Truth): What it shows.

    Returns:
        tuple[int, int, int]: wrong frames, all frames, and by how much the worst number is off.

    Raises:
        RuntimeError: if there are more or fewer clips than the file has.
        Exception: whatever ends the run.
    """
    with tempfile.TemporaryDirectory() as out, redirect_stdout(sys.stderr):
        found, expected = WAYS[way](path, truth, out)
    if found.shape != expected.shape:
        raise RuntimeError(f'{len(found)} clips, expected {len(expected)}')
    off = np.abs(found - expected)
    return int((off > 0).sum()), off.size, int(off.max())


def read_truth(folder):
    """The videos of a folder with their truth.

    Args:
        folder (Path): With truth.json.

    Returns:
        dict[Path, Truth]: in order of names.
    """
    entries = json.loads((folder / 'truth.json').read_text())
    return {folder / name: Truth(entries[name]) for name in sorted(entries)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', metavar='FOLDER', type=Path, nargs='+', help='videos and their truth.json')
    parser.add_argument('--ways', nargs='+', choices=WAYS, default=list(WAYS), help='paths to test (default: all)')
    args = parser.parse_args()
    print('| file |', ' | '.join(args.ways), '|')
    print('|---' * (len(args.ways) + 1) + '|')
    total, errors = 0, []
    for folder in args.folder:
        for path, truth in read_truth(folder).items():
            cells = []
            for way in args.ways:
                try:
                    wrong, count, worst = count_wrong(way, path, truth)
                except Exception as error:  # the table says what a user would see
                    cells.append('error')
                    errors.append(f'{path.name}, {way}: {type(error).__name__}: {str(error).splitlines()[0][:200]}')
                    continue
                total += wrong
                cells.append(f'**{wrong} of {count}**, up to {worst} off' if wrong else f'0 of {count}')
            print(f'| {path.name} |', ' | '.join(cells), '|', flush=True)
    print(f'\n{total} wrong frames, {len(errors)} errors')
    print(''.join(f'- {error}\n' for error in errors), end='')
    sys.exit(min(total + len(errors), 1))


if __name__ == '__main__':
    main()
