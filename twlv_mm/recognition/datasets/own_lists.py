"""Lists of your own videos: a stratified split or folds, with each group in one part."""

import re
from collections import Counter
from pathlib import Path

from twlv_mm.records import CLASSES_FILE, checks, list_line, similar_names, split_groups, write_json, write_text

from .own_videos import class_order, unused_columns, videos_of_folders, videos_of_table

PARTS = 'train', 'val', 'test'
RECORD = 'lists.json'
SHOWN = 5


def make_lists(source, out, videos=None, split=None, folds=None, group=None, seed=0):
    """Write mmaction2's lists of your own videos, and the class names.

    Files in ``out``: ``train.txt`` and ``val.txt`` (and ``test.txt`` if there is a third part), or
    ``train_fold<n>.txt`` and ``val_fold<n>.txt`` for every fold; ``classes.txt``, the names in the order of their
    numbers; and ``lists.json``, how they were made and what was left out. Classes with only one group cannot be both
    learned and tested, and are left out.

    Args:
        source (str | Path): A folder with one folder per class, or a table for :func:`~.own_videos.videos_of_table`.
            Folders named train, val and test above the classes, or a column 'split', define the split.
        out (str | Path): Folder to write to; it may exist.
        videos (str | Path, optional): Folder of a table's videos; the table's folder if None.
        split (Sequence[float], optional): Share of train, or of train and val with the rest as test; 0.8 if None.
        folds (int, optional): Write this many folds of a cross-validation instead.
        group (str, optional): Never on both sides of a split: a column of the table, or a regular expression for the
            group in a file's path (its first capturing group, if any). If None, each file is a group.
        seed (int): Random seed of the split.

    Returns:
        list[str]: lines of a summary: counts, what was left out and why, warnings.
    """
    source, out = Path(source), Path(out)
    if source.is_dir():
        if videos is not None:
            raise ValueError(f'{source} is itself the folder of the videos: leave videos out')
        root, (samples, left_out) = source, videos_of_folders(source)
    elif source.is_file():
        root = Path(source.parent if videos is None else videos)
        if not root.is_dir():
            raise FileNotFoundError(f'folder {root} does not exist')
        samples, left_out = videos_of_table(source, root)
    else:
        raise FileNotFoundError(f'folder or table {source} does not exist')
    samples, unlisted = _with_lines(samples)
    left_out = left_out + unlisted
    first = f': {checks.shown(left_out[0][0])} is left out: {left_out[0][1]}' if left_out else ''
    if not samples:
        raise FileNotFoundError(f'{source} has no labelled video{first}')

    groups, grouped_by = _groups(samples, group)
    given = samples[0].split is not None
    if given:
        if split is not None or folds is not None:
            raise ValueError(f'{source} is already split: leave split and folds out')
        found = {video.split for video in samples}
        if 'train' not in found or len(found) == 1:
            raise ValueError(f'{source} is split into {", ".join(sorted(found))}: train and val are required')
        names = [name for name in PARTS if name in found]
        part_of = {place: names.index(video.split) for place, video in enumerate(samples)}
    else:
        names, shares = _shares(split, folds)
        samples, groups, lonely = _without_lonely_classes(samples, groups)
        left_out = left_out + lonely
        if not samples:
            raise ValueError(f'{source} has no class with two groups: none can be both learned and tested{first}')
        counts = {}
        for video, name in zip(samples, groups, strict=True):
            counts.setdefault(name, Counter())[video.label] += 1
        part_of_group = split_groups(counts, shares, seed)
        part_of = {place: part_of_group[name] for place, name in enumerate(groups)}
    classes = class_order(samples)
    parts = [[video for place, video in enumerate(samples) if part_of[place] == part] for part in range(len(names))]
    notes = _notes(classes, samples, groups, part_of, names, folds)
    if unused := [name for name in unused_columns(samples[0].columns) if name != (group or '').lower()]:
        notes.append(f'columns that are not used: {_listed(unused)}')

    out.mkdir(parents=True, exist_ok=True)
    written = dict(zip(names, parts, strict=True))
    if folds is not None:
        written = {}
        for number in range(folds):
            others = [video for part in parts if part is not parts[number] for video in part]
            written[f'train_fold{number + 1}'] = sorted(others, key=lambda video: video.file)
            written[f'val_fold{number + 1}'] = parts[number]
    number_of = {name: number for number, name in enumerate(classes)}
    for name, listed in written.items():
        lines = (list_line(video.file, number_of[video.label], video.segment) for video in listed)
        write_text(out / f'{name}.txt', ''.join(f'{line}\n' for line in lines))
    write_text(out / CLASSES_FILE, ''.join(f'{name}\n' for name in classes))
    record = dict(
        source=str(source),
        videos=str(root),
        seed=None if given else seed,
        split='given' if given else list(shares),
        folds=folds,
        groups=dict(by=grouped_by, number=len(set(groups))),
        parts={name: dict(Counter(video.label for video in listed)) for name, listed in written.items()},
        left_out=[dict(file=file, reason=reason) for file, reason in left_out],
        notes=notes,
    )
    write_json(out / RECORD, record)
    return [
        f'{len(samples):,} {"videos" if samples[0].segment is None else "segments"} of {len(classes)} classes in '
        f'{len(set(groups)):,} groups ({grouped_by})',
        *(_counted(name, listed, classes) for name, listed in written.items()),
        *notes,
        *_left_out_summary(left_out, out),
        f'written to {out}; paths in the lists are relative to {root}: data_prefix=dict(video={str(root)!r})',
    ]


def _with_lines(samples):
    """Samples that can be written to a list, and the others."""
    kept, left_out = [], []
    for video in samples:
        try:
            list_line(video.file, 0, video.segment)
        except ValueError as error:
            left_out.append((video.file, str(error)))
        else:
            kept.append(video)
    return kept, left_out


def _groups(samples, group):
    """The group of each sample, and how groups are defined."""
    if group is None:
        return [video.file for video in samples], 'one per file'
    if all(group.lower() in video.columns for video in samples):
        groups = [video.columns[group.lower()].strip() for video in samples]
        grouping = f'column {group}'
    else:
        try:
            found = [re.search(group, video.file) for video in samples]
        except re.error as error:
            raise ValueError(f'group {group!r} is neither a column nor a regular expression: {error}') from None
        groups = [match and (match[1] if match.re.groups else match[0]) for match in found]
        grouping = f'regular expression {group}'
    lost = [video.file for video, name in zip(samples, groups, strict=True) if not name]
    if lost:
        columns = ', '.join(samples[0].columns) or 'none'
        raise ValueError(
            f'{len(lost)} of {len(samples)} files, such as {lost[0]}, have no group by {grouping}; columns: {columns}'
        )
    return groups, grouping


def _shares(split, folds):
    if folds is not None:
        if split is not None:
            raise ValueError('split and folds are alternatives: leave one of them out')
        if folds < 2:
            raise ValueError(f'folds is {folds}; it must be 2 or more')
        return [f'fold{number + 1}' for number in range(folds)], [1 / folds] * folds
    split = [0.8] if split is None else list(split)
    if not 1 <= len(split) <= 2 or not all(share > 0 for share in split) or sum(split) >= 1:
        raise ValueError(f'split is {split}: give the share of train, or of train and val, with a sum below 1')
    shares = [*split, 1 - sum(split)]
    return list(PARTS[: len(shares)]), shares


def _without_lonely_classes(samples, groups):
    """Leave out the classes with only one group."""
    groups_of = {}
    for video, name in zip(samples, groups, strict=True):
        groups_of.setdefault(video.label, set()).add(name)
    lonely = {label for label, names in groups_of.items() if len(names) == 1}
    left_out = [
        (video.file, f'its class {video.label!r} has one group only, which cannot be both learned and tested')
        for video in samples
        if video.label in lonely
    ]
    kept = [(video, name) for video, name in zip(samples, groups, strict=True) if video.label not in lonely]
    return [video for video, _ in kept], [name for _, name in kept], left_out


def _notes(classes, samples, groups, part_of, names, folds):
    notes = [f'warning: {question}' for question in similar_names(classes)]
    present = {(video.label, part_of[place]) for place, video in enumerate(samples)}
    for part, name in enumerate(names):
        if absent := [label for label in classes if (label, part) not in present]:
            what = 'is not tested in' if folds else 'has no video in'
            notes.append(f'warning: {_listed(absent)} {what} {name}')
    parts = {}
    for place, name in enumerate(groups):
        parts.setdefault(name, set()).add(part_of[place])
    if both := sorted(name for name, its in parts.items() if len(its) > 1):
        notes.append(f'warning: groups on both sides of the split: {_listed(both)}')
    return notes


def _left_out_summary(left_out, out):
    if not left_out:
        return []
    reasons = Counter(reason for _, reason in left_out)
    first = {reason: file for file, reason in reversed(left_out)}
    lines = [
        f'  {count:,} x {reason}; for example {checks.shown(first[reason])}'
        for reason, count in reasons.most_common(SHOWN)
    ]
    return [f'{len(left_out):,} left out, all listed in {out / RECORD}:', *lines]


def _counted(name, listed, classes):
    counts = Counter(video.label for video in listed)
    fewest, most = min(counts.values(), default=0), max(counts.values(), default=0)
    by_class = f'{fewest}' if fewest == most else f'{fewest} to {most}'
    return f'  {name}.txt: {len(listed):,}, {by_class} for each of {len(counts)} classes'


def _listed(names):
    return ', '.join(names[:SHOWN]) + (', …' if len(names) > SHOWN else '')
