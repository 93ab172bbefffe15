"""From a data set's official annotation files and its folder of videos or images to list files."""

import argparse
import os
import sys
from pathlib import Path

from twlv_mm.records import write_text
from twlv_mm.records.checks import printable
from twlv_mm.video import walk_files

from .lists import write_list


def prepare(data_set, annotations, files, out, kind=None):
    """Write the lists of a data set, with the files that are there, and tell what is not.

    Into ``out``: ``<name>_<split>_list_<kind>.txt`` or as else ``data_set.list_name`` says, which :func:`read_list`
    reads, for train and val;
    ``label_map_<kind>.txt`` with the names of the classes, one a line; and ``missing_<kind>.txt`` with a line
    ``<split> <file>`` for each file that is not there or is empty.

    Args:
        data_set (DataSet): Which.
        annotations (str): Folder of the official annotation files.
        files (str): Folder of its videos or images.
        out (str): Where to; it may exist.
        kind (str, optional): One of ``data_set.kinds``; the first if None.

    Returns:
        list[str]: what to tell: counts beside those of the paper, warnings, and where the config looks for the files.
    """
    annotations, files, out = Path(annotations), Path(files), Path(out)
    for folder in (annotations, files):
        if not folder.is_dir():
            raise FileNotFoundError(f'there is no folder {folder}')
    kind = kind or next(iter(data_set.kinds))
    splits, classes = data_set.read(annotations, files, kind)
    told, lost, lists, indexes = [], [], {}, {}
    if data_set.kinds[kind] not in (None, len(classes)):
        told.append(f'warning: {len(classes)} classes, the config has {data_set.kinds[kind]}')
    for split, count in zip(splits, data_set.counts, strict=True):
        for sample in split.samples:
            if not 0 <= sample.label < len(classes):
                raise ValueError(
                    f'{split.name}: {sample.file} has label {sample.label}; there are {len(classes)} classes'
                )
        folder = files / split.folder
        if folder not in indexes:
            indexes[folder] = _index(folder, data_set.suffixes)
        found, missing = _locate(split, folder, indexes[folder])
        lists[split.name] = found
        lost += [f'{split.name} {name}' for name in missing]
        told.append(_summary(split, found, missing, count, data_set.source))
        if not (out / split.link).exists() or not os.path.samefile(folder, out / split.link):
            link = out / split.link
            told.append(f'  the config looks for the files in {link}: ln -s {folder.resolve()} {link}')

    out.mkdir(parents=True, exist_ok=True)
    for name, found in lists.items():
        write_list(out / data_set.list_name.format(name=data_set.name, split=name, kind=kind), found)
    write_text(out / f'label_map_{kind}.txt', ''.join(f'{name}\n' for name in classes))
    write_text(out / f'missing_{kind}.txt', ''.join(f'{line}\n' for line in lost))
    told.append(f'written to {out}; {len(lost)} files that are missing are named in missing_{kind}.txt')
    return told


def main(data_set, argv=None):
    """The command line of ``tools/data/<name>/prepare.py``; ends the process with code 2 if nothing was written.

    Args:
        data_set (DataSet): Which.
        argv (list[str], optional): Arguments; those of the process if None.
    """
    parser = argparse.ArgumentParser(description=f'{data_set.title}: official annotation files to list files.')
    parser.add_argument('annotations', metavar='ANNOTATIONS', help='folder of the official annotation files')
    parser.add_argument('files', metavar='VIDEOS', help='folder of the videos or images')
    parser.add_argument('--out', default=f'data/{data_set.name}', help='where to (default: %(default)s)')
    if len(data_set.kinds) > 1:
        kinds = list(data_set.kinds)
        parser.add_argument(
            '--label', '--split', choices=kinds, default=kinds[0], help=f'{data_set.choice} (default: %(default)s)'
        )
    args = parser.parse_args(argv)
    try:
        told = prepare(data_set, args.annotations, args.files, args.out, getattr(args, 'label', None))
    except (FileNotFoundError, ValueError) as error:
        print(printable(f'error: {error}'), file=sys.stderr)
        sys.exit(2)
    print(printable('\n'.join([data_set.title, *told])))


def _locate(split, folder, index):
    """The samples whose files are there, with the files' real names, and the names of the others' files."""
    if not split.samples:
        raise ValueError(f'{split.name}: the annotation files list nothing')
    found, missing, sizes = [], {}, {}
    for sample in split.samples:
        paths = index.get(sample.file, [])
        if len(paths) > 1:
            raise ValueError(f'{split.name}: {sample.file} is {" and ".join(paths[:2])} in {folder}: remove one')
        for path in paths:
            if path not in sizes:
                sizes[path] = _size(folder / path)
        if paths and sizes[paths[0]]:
            found.append(sample._replace(file=paths[0]))
        else:
            missing[sample.file] = None
    if not found:
        raise FileNotFoundError(
            f'{split.name}: {folder} has none of the {len(missing)} files that are listed, {split.samples[0].file} for '
            'example: is it the right folder?'
        )
    return found, list(missing)


def _index(folder, suffixes):
    """Name without suffix, and path below the folder without suffix -> paths of the files that have it."""
    index = {}
    for file in walk_files(folder):
        path = Path(file).relative_to(folder).as_posix()
        stem, suffix = os.path.splitext(os.path.basename(path))
        if suffix.lower() in suffixes:
            for key in {stem, path.removesuffix(suffix)}:
                index.setdefault(key, []).append(path)
    return index


def _size(path):
    try:
        return os.path.getsize(path)
    except FileNotFoundError:  # a link that leads nowhere
        return 0


def _summary(split, found, missing, count, source):
    text = f'{split.name}: {len(split.samples):,} in the annotation files, {len(found):,} with a file'
    if missing:
        names = ', '.join(missing[:3]) + (', ...' if len(missing) > 3 else '')
        text += f'; {len(missing):,} files missing or empty: {names}'
    if len(found) == count:
        return f'{text}; as many as in {source}'
    return f'{text}\n  warning: {source} has {count:,}'
