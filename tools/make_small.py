#!/usr/bin/env python
"""Train the small encoder on generated clips, on appearance and motion at once; leaves <out>/encoder.pth.

Takes two CPU cores three to four minutes.
"""

import argparse
import sys
from pathlib import Path

import twlv_mm  # noqa: F401  isort: skip  before anything that it mends

import torch

from twlv_mm.encoders import encoder_state, read_checkpoint
from twlv_mm.engine import launch
from twlv_mm.synthetic import FolderError, make_trimmed

CONFIG = Path(__file__).parents[1] / 'configs/synthetic/both_finetune.py'


def bf16_pays():
    """Whether this machine multiplies in bfloat16 faster than in float32: GPUs, and CPUs with AMX."""
    cpu = Path('/proc/cpuinfo')
    return torch.cuda.is_available() or (cpu.exists() and 'amx_bf16' in cpu.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', default='work_dirs/small', help='default %(default)s')
    parser.add_argument('--data', default='work_dirs/synthetic/trimmed', help='made if missing (default %(default)s)')
    parser.add_argument('--num-train', type=int, default=3000, help='training clips to make (default 3000)')
    parser.add_argument('--num-test', type=int, default=600, help='test clips to make (default 600)')
    parser.add_argument('--seed', type=int, default=0, help='of the clips and of the training (default 0)')
    args = parser.parse_args()
    try:
        make_trimmed(args.data, args.seed, args.num_train, args.num_test)
    except FolderError as error:
        sys.exit(f'error: {error}')
    options = ['--amp'] if bf16_pays() else []
    options += ['--cfg-options', f'train_dataloader.dataset.data_root={args.data}']
    launch.main_train([str(CONFIG), '--work-dir', args.out, '--seed', str(args.seed), *options])
    out = Path(args.out)
    state = encoder_state(read_checkpoint((out / 'last_checkpoint').read_text()))
    torch.save(state, out / 'encoder.pth.partial')
    (out / 'encoder.pth.partial').replace(out / 'encoder.pth')
    print(f'The small encoder is in {out / "encoder.pth"}')


if __name__ == '__main__':
    main()
