#!/usr/bin/env python
"""From generated videos to tested probes and to embeddings, with the project's own command-line tools.

Everything it makes is under work_dirs/demo. Takes two CPU cores about four minutes.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from twlv_mm.synthetic import APPEARANCES, MOTIONS, item_rng, make_trimmed, render_clip
from twlv_mm.synthetic.checks import baselines, read_clips
from twlv_mm.visualization import contact_sheet

ROOT = Path('work_dirs/demo')
VIDEOS = ROOT / 'videos'
WEIGHTS = ROOT / 'encoder/encoder.pth'
TOOLS = Path(__file__).parent
CONFIGS = TOOLS.parent / 'configs/synthetic'
NUM_TRAIN, NUM_TEST = 2000, 400


def run(*arguments):
    """Run one of the tools, showing its command; its output goes to a log file."""
    command = [sys.executable, *map(str, arguments)]
    print(f'   $ python {shlex.join(command[1:])}', flush=True)
    log = ROOT / 'log.txt'
    with log.open('a') as file:
        result = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT)
    if result.returncode:
        sys.exit(f'that failed with exit code {result.returncode}; the end of {log}:\n{log.read_text()[-3000:]}')


def draw_classes(path):
    """Draw each appearance and each motion once."""

    def strip(index, **labels):
        return render_clip(item_rng(0, 'train', index), 'train', **labels)[0][::2]

    appearances = {name: strip(index, appearance=name, motion='right') for index, name in enumerate(APPEARANCES)}
    motions = {name: strip(index, motion=name) for index, name in enumerate(MOTIONS)}
    contact_sheet(path, {'appearance': appearances, 'motion': motions})


def probe(label):
    """Train a linear probe on the frozen encoder, test it from its checkpoint, and return its top-1 in percent."""
    config, folder = CONFIGS / f'{label}_linear.py', ROOT / f'{label}_linear'
    options = ['--work-dir', folder, '--cfg-options', f'encoder_weights={WEIGHTS}']
    options += [f'{split}_dataloader.dataset.data_root={VIDEOS}' for split in ('train', 'test')]
    run(TOOLS / 'train.py', config, *options)
    run(TOOLS / 'test.py', config, (folder / 'last_checkpoint').read_text(), *options)
    return json.loads(max(folder.glob('*/results.json')).read_text())['metrics']['acc/top1']


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--video', help='a video file of yours to embed as well')
    args = parser.parse_args()
    began = time.time()
    ROOT.mkdir(parents=True, exist_ok=True)
    (ROOT / 'log.txt').unlink(missing_ok=True)

    print(f'1. Rendering {NUM_TRAIN} training and {NUM_TEST} test videos into {VIDEOS}: 8 appearances x 8 motions.')
    make_trimmed(VIDEOS, num_train=NUM_TRAIN, num_test=NUM_TEST)
    draw_classes(ROOT / 'classes.png')

    print('2. Training a small encoder on them, from scratch.')
    sizes = ['--num-train', NUM_TRAIN, '--num-test', NUM_TEST]
    run(TOOLS / 'make_small.py', '--data', VIDEOS, '--out', WEIGHTS.parent, *sizes)

    print('3. Training a linear probe for either label on the frozen encoder, and testing it from its checkpoint.')
    measured = {label: probe(label) for label in ('appearance', 'motion')}

    print('4. Embedding the test videos with the encoder: one vector a clip of a second.')
    extract = ['--weights', WEIGHTS, '--clip-seconds', '1']
    run(TOOLS / 'extract.py', 'twlv_small_synthetic', VIDEOS / 'test', '--out', ROOT / 'embeddings', *extract)
    if args.video:
        print(f'5. Embedding {args.video}.')
        own = ROOT / 'own_video'
        run(TOOLS / 'extract.py', 'twlv_small_synthetic', args.video, '--out', own, *extract)

    simple = baselines({split: read_clips(VIDEOS, split) for split in ('train', 'test')})
    table = Table('top-1 on held-out videos, %', 'appearance', 'motion')
    table.add_row('chance', '12.5', '12.5')
    table.add_row('colour histogram', f'{simple["appearance from a colour histogram"]:.1f}', '')
    table.add_row(
        'middle frame, linear on pixels', '', f'{simple["motion from the middle frame, linear on pixels"]:.1f}'
    )
    table.add_row('linear probe on the small encoder', *(f'{value:.1f}' for value in measured.values()))
    print()
    Console(width=100).print(table)
    opposites = simple['motion or its opposite from the mean frame, linear on pixels']
    print(f'A motion is told from its opposite by the mean of the frames in {opposites:.1f} % (chance: 50).')
    print(f'Done in {time.time() - began:.0f} s. What there is now:')
    print(f'  {ROOT / "classes.png"}: what the classes look like')
    print(f'  {WEIGHTS}: the encoder')
    for label in measured:
        print(f'  {max((ROOT / f"{label}_linear").glob("*/results.json"))}: a score, and what is needed to repeat it')
    for folder in ('embeddings', 'own_video')[: 2 if args.video else 1]:
        for path in sorted((ROOT / folder).rglob('*_c.npy'))[:1]:
            print(f'  {path}: {np.load(path).shape[0]} clips x {np.load(path).shape[1]} numbers (and others beside it)')


if __name__ == '__main__':
    main()
