"""Names that come out of files, such as the ids of videos, stay below the folder they are meant for."""

from pathlib import Path


class PathError(ValueError):
    """A name leads out of its folder; the message has both."""


def relative_name(name, where):
    """A name that stays below whatever folder it is put into, as far as its text tells.

    Args:
        name (str): It may have folders in front.
        where (str | Path): Where it stands, for the message.

    Returns:
        str: the name.

    Raises:
        PathError: if it is absolute, blank or has ``..`` in it.
    """
    if not _is_name(name):
        raise PathError(f'{where}: {name!r} is not the name of a file')
    if _leads_out(name):
        raise PathError(f'{where}: {name!r} leads out of its folder: a name in a file must be relative, without ..')
    return name


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
    if not _is_name(name) or Path(folder, name) == Path(folder):
        raise PathError(f'{name!r} is not the name of a file in {folder}')
    if _leads_out(name):
        raise PathError(f'{name!r} leads out of {folder}: a name in a file must be relative, without ..')
    path = Path(folder, name)
    try:
        leads_to, root = path.resolve(), Path(folder).resolve()
    except (OSError, RuntimeError) as error:
        raise PathError(f'{name!r} in {folder} cannot be followed: {error}') from None
    if not leads_to.is_relative_to(root):
        raise PathError(f'{name!r} leads out of {folder}, by a link to {leads_to}')
    # Python 3.13 does not raise at a loop of links, but leaves it in the path.
    below = len(leads_to.parts) - len(root.parts)
    if any(part.is_symlink() for part in (leads_to, *leads_to.parents)[:below]):
        raise PathError(f'{name!r} in {folder} cannot be followed: its links go round in a circle')
    return path


def _is_name(name):
    return isinstance(name, str) and name.strip() and '\0' not in name


def _leads_out(name):
    return name.startswith('/') or '..' in name.split('/')
