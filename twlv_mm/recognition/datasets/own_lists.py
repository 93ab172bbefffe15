"""Lists of one's own videos: split by share or into folds, every class in every part, a group never in two parts."""

import re
from collections import Counter
from pathlib import Path

from twlv_mm.records import CLASSES_FILE, checks, list_line, split_groups, write_json, write_text

from .own import class_order, similar_names, videos_of_folders, videos_of_table

PARTS = 'train', 'val', 'test'
RECORD = 'lists.json'
SHOWN = 5


def make_lists(source, out, videos=None, split=None, folds=None, group=None, seed=0):
    """Write mmaction2's lists of one's own videos, and the names of the classes.

    Into ``out``: ``train.txt`` and ``val.txt`` (and ``test.txt``, if there is a third part), or of every fold
    ``train_fold<n>.txt`` and ``val_fold<n>.txt``; ``classes.txt``, the names in the order of their numbers; and
    ``lists.json``, how they were made and what was left out. A class that is in one group only, which cannot be both
    learned and tested, is left out.

    Args:
        source (str | Path): A folder with a folder a class, or a table for :func:`~.own.videos_of_table`. Where folders
            named train, val and test are above the classes, or the table has a column 'split', that is the split.
        out (str | Path): Folder to write to; it may exist.
        videos (str | Path, optional): Folder of a table's videos; the table's if None.
        split (Sequence[float], optional): Shares of train, and of val where there is a third part, test; 0.8 if None.
        folds (int, optional): Write that many folds of a cross-validation instead.
        group (str, optional): What is never on both sides of a split: a column of the table, or a regular expression
            that finds the name of the group in the path of a file (its first group in brackets, if it has one). If
            None, files.
        seed (int): Decides which groups come into which part.

    Returns:
        list[str]: what to tell: counts, what was left out and why, and what may be wrong.
    """
    source, out = Path(source), Path(out)
    if source.is_dir():
        if videos is not None:
            raise ValueError(f'{source} is the folder of the videos itself: leave videos out')
        root, (samples, left_out) = source, videos_of_folders(source)
    elif source.is_file():
        root = Path(source.parent if videos is None else videos)
        if not root.is_dir():
            raise FileNotFoundError(f'there is no folder {root}')
        samples, left_out = videos_of_table(source, root)
    else:
        raise FileNotFoundError(f'there is no folder or table {source}')
    samples, unlisted = _with_lines(samples)
    left_out = left_out + unlisted
    if not samples:
        first = f': {checks.shown(left_out[0][0])} is left out, {left_out[0][1]}' if left_out else ''
        raise FileNotFoundError(f'{source} has no labelled video{first}')

    groups, grouped_by = _groups(samples, group)
    given = samples[0].split is not None
    if given:
        if split is not None or folds is not None:
            raise ValueError(f'{source} is split already: leave split and folds out')
        found = {video.split for video in samples}
        if 'train' not in found or len(found) == 1:
            raise ValueError(f'{source} is split into {", ".join(sorted(found))}: train and val are needed')
        names = [name for name in PARTS if name in found]
        part_of = {place: names.index(video.split) for place, video in enumerate(samples)}
    else:
        names, shares = _shares(split, folds)
        samples, groups, lonely = _without_lonely_classes(samples, groups)
        left_out = left_out + lonely
        if not samples:
            raise ValueError(f'{source} has no class with videos of two groups: nothing can be learned and tested')
        counts = {}
        for video, name in zip(samples, groups, strict=True):
            counts.setdefault(name, Counter())[video.label] += 1
        part_of_group = split_groups(counts, shares, seed)
        part_of = {place: part_of_group[name] for place, name in enumerate(groups)}
    classes = class_order(samples)
    parts = [[video for place, video in enumerate(samples) if part_of[place] == part] for part in range(len(names))]
    notes = _notes(classes, samples, groups, part_of, names, folds)

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
        *_told_left_out(left_out, out),
        f'written to {out}; the names in the lists start from {root}: data_prefix=dict(video={str(root)!r})',
    ]


def _with_lines(samples):
    """Samples that can stand in a list, and the others."""
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
    """The group of each sample, and what groups are."""
    if group is None:
        return [video.file for video in samples], 'a file each'
    if all(group.lower() in video.columns for video in samples):
        groups = [video.columns[group.lower()].strip() for video in samples]
        said = f'column {group}'
    else:
        try:
            found = [re.search(group, video.file) for video in samples]
        except re.error as error:
            raise ValueError(f'group {group!r} is neither a column nor a regular expression: {error}') from None
        groups = [match and (match[1] if match.re.groups else match[0]) for match in found]
        said = f'regular expression {group}'
    lost = [video.file for video, name in zip(samples, groups, strict=True) if not name]
    if lost:
        columns = ', '.join(samples[0].columns) or 'none'
        raise ValueError(
            f'{len(lost)} of {len(samples)} files have no group by the {said}, {lost[0]} for example; columns are '
            f'{columns}'
        )
    return groups, said


def _shares(split, folds):
    if folds is not None:
        if split is not None:
            raise ValueError('split and folds are two ways to divide a set: leave one of them out')
        if folds < 2:
            raise ValueError(f'folds is {folds}; there have to be 2 or more')
        return [f'fold{number + 1}' for number in range(folds)], [1 / folds] * folds
    split = [0.8] if split is None else list(split)
    if not 1 <= len(split) <= 2 or not all(share > 0 for share in split) or sum(split) >= 1:
        raise ValueError(f'split is {split}: give the share of train, or those of train and val, which leave a rest')
    shares = [*split, 1 - sum(split)]
    return list(PARTS[: len(shares)]), shares


def _without_lonely_classes(samples, groups):
    """Leave out the classes that are in one group only."""
    groups_of = {}
    for video, name in zip(samples, groups, strict=True):
        groups_of.setdefault(video.label, set()).add(name)
    lonely = {label for label, names in groups_of.items() if len(names) == 1}
    left_out = [
        (video.file, f'all of its class {video.label!r} is in one group, which cannot be learned and tested')
        for video in samples
        if video.label in lonely
    ]
    kept = [(video, name) for video, name in zip(samples, groups, strict=True) if video.label not in lonely]
    return [video for video, _ in kept], [name for _, name in kept], left_out


def _notes(classes, samples, groups, part_of, names, folds):
    notes = [f'warning: are {" and ".join(map(repr, alike))} one class?' for alike in similar_names(classes)]
    present = {(video.label, part_of[place]) for place, video in enumerate(samples)}
    for part, name in enumerate(names):
        if absent := [label for label in classes if (label, part) not in present]:
            what = 'is not tested in' if folds else 'has no video in'
            notes.append(f'warning: {_listed(absent)} {what} {name}')
    parts = {}
    for place, name in enumerate(groups):
        parts.setdefault(name, set()).add(part_of[place])
    if both := sorted(name for name, its in parts.items() if len(its) > 1):
        notes.append(f'warning: the split has groups on both sides: {_listed(both)}')
    return notes


def _told_left_out(left_out, out):
    if not left_out:
        return []
    reasons = Counter(reason for _, reason in left_out)
    first = {reason: file for file, reason in reversed(left_out)}
    lines = [
        f'  {count:,} x {reason}; {checks.shown(first[reason])} for example'
        for reason, count in reasons.most_common(SHOWN)
    ]
    return [f'{len(left_out):,} left out, all of them named in {out / RECORD}:', *lines]


def _counted(name, listed, classes):
    counts = Counter(video.label for video in listed)
    fewest, most = min(counts.values(), default=0), max(counts.values(), default=0)
    by_class = f'{fewest}' if fewest == most else f'{fewest} to {most}'
    return f'  {name}.txt: {len(listed):,}, {by_class} of each of {len(counts)} classes'


def _listed(names):
    return ', '.join(names[:SHOWN]) + (', …' if len(names) > SHOWN else '')
