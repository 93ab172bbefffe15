"""Inference time of SqueezeTime in several equivalent forms, measured in turns."""

import copy
import tempfile
import time
from importlib.util import find_spec
from statistics import median

import torch
from mmcv.cnn import fuse_conv_bn

from twlv_mm import get_model
from twlv_mm.encoders.onnx_export import export_onnx

PLAIN = 'plain, fp32'


def benchmark_squeezetime(batch_size=1, turns=10):
    """Time ways to embed clips of 16 x 224 on the CPU.

    Args:
        batch_size (int): Clips at once.
        turns (int): Measurements of each way, in turns so that disturbances affect all: two timed calls after one
            that is not.

    Returns:
        dict[str, dict]: way -> seconds (median); difference, the largest from the plain model's outputs in units of the
        largest of these.
    """
    torch.set_flush_denormal(True)  # random weights make denormal numbers, trained ones do not
    torch.manual_seed(0)
    model = get_model('squeezetime_r50')
    pixels = 255 * torch.rand(batch_size, 3, 16, 224, 224)
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in (model.spec.mean, model.spec.std))
    video = (pixels - mean) / std
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(2, 3, 16, 64, 64))  # gives batch norms statistics that matter
    model.eval()
    folded = fuse_conv_bn(copy.deepcopy(model))
    last = copy.deepcopy(model).to(memory_format=torch.channels_last)
    fused, half = model.fuse(), model.fuse(torch.bfloat16)
    ways = {
        PLAIN: lambda: model.embed(video),
        'channels last': lambda: last.embed(video),
        "norms folded (mmcv's fuse_conv_bn)": lambda: folded.embed(video),
        'fuse()': lambda: fused.embed(video),
        'fuse(torch.bfloat16)': lambda: half.embed(video),
    }
    if find_spec('onnxruntime'):
        ways['ONNX Runtime'] = _in_onnx_runtime(model, pixels)
    with torch.inference_mode():
        expected = ways[PLAIN]()
        differences = {way: (run() - expected).abs().max() / expected.abs().max() for way, run in ways.items()}
        seconds = {way: [] for way in ways}
        for _ in range(turns):
            for way, run in ways.items():
                run()  # brings its weights back into the caches, as in use
                for _ in range(2):
                    start = time.perf_counter()
                    run()
                    seconds[way].append(time.perf_counter() - start)
    return {way: dict(seconds=median(seconds[way]), difference=differences[way].item()) for way in ways}


def _in_onnx_runtime(model, pixels):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Idle threads that wait busily would take the processor from the other ways.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    options.add_session_config_entry('session.set_denormal_as_zero', '1')
    with tempfile.NamedTemporaryFile(suffix='.onnx') as file:
        export_onnx(model, file.name)
        session = onnxruntime.InferenceSession(file.name, options, providers=['CPUExecutionProvider'])
    video = pixels.numpy()
    return lambda: torch.from_numpy(session.run(None, {'video': video})[0])
