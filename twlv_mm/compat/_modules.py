"""Look for a module on disk without importing its package, which may be slow or broken."""

import importlib.util
import pkgutil
from pathlib import Path


def is_installed(name):
    """Whether a module, such as ``'mmcv._ext'``, and its top-level package are on disk."""
    package, *inner = name.split('.')
    spec = importlib.util.find_spec(package)
    if spec is None or not inner:
        return spec is not None
    folders = [str(Path(folder, *inner[:-1])) for folder in spec.submodule_search_locations or ()]
    # Each folder's own finder: PathFinder raises KeyError for a folder without __init__.py whose parent is not
    # imported, such as mmaction/models/localizers/drn in a clone of mmaction2.
    finders = [pkgutil.get_importer(folder) for folder in folders]
    return any(finder is not None and finder.find_spec(inner[-1]) is not None for finder in finders)
