"""Names from files, such as video ids, must stay below the folder they are meant for."""

from pathlib import Path


class PathError(ValueError):
    """A name leads out of its folder."""


def relative_name(name, where):
    """Check by its text alone that a name stays below whatever folder it is joined to, and return it.

    Args:
        name (str): May have folders in front.
        where (str | Path): Where the name was found, for the message.
    """
    if not _is_name(name):
        raise PathError(f'{where}: {name!r} is not a file name')
    if _leads_out(name):
        raise PathError(f'{where}: {name!r} leads out of its folder: names must be relative, without ..')
    return name


def path_below(folder, name):
    """Join a folder and a name from somebody else's file.

    Args:
        folder (str | Path): The folder, which may itself be a link.
        name (str): May have folders in front. Absolute paths, ``..`` and links that lead out of the folder are refused.
            The file need not exist.

    Returns:
        Path: ``folder / name``.
    """
    if not _is_name(name) or Path(folder, name) == Path(folder):
        raise PathError(f'{name!r} is not a file name in {folder}')
    if _leads_out(name):
        raise PathError(f'{name!r} leads out of {folder}: names must be relative, without ..')
    path = Path(folder, name)
    try:
        leads_to, root = path.resolve(), Path(folder).resolve()
    except (OSError, RuntimeError) as error:
        raise PathError(f'{name!r} in {folder} cannot be resolved: {error}') from None
    if not leads_to.is_relative_to(root):
        raise PathError(f'{name!r} leads out of {folder}, by a link to {leads_to}')
    # Python 3.13 does not raise on a loop of links but leaves it in the path.
    below = len(leads_to.parts) - len(root.parts)
    if any(part.is_symlink() for part in (leads_to, *leads_to.parents)[:below]):
        raise PathError(f'{name!r} in {folder} cannot be resolved: its links form a loop')
    return path


def _is_name(name):
    return isinstance(name, str) and name.strip() and '\0' not in name


def _leads_out(name):
    return name.startswith('/') or '..' in name.split('/')
