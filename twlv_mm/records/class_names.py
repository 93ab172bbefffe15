"""Names of classes: given as a list or in a file, or numbers where nobody names them."""

from pathlib import Path

from . import checks
from .paths import path_below
from .reading import read_text

MAX_BYTES = 100_000_000
# Beside a list or a file of annotations, or in a folder of embeddings: the names of the classes in it.
CLASSES_FILE = 'classes.txt'


def read_class_names(classes):
    """Read names of classes, in the order of their labels.

    Args:
        classes (str | Path | Sequence[str]): The names, or a file of them, one a line.

    Returns:
        list[str]: the names.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if there are no names, a name is empty or comes twice.
    """
    if not isinstance(classes, str | Path):
        names, source, unit = list(classes), 'the list of class names', 'place'
    elif Path(classes).exists():
        lines = read_text(classes, max_bytes=MAX_BYTES).rstrip().split('\n')
        names, source, unit = [line.strip() for line in lines], classes, 'line'
    else:
        raise FileNotFoundError(f'there is no file of class names {classes}')
    places = {}
    for place, name in enumerate(names or [''], 1):
        if not name:
            raise ValueError(
                f'{source} has no name in {unit} {place}: give each class a {unit}, in the order of their labels'
            )
        checks.name(name, f'{source}, {unit} {place}')
        if name in places:
            raise ValueError(
                f'{source} has {name!r} in {unit} {places[name]} and again in {unit} {place}: give each class a name '
                'of its own'
            )
        places[name] = place
    return names


def names_beside(path):
    """Read the names of the classes that lie beside a list of videos or a file of annotations, in ``classes.txt``.

    Where lists of the same videos have other labels, ``test_motion.txt`` say, ``classes_motion.txt`` comes first.

    Args:
        path (str | Path): The file, or a folder, in which they are looked for.

    Returns:
        list[str] | None: the names; None if there is no such file.

    Raises:
        ValueError: as :func:`read_class_names`, or if it is a link that leads out of the folder.
    """
    path = Path(path)
    # A folder that was received may have a link in its place.
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
        classes (str | Path | Sequence[str] | None): As for :func:`read_class_names`; None where there are no names.
        num_classes (int): Classes of the model.

    Returns:
        list[str]: the names; numbers from 0 if there are none.

    Raises:
        FileNotFoundError: as :func:`read_class_names`.
        ValueError: as :func:`read_class_names`, or if the names are more or fewer than the classes.
    """
    if classes is None:
        return [str(index) for index in range(num_classes)]
    names = read_class_names(classes)
    if len(names) != num_classes:
        raise ValueError(
            f'there are {len(names)} class names, and the model has {num_classes} classes: give the names of the data '
            'set that it was trained on'
        )
    return names


def classes_of(path, data_root, read=read_class_names):
    """Read the names of the classes of one's own data for a config that is being parsed.

    Where there is no folder of data, the config can still be parsed, to be listed or looked at; a run of it ends with
    what is missing.

    Args:
        path (str): What ``read`` takes.
        data_root (str): Folder of the data.
        read (Callable): Reads names: :func:`read_class_names`, or a task's own reader.

    Returns:
        list: what ``read`` gives; two places where there is no folder of data.

    Raises:
        FileNotFoundError: if there is the folder and not the file.
        ValueError: as ``read``.
    """
    return list(read(path)) if Path(data_root).is_dir() else [0, 1]
