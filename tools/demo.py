#!/usr/bin/env python
"""From generated videos to a tested probe and to embeddings, with the project's own command-line tools.

Everything it makes is under work_dirs/demo. Takes a minute or two on two CPU cores.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from twlv_mm.synthetic import DIRECTIONS, make_direction_set

ROOT = Path('work_dirs/demo')
TOOLS = Path(__file__).parent
CONFIGS = TOOLS.parent / 'configs/synthetic'


def run(*arguments):
    """Run one of the tools, showing its command; its output goes to a log file."""
    command = [sys.executable, *map(str, arguments)]
    print(f'  $ python {shlex.join(command[1:])}', flush=True)
    log = ROOT / 'log.txt'
    with log.open('a') as file:
        result = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT)
    if result.returncode:
        sys.exit(f'that failed with exit code {result.returncode}; the end of {log}:\n{log.read_text()[-3000:]}')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--video', help='a video file of yours to embed as well')
    args = parser.parse_args()
    began = time.time()
    ROOT.mkdir(parents=True, exist_ok=True)
    (ROOT / 'log.txt').unlink(missing_ok=True)

    videos = ROOT / 'videos'
    print(f'1. Rendering 96 training and 48 test videos of a moving shape into {videos}; the label is the direction.')
    make_direction_set(videos, 'train', 96, seed=0)
    make_direction_set(videos, 'test', 48, seed=1)

    print('2. Training a small encoder on them, from scratch.')
    run(TOOLS / 'train.py', CONFIGS / 'direction_finetune.py', '--work-dir', ROOT / 'encoder')
    weights = ROOT / 'encoder/epoch_15.pth'

    print('3. Training a linear probe on the frozen encoder, and testing it from its checkpoint.')
    linear = CONFIGS / 'direction_linear.py'
    options = ['--work-dir', ROOT / 'probe', '--cfg-options', f'encoder_weights={weights}']
    run(TOOLS / 'train.py', linear, *options)
    run(TOOLS / 'test.py', linear, ROOT / 'probe/epoch_15.pth', *options)

    print('4. Embedding the test videos with the encoder: one vector a clip of half a second.')
    extract = ['--weights', weights, '--clip-seconds', '0.5']
    run(TOOLS / 'extract.py', 'twlv_tiny_synthetic', videos / 'test', '--out', ROOT / 'embeddings', *extract)
    if args.video:
        print(f'5. Embedding {args.video}.')
        own = ROOT / 'own_video'
        run(TOOLS / 'extract.py', 'twlv_tiny_synthetic', args.video, '--out', own, *extract)

    results_file = max((ROOT / 'probe').glob('*/results.json'))
    accuracy = json.loads(results_file.read_text())['metrics']['acc/top1']
    chance = 100 / len(DIRECTIONS)
    print(f'\nThe probe names the direction of {accuracy:.1f} % of the test videos; chance is {chance:.0f} %.')
    print(f'Done in {time.time() - began:.0f} s. What there is now:')
    print(f'  {results_file}: the score, and what is needed to repeat it')
    print(f'  {ROOT / "probe/epoch_15.pth"}: the probe and its encoder')
    for folder in ('embeddings', 'own_video')[: 2 if args.video else 1]:
        for path in sorted((ROOT / folder).rglob('*_c.npy'))[:1]:
            print(f'  {path}: {np.load(path).shape[0]} clips x {np.load(path).shape[1]} numbers (and others beside it)')


if __name__ == '__main__':
    main()
