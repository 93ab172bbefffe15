"""``_base_ = 'twlv_mm::twlv/k400_linear.py'`` is refused by mmengine, or loses the types of mmaction2.

mmengine 0.10.7 keeps a closed list of packages whose configs can be inherited, and writes the package's scope into
every typed dict of such a base, so that ``type='Recognizer3D'`` in it would be looked up in our registry. Here the
prefix only stands for the package's ``.mim/configs``, in a checkout and a wheel alike.
"""

import difflib
from pathlib import Path

from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE

PACKAGE = 'twlv_mm'
CONFIGS = Path(__file__).resolve().parents[1] / '.mim' / 'configs'


def apply():
    """Make ``_base_`` and ``mmengine.hub.get_config`` accept ``twlv_mm::<path under configs/>``."""
    if PACKAGE in MODULE2PACKAGE:
        return
    MODULE2PACKAGE[PACKAGE] = PACKAGE
    upstream = Config._get_cfg_path

    def get_cfg_path(cfg_path, filename):
        package, separator, name = cfg_path.partition('::')
        if package != PACKAGE or not separator:
            return upstream(cfg_path, filename)
        # No scope: the types in our configs keep the default scope, mmaction.
        return str(find_config(name)), None

    Config._get_cfg_path = staticmethod(get_cfg_path)


def find_config(name):
    """Find a config of this package by its path under ``configs/``, such as ``'twlv/k400_linear.py'``."""
    path = CONFIGS / name
    if path.is_file():
        return path
    known = [file.relative_to(CONFIGS).as_posix() for file in CONFIGS.rglob('*.py')]
    close = difflib.get_close_matches(name, known, n=5, cutoff=0.5)
    hint = f'Did you mean {", ".join(close)}?' if close else f'None of the {len(known)} configs has a similar name.'
    raise FileNotFoundError(f"'{PACKAGE}::{name}': {name} is not in {CONFIGS}. {hint}")
