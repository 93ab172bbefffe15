"""Files that are called like videos: names come from the files of others, and must not lead out of a folder."""

import os
from pathlib import Path


def file_below(folder, name):
    """Where a file is to be written; its folder is made.

    Args:
        folder (str | Path): What the file has to stay in.
        name (str): Its name, which may have folders in front.

    Returns:
        Path: the file.

    Raises:
        ValueError: if the name is absolute or has ``..`` in it.
    """
    if os.path.isabs(name) or '..' in Path(name).parts:
        raise ValueError(
            f'{name} would be written outside of {folder}: give the video an id that is no path to elsewhere'
        )
    path = Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
