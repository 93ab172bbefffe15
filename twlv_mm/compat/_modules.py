"""Look for a submodule without importing its package, which may be slow or the very thing that is broken."""

import importlib.util
from importlib.machinery import PathFinder
from pathlib import Path


def is_installed(name):
    """Say whether a module is on disk.

    Args:
        name (str): dotted name, such as ``'mmcv._ext'``.

    Returns:
        bool: False if the module or its top-level package is missing.
    """
    package, *inner = name.split('.')
    spec = importlib.util.find_spec(package)
    if spec is None or not inner:
        return spec is not None
    folders = [str(Path(folder, *inner[:-1])) for folder in spec.submodule_search_locations or ()]
    return PathFinder.find_spec(name, folders) is not None
