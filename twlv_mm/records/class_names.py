"""Names of classes: from a list or a file, or numbers if there are none."""

from pathlib import Path

from . import checks
from .paths import path_below
from .reading import read_text

MAX_BYTES = 100_000_000
# Names of the classes, beside a list or annotation file or in a folder of embeddings.
CLASSES_FILE = 'classes.txt'


def read_class_names(classes):
    """Read class names in the order of their labels.

    Args:
        classes (str | Path | Sequence[str]): The names, or a file with one name a line.

    Returns:
        list[str]: the names.
    """
    if not isinstance(classes, str | Path):
        names, source, unit = list(classes), 'the list of class names', 'position'
    elif Path(classes).exists():
        lines = read_text(classes, max_bytes=MAX_BYTES).rstrip().split('\n')
        names, source, unit = [line.strip() for line in lines], classes, 'line'
    else:
        raise FileNotFoundError(f'class name file {classes} does not exist')
    places = {}
    for place, name in enumerate(names or [''], 1):
        if not name:
            raise ValueError(
                f'{source} has no name at {unit} {place}: list one name per class, in the order of their labels'
            )
        checks.name(name, f'{source}, {unit} {place}')
        if name in places:
            raise ValueError(
                f'{source} has {name!r} at {unit} {places[name]} and again at {unit} {place}: names must be unique'
            )
        places[name] = place
    return names


def names_beside(path):
    """Read ``classes.txt`` beside a video list or annotation file, if there is one.

    ``test_motion.txt`` prefers ``classes_motion.txt``.

    Args:
        path (str | Path): The file, or a folder to look in.

    Returns:
        list[str] | None: the names.
    """
    path = Path(path)
    # A received folder may have a link instead of the file.
    is_folder = path.is_dir()
    _, underscore, label = ('', '', '') if is_folder else path.stem.rpartition('_')
    for name in (f'classes_{label}.txt', CLASSES_FILE) if underscore else (CLASSES_FILE,):
        file = path_below(path if is_folder else path.parent, name)
        if file.is_file():
            return read_class_names(file)
    return None


def class_names(classes, num_classes):
    """Names for all classes of a model.

    Args:
        classes (str | Path | Sequence[str] | None): As for :func:`read_class_names`.
        num_classes (int): Classes of the model.

    Returns:
        list[str]: the names; numbers from 0 if ``classes`` is None.
    """
    if classes is None:
        return [str(index) for index in range(num_classes)]
    names = read_class_names(classes)
    if len(names) != num_classes:
        raise ValueError(
            f'there are {len(names)} class names, but the model has {num_classes} classes: give the names of the '
            'dataset it was trained on'
        )
    return names


def classes_of(path, data_root, read=read_class_names):
    """Read the class names of one's own data while a config is parsed.

    Without the data a config can still be parsed, listed and inspected; running it then reports what is missing.

    Args:
        path (str): Argument of ``read``.
        data_root (str): Folder of the data.
        read (Callable): Reads names: :func:`read_class_names`, or a task's own reader.

    Returns:
        list: what ``read`` returns; two placeholders if the folder does not exist.
    """
    return list(read(path)) if Path(data_root).is_dir() else [0, 1]


def similar_names(classes):
    """A question for each group of classes that differ only in case or spaces, which are usually the same."""
    alike = {}
    for name in classes:
        alike.setdefault(''.join(name.lower().replace('_', ' ').split()), []).append(name)
    return [f'are {" and ".join(map(repr, names))} the same class?' for names in alike.values() if len(names) > 1]
