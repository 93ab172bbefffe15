#!/usr/bin/env python
"""Train the small encoder on generated clips, and write <out>/encoder.pth, or with --pretrain NAME <out>/NAME.pth.

By default it is trained with labels of appearance and motion, three to four minutes on two CPU cores. With --pretrain
it is trained by masked modelling, four to six minutes on one core and a few more for each missing teacher; pixels and
latent need no labels, the other targets have teachers that were trained with labels.
"""

import argparse

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from mmengine.device import get_device

from twlv_mm.encoders.precision import has_bf16_units
from twlv_mm.pretraining.small_encoder import PRETRAINED, train_small
from twlv_mm.synthetic import FolderError, make_trimmed
from twlv_mm.system_errors import fail, run_tool


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pretrain', choices=PRETRAINED, help='pretrain by masked modelling with this target')
    parser.add_argument('--out', default='work_dirs/small', help='default %(default)s')
    parser.add_argument('--data', default='work_dirs/synthetic/trimmed', help='made if missing (default %(default)s)')
    parser.add_argument('--num-train', type=int, default=3000, help='training clips to make (default 3000)')
    parser.add_argument('--num-test', type=int, default=600, help='test clips to make (default 600)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the clips and of the training (default 0)')
    args = parser.parse_args()
    try:
        make_trimmed(args.data, args.seed, args.num_train, args.num_test)
    except FolderError as error:
        fail(error)
    # With AVX-512 BF16, supervised training in bf16 takes 4/5 of the CPU time. Pretraining encodes few patches, and
    # casting costs more than it saves.
    options = ['--amp'] if has_bf16_units(get_device()) and not args.pretrain else []
    path = train_small(args.pretrain or 'encoder', args.out, args.data, args.seed, options)
    print(f'The small encoder is in {path}')


if __name__ == '__main__':
    run_tool(main)
