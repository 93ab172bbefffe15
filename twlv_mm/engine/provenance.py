"""What a result was computed with: versions, machine, decoder, encoder."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import torch

import twlv_mm

LIBRARIES = ('torch', 'mmengine', 'mmcv', 'mmcv-lite', 'mmdet', 'mmaction2', 'numpy')
# Transform that opens a video -> what it decodes with, and the distributions that provide that.
DECODERS = {
    'DecordInit': ('decord', ('decord',)),
    'PyAVInit': ('av', ('av',)),
    'OpenVideo': ('av', ('av',)),
    'DecodeVideo': ('av', ('av',)),
    'OpenCVInit': ('cv2', ('opencv-contrib-python', 'opencv-python', 'opencv-python-headless')),
    'RawFrameDecode': ('rawframes', ()),
}


def versions():
    """Versions of Python, twlv_mm and the libraries that are installed.

    Returns:
        dict[str, str]: name -> version.
    """
    # torch's own name has its build, which the distribution's may lack.
    found = {name: _version(name) for name in LIBRARIES} | {'torch': torch.__version__}
    return {
        'python': platform.python_version(),
        'twlv_mm': twlv_mm.__version__,
        **{name: number for name, number in found.items() if number is not None},
    }


def hardware(processes):
    """The machine that this process runs on.

    Args:
        processes (int): How many processes the run has.

    Returns:
        dict: cpu (model), cpu_cores, accelerator (model or None), processes.
    """
    return dict(
        cpu=_cpu_model(),
        cpu_cores=os.cpu_count(),
        accelerator=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        processes=processes,
    )


def decoder(cfg):
    """The decoder that a dataloader's config names.

    Args:
        cfg (dict): Config of the dataloader.

    Returns:
        dict | None: name and version (None where it has none); None if no known decoder is in the config.
    """
    for kind, step in _types(cfg):
        if kind in DECODERS:
            name, distributions = DECODERS[kind]
            if step.get('decoder'):
                name, distributions = step['decoder'], (step['decoder'],)
            return dict(name=name, version=next(filter(None, map(_version, distributions)), None))
    return None


def encoder(model):
    """The encoder inside a model.

    Args:
        model (nn.Module): With the encoder as ``backbone``, if it has one.

    Returns:
        dict: name, source, weights_sha256, params (number of parameters), pretraining_sets; None where not known.
    """
    backbone = getattr(model, 'backbone', None)
    spec = getattr(backbone, 'spec', None)
    sets = getattr(backbone, 'pretraining_sets', None)
    return dict(
        name=getattr(spec, 'name', None),
        source=getattr(spec, 'source', None),
        weights_sha256=getattr(backbone, 'weights_sha256', None),
        params=None if backbone is None else sum(p.numel() for p in backbone.parameters()) or None,
        pretraining_sets=None if sets is None else list(sets),
    )


def _version(distribution):
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _cpu_model():
    try:
        with open('/proc/cpuinfo') as file:
            return next(line.split(':', 1)[1].strip() for line in file if line.startswith('model name'))
    except (OSError, StopIteration):  # not Linux, or a processor that does not say
        return platform.processor() or platform.machine()


def _types(cfg):
    """All ``type``s in a config, without scope, and the dicts that have them, outermost first."""
    if isinstance(cfg, dict):
        kind = cfg.get('type')
        if kind is not None:
            yield (kind if isinstance(kind, str) else kind.__name__).split('.')[-1], cfg
        cfg = list(cfg.values())
    if isinstance(cfg, list | tuple):
        for value in cfg:
            yield from _types(value)
