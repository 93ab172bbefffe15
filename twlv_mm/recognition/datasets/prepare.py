"""From a dataset's official annotation files and its videos or images to list files."""

import argparse
import os
from pathlib import Path

from twlv_mm.records import write_text
from twlv_mm.records.checks import printable
from twlv_mm.system_errors import fail
from twlv_mm.video import walk_files

from .lists import write_list


def prepare(data_set, annotations, files, out, kind=None):
    """Write the lists of a dataset with the existing files, and report the missing ones.

    Files in ``out``: train and val lists ``<name>_<split>_list_<kind>.txt`` (or ``data_set.list_name``) for
    :func:`read_list`; ``label_map_<kind>.txt`` with one class name a line; and ``missing_<kind>.txt`` with a line
    ``<split> <file>`` for each missing or empty file.

    Args:
        data_set (DataSet): The dataset.
        annotations (str): Folder of the official annotation files.
        files (str): Folder of the videos or images.
        out (str): Folder to write to; it may exist.
        kind (str, optional): One of ``data_set.kinds``; the first if None.

    Returns:
        list[str]: lines of a summary: counts beside the published ones, warnings, and where the config expects the
        files.
    """
    annotations, files, out = Path(annotations), Path(files), Path(out)
    for folder in (annotations, files):
        if not folder.is_dir():
            raise FileNotFoundError(f'folder {folder} does not exist')
    kind = kind or next(iter(data_set.kinds))
    splits, classes = data_set.read(annotations, files, kind)
    summary, lost, lists, indexes = [], [], {}, {}
    if data_set.kinds[kind] not in (None, len(classes)):
        summary.append(f'warning: {len(classes)} classes, but the config has {data_set.kinds[kind]}')
    for split, count in zip(splits, data_set.counts, strict=True):
        for sample in split.samples:
            if not 0 <= sample.label < len(classes):
                raise ValueError(
                    f'{split.name}: {sample.file} has label {sample.label}, but there are {len(classes)} classes'
                )
        folder = files / split.folder
        if folder not in indexes:
            indexes[folder] = _index(folder, data_set.suffixes)
        found, missing = _locate(split, folder, indexes[folder])
        lists[split.name] = found
        lost += [f'{split.name} {name}' for name in missing]
        summary.append(_summary(split, found, missing, count, data_set.source))
        if not (out / split.link).exists() or not os.path.samefile(folder, out / split.link):
            link = out / split.link
            summary.append(f'  the config expects the files in {link}: ln -s {folder.resolve()} {link}')

    out.mkdir(parents=True, exist_ok=True)
    for name, found in lists.items():
        write_list(out / data_set.list_name.format(name=data_set.name, split=name, kind=kind), found)
    write_text(out / f'label_map_{kind}.txt', ''.join(f'{name}\n' for name in classes))
    write_text(out / f'missing_{kind}.txt', ''.join(f'{line}\n' for line in lost))
    summary.append(f'written to {out}; missing_{kind}.txt lists {len(lost)} missing files')
    return summary


def main(data_set, argv=None):
    """The command line of ``tools/data/<name>/prepare.py``; exits with code 2 if nothing was written."""
    parser = argparse.ArgumentParser(description=f'{data_set.title}: list files from the official annotation files.')
    parser.add_argument('annotations', metavar='ANNOTATIONS', help='folder of the official annotation files')
    parser.add_argument('files', metavar='VIDEOS', help='folder of the videos or images')
    parser.add_argument('--out', default=f'data/{data_set.name}', help='folder to write to (default: %(default)s)')
    if len(data_set.kinds) > 1:
        kinds = list(data_set.kinds)
        parser.add_argument(
            '--label', '--split', choices=kinds, default=kinds[0], help=f'{data_set.choice} (default: %(default)s)'
        )
    args = parser.parse_args(argv)
    try:
        summary = prepare(data_set, args.annotations, args.files, args.out, getattr(args, 'label', None))
    except (FileNotFoundError, ValueError) as error:
        fail(error)
    print(printable('\n'.join([data_set.title, *summary])))


def _locate(split, folder, index):
    """Samples whose files exist, with the real file names, and the names of the missing files."""
    if not split.samples:
        raise ValueError(f'{split.name}: the annotation files are empty')
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
            f'{split.name}: {folder} has none of the {len(missing)} listed files, such as {split.samples[0].file}: is '
            'it the right folder?'
        )
    return found, list(missing)


def _index(folder, suffixes):
    """File name and path below the folder, both without extension -> paths of the matching files."""
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
    except FileNotFoundError:  # a broken link
        return 0


def _summary(split, found, missing, count, source):
    text = f'{split.name}: {len(split.samples):,} in the annotation files, {len(found):,} with a file'
    if missing:
        names = ', '.join(missing[:3]) + (', ...' if len(missing) > 3 else '')
        text += f'; {len(missing):,} files missing or empty: {names}'
    if len(found) == count:
        return f'{text}; as many as in {source}'
    return f'{text}\n  warning: {source} has {count:,}'
