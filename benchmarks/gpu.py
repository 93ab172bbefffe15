"""GPU tests and measurements, in eight minutes: python benchmarks/gpu.py --out gpu.json

Each step runs in a process of its own with a time limit, and its figures or its error are printed and written to the
JSON file as soon as it ends. ``--device cpu --tiny`` runs the same code on the CPU with small sizes.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
STEPS = {}
SECONDS = 120  # the most that one step may take


def step(function):
    """Register a measurement; ``function(device, tiny)`` returns a dict of figures."""
    STEPS[function.__name__] = function
    return function


@step
def tests(device, tiny):
    """The tests that are skipped without a GPU."""
    paths = ['tests/encoders/test_precision.py', 'tests/engine/test_autocast.py', 'tests/recognition/test_knn.py']
    command = [sys.executable, '-m', 'pytest', '-q', *paths]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:])
    return dict(result=done.stdout.splitlines()[-1].strip('= '))


@step
def encoders(device, tiny):
    """Clips per second of whole encoders, and their share of the best matrix product on this device."""
    from twlv_mm.encoders.speed import encoder_rate

    rates = {}
    for name in ['twlv_small_synthetic'] if tiny else ['twlv_base', 'twlv_large']:
        for precision in ('bf16', 'fp16'):
            rate = encoder_rate(name, precision, 2 if tiny else 32, device, seconds=0.1 if tiny else 3.0)
            rates[f'{name} {precision} clips/s'] = rate['clips_per_second']
            rates[f'{name} {precision} share'] = rate['share']
    return rates


@step
def extraction(device, tiny):
    """From uint8 frames to vectors, as ``twlv extract`` encodes them, in each supported precision."""
    import numpy as np
    import torch

    from twlv_mm.embeddings import Extractor
    from twlv_mm.embeddings.extractor import PRECISIONS

    rates = {}
    name, clips = ('twlv_small_synthetic', 4) if tiny else ('twlv_base', 64)
    for precision in PRECISIONS:
        if precision == 'fp16' and device == 'cpu':
            continue
        extractor = Extractor(name, precision=precision, device=device)
        spec = extractor.model.spec
        frames = np.zeros((clips, spec.num_frames, spec.img_size, spec.img_size, 3), np.uint8)
        rates[f'{name} {precision} clips/s'] = clips / _seconds(partial(extractor.encode, frames), device)
        rates[f'{name} {precision} finite'] = bool(torch.isfinite(extractor.encode(frames)).all())
    return rates


@step
def compiled(device, tiny):
    """torch.compile against the plain encoder, in bf16."""
    import torch

    from twlv_mm import get_model

    model = get_model('twlv_small_synthetic' if tiny else 'twlv_base').eval().to(device)
    spec = model.spec
    video = torch.randn(2 if tiny else 32, 3, spec.num_frames, spec.img_size, spec.img_size, device=device)
    rates, vectors = {}, {}
    for way, run in (('plain', model.embed), ('compiled', torch.compile(model.embed))):
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16):
            vectors[way] = run(video).float()
            rates[f'{way} clips/s'] = len(video) / _seconds(lambda run=run: run(video), device)
    difference = (vectors['plain'] - vectors['compiled']).abs().max() / vectors['plain'].abs().max()
    return dict(rates, relative_difference=difference.item())


@step
def probe(device, tiny):
    """A training step of the linear probe on Kinetics-400, under autocast."""
    import torch
    from mmaction.structures import ActionDataSample

    model, cfg = _model('k400_linear', device, tiny)
    spec = model.backbone.spec
    clips = 2 if tiny else 32
    shape = 1, 3, spec.num_frames, spec.img_size, spec.img_size
    data = dict(
        inputs=[torch.randint(256, shape, dtype=torch.uint8) for _ in range(clips)],
        data_samples=[ActionDataSample(metainfo=dict(num_clips=1)).set_gt_label(place) for place in range(clips)],
    )
    seconds = _training_seconds(model, cfg, data, device)
    return {'s a step': seconds, 'clips/s': clips / seconds}


@step
def localization(device, tiny):
    """A training step of ActionFormer on THUMOS14's longest input."""
    import torch

    from benchmarks.actionformer_steps import training_step

    torch.set_default_device(device)
    sizes = dict(length=64, batch_size=1, in_channels=16, max_length=64) if tiny else dict(length=2304, batch_size=2)
    _, loss = training_step('local', **{'in_channels': 1024, **sizes})
    return {'s a step': _seconds(lambda: loss().backward(), device)}


@step
def detection(device, tiny):
    """A training step of the end-to-end detector on AVA, with its encoder."""
    import torch
    from mmaction.structures import ActionDataSample
    from mmengine.structures import InstanceData

    model, cfg = _model('ava_stal', device, tiny)
    spec = model.backbone.spec
    height, width = (32, 48) if tiny else (224, 400)
    samples = []
    for _ in range(2):
        meta = dict(img_shape=(height, width), img_key='film,0902', key_frame=spec.num_frames // 2)
        samples.append(ActionDataSample(metainfo=meta))
        labels = torch.zeros(1, 81)
        labels[0, 3] = 1
        samples[-1].gt_instances = InstanceData(bboxes=torch.tensor([[4.0, 4.0, 20.0, 28.0]]), labels=labels)
    video = torch.randint(256, (3, spec.num_frames, height, width), dtype=torch.uint8)
    return {'s a step': _training_seconds(model, cfg, dict(inputs=[video, video], data_samples=samples), device)}


@step
def pretraining(device, tiny):
    """A step of masked pretraining with FSDP2 on one device, base and large."""
    import torch

    from benchmarks.pretraining_steps import training_step

    _one_process(device)
    from twlv_mm.engine.fully_shard import FullyShard

    figures = {}
    for name in ['twlv_small_synthetic'] if tiny else ['twlv_base', 'twlv_large']:
        torch.set_default_device(device)
        model, loss = training_step('75% masked', {'75% masked': 0.75}, name, 2 if tiny else 16)
        FullyShard(model)
        optimizer = torch.optim.AdamW(model.parameters(), 1e-4)

        def train(loss=loss, optimizer=optimizer):
            optimizer.zero_grad()
            with torch.autocast(device, torch.bfloat16):
                value = loss()
            value.backward()
            optimizer.step()

        figures[f'{name} s a step'] = _seconds(train, device)
        figures[f'{name} loss'] = loss().item()
    return figures


@step
def knn(device, tiny):
    """The nearest 20 of a million vectors for 20,000 queries."""
    import numpy as np
    import torch

    from twlv_mm.embeddings import nearest

    rows, count, dims = (1000, 10, 16) if tiny else (1_000_000, 20_000, 768)
    bank = np.random.default_rng(0).standard_normal((rows, dims), np.float32)
    queries = torch.from_numpy(bank[:count]).to(device)
    start = time.perf_counter()
    _, places = nearest(queries, bank, 20)
    seconds = time.perf_counter() - start
    if not torch.equal(places[:, 0].cpu(), torch.arange(count)):
        raise RuntimeError('a vector of the bank is not its own nearest neighbour')
    return {'s': seconds, 'queries/s': count / seconds}


def _model(config, device, tiny):
    import torch
    from mmengine.config import Config
    from mmengine.registry import MODELS, init_default_scope

    import twlv_mm  # noqa: F401

    os.environ['ENCODER'] = 'twlv_small_synthetic' if tiny else 'twlv_base'
    init_default_scope('mmaction')
    cfg = Config.fromfile(Path(__file__).parents[1] / f'configs/twlv/{config}.py')
    cfg.model.backbone.allow_random = True
    torch.manual_seed(0)
    return MODELS.build(cfg.model).to(device), cfg


def _training_seconds(model, cfg, data, device):
    from mmengine.optim import build_optim_wrapper

    wrapper = build_optim_wrapper(
        model, cfg.optim_wrapper | dict(type='twlv_mm.AutocastOptimWrapper', dtype='bfloat16')
    )
    return _seconds(lambda: model.train_step(data, wrapper), device)


def _seconds(function, device, calls=3):
    """Shortest time of several calls, after one warm-up call."""
    import torch

    times = []
    for _ in range(1 + calls):
        start = time.perf_counter()
        function()
        if device == 'cuda':
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def _one_process(device):
    import torch.distributed as dist

    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT='29577')
    dist.init_process_group('nccl' if device == 'cuda' else 'gloo', rank=0, world_size=1)


def _run(name, args):
    """Run a step in a process of its own; returns its figures, or the last lines of its error."""
    command = [sys.executable, __file__, '--step', name, '--device', args.device, *(['--tiny'] if args.tiny else [])]
    start = time.perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return dict(error=f'took longer than {SECONDS} s')
    if done.returncode:
        return dict(error='\n'.join(done.stderr.splitlines()[-6:]))
    return dict(json.loads(done.stdout.splitlines()[-1]), seconds=time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', default='gpu.json', help='default %(default)s')
    parser.add_argument('--device', default='cuda', choices=['cuda', 'cpu'])
    parser.add_argument('--tiny', action='store_true', help='small sizes')
    parser.add_argument('--together', action='store_true', help='run all steps in one process and stop at an error')
    parser.add_argument('--step', choices=STEPS, help='run one step in this process and print JSON')
    parser.add_argument('--only', nargs='+', choices=STEPS, default=list(STEPS), help='these steps')
    args = parser.parse_args()
    if args.step:
        print(json.dumps(STEPS[args.step](args.device, args.tiny)))
        return
    figures = {}
    for name in args.only:
        figures[name] = STEPS[name](args.device, args.tiny) if args.together else _run(name, args)
        Path(args.out).write_text(json.dumps(figures, indent=2) + '\n')
        for key, value in figures[name].items():
            print(
                f'{name:13}{key:38}{value:.4g}' if isinstance(value, float) else f'{name:13}{key:38}{value}', flush=True
            )
    sys.exit(any('error' in one for one in figures.values()))


if __name__ == '__main__':
    main()
