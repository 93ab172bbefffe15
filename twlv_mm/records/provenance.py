"""The provenance of a result: versions, machine, decoder, encoder."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import torch

import twlv_mm

LIBRARIES = ('torch', 'mmengine', 'mmcv', 'mmcv-lite', 'mmdet', 'mmaction2', 'numpy')
# Transform that opens a video -> its decoder, and the distributions that provide it.
DECODERS = {
    'DecordInit': ('decord', ('decord',)),
    'PyAVInit': ('av', ('av',)),
    'OpenVideo': ('av', ('av',)),
    'DecodeVideo': ('av', ('av',)),
    'OpenCVInit': ('cv2', ('opencv-contrib-python', 'opencv-python', 'opencv-python-headless')),
    'RawFrameDecode': ('rawframes', ()),
}


def versions():
    """Versions of Python, twlv_mm and the installed libraries, by name."""
    # torch.__version__ includes the build, which the distribution's version may lack.
    found = {name: _version(name) for name in LIBRARIES} | {'torch': torch.__version__}
    return {
        'python': platform.python_version(),
        'twlv_mm': twlv_mm.__version__,
        **{name: number for name, number in found.items() if number is not None},
    }


def hardware(processes):
    """cpu (model), cpu_cores, accelerator (model or None) and the given number of processes."""
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
        dict | None: name and version (None where it has none); None if the config has no known decoder.
    """
    for kind, step in _types(cfg):
        if kind in DECODERS:
            name, distributions = DECODERS[kind]
            if step.get('decoder'):
                name, distributions = step['decoder'], (step['decoder'],)
            return dict(name=name, version=next(filter(None, map(_version, distributions)), None))
    return None


def encoder(backbone):
    """Describe an encoder.

    Args:
        backbone (nn.Module | None): The encoder.

    Returns:
        dict: name, source, weights_sha256, params (number of parameters), pretraining_sets; None where not known.
    """
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
    except (OSError, StopIteration):  # not Linux, or no model name
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
