"""Look for a submodule without importing its package, which may be slow or the very thing that is broken."""

import importlib.util
import pkgutil
from pathlib import Path


def is_installed(name):
    """Say whether a module is on disk.

    Args:
        name (str): Dotted name, such as ``'mmcv._ext'``.

    Returns:
        bool: False if the module or its top-level package is missing.
    """
    package, *inner = name.split('.')
    spec = importlib.util.find_spec(package)
    if spec is None or not inner:
        return spec is not None
    folders = [str(Path(folder, *inner[:-1])) for folder in spec.submodule_search_locations or ()]
    # Each folder's own finder. PathFinder would look up the parent in sys.modules for a folder without __init__.py,
    # such as mmaction/models/localizers/drn in a clone of mmaction2, and end in KeyError.
    finders = [pkgutil.get_importer(folder) for folder in folders]
    return any(finder is not None and finder.find_spec(inner[-1]) is not None for finder in finders)
