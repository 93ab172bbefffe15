"""Names that come out of files, such as the ids of videos, stay below the folder they are meant for."""

import os
from pathlib import Path


class PathError(ValueError):
    """A name leads out of its folder; the message has both."""


def path_below(folder, name):
    """The path of a file in a folder, where its name comes from a file of somebody else.

    Args:
        folder (str | Path): The folder that it has to stay in. It may be a link itself.
        name (str): The name, which may have folders in front; absolute paths, ``..`` and links that lead out of the
            folder are refused. Nothing has to exist yet.

    Returns:
        Path: ``folder / name``.

    Raises:
        PathError: if the name would lead out of the folder.
    """
    if not isinstance(name, str) or not name.strip() or '\0' in name:
        raise PathError(f'{name!r} is not the name of a file in {folder}')
    path = Path(folder, name)
    if os.path.isabs(name) or '..' in Path(name).parts:
        raise PathError(f'{name!r} leads out of {folder}: a name in a file must be relative, without ..')
    if path == Path(folder):
        raise PathError(f'{name!r} is not the name of a file in {folder}')
    try:
        leads_to, root = path.resolve(), Path(folder).resolve()
    except (OSError, RuntimeError) as error:  # a loop of links: OSError since Python 3.13
        raise PathError(f'{name!r} in {folder} cannot be followed: {error}') from None
    if not leads_to.is_relative_to(root):
        raise PathError(f'{name!r} leads out of {folder}, by a link to {leads_to}')
    return path
