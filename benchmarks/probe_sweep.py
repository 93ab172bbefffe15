"""Training iterations of 20 probes together and of one."""

import time
from functools import partial
from pathlib import Path

import torch
from mmaction.structures import ActionDataSample
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope

from twlv_mm.encoders import describe, read_config

CONFIGS = Path(__file__).parents[1] / 'configs/twlv'


def benchmark_sweep(arch, videos, iterations):
    """Seconds of a training iteration with one attentive probe and with 20, in turns; the shortest of each counts.

    Args:
        arch (str): Of the frozen encoder, with random weights.
        videos (int): Of a batch, one clip each.
        iterations (int): Of each, after one warm-up iteration.

    Returns:
        dict[int, float]: number of probes -> seconds.
    """
    init_default_scope('mmaction')
    MMLogger.get_current_instance().setLevel('ERROR')  # a line for each frozen parameter
    encoder = describe(arch)
    steps, times = {}, {1: [], 20: []}
    for count, name in zip(times, ('k400_attentive', 'k400_attentive_sweep'), strict=True):
        cfg = read_config(CONFIGS / f'{name}.py', arch, encoder_overrides=dict(allow_random=True))
        model = MODELS.build(cfg.model)
        steps[count] = partial(model.train_step, optim_wrapper=build_optim_wrapper(model, cfg.optim_wrapper))
    shape = 3, encoder.num_frames, encoder.img_size, encoder.img_size
    clips = [torch.randint(256, (1, *shape), dtype=torch.uint8) for _ in range(videos)]
    samples = [ActionDataSample(metainfo=dict(num_clips=1)).set_gt_label(place) for place in range(videos)]
    for _ in range(1 + iterations):
        for count, step in steps.items():
            start = time.perf_counter()
            step(dict(inputs=clips, data_samples=samples))
            times[count].append(time.perf_counter() - start)
    return {count: min(seconds[1:]) for count, seconds in times.items()}
