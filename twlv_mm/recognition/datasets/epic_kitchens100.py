"""EPIC-KITCHENS-100: segments of long videos, in csv files with time stamps, verbs and nouns."""

from twlv_mm.records import checks, read_table

from .data_set import DataSet, Split, find_file, parse_entries
from .lists import Sample

_COLUMNS = ('video_id', 'start_timestamp', 'stop_timestamp', 'verb_class', 'noun_class')


def read_epic_kitchens100(annotations, videos, kind):
    """Read the csv files (arguments and result: see :class:`DataSet`).

    ``EPIC_100_train.csv`` and ``EPIC_100_validation.csv`` have one row per segment, ``EPIC_100_verb_classes.csv`` and
    ``EPIC_100_noun_classes.csv`` the ``id`` and ``key`` of the classes. An action is a pair of verb and noun; the pairs
    of both files are numbered by verb, then noun. Videos are ``<video_id>.MP4`` in any folder (``P01/``,
    ``P01/videos/``).
    """
    paths = dict(
        train=find_file(annotations, 'EPIC_100_train.csv'), val=find_file(annotations, 'EPIC_100_validation.csv')
    )
    verbs, nouns = (_class_names(annotations, part) for part in ('verb', 'noun'))

    def parse_pair(row):
        verb, noun = (checks.count_in(row[key], key) for key in ('verb_class', 'noun_class'))
        if not (0 <= verb < len(verbs) and 0 <= noun < len(nouns)):
            raise ValueError(f'there are {len(verbs)} verbs and {len(nouns)} nouns')
        return row, (verb, noun)

    tables = {name: parse_entries(path, read_table(path, *_COLUMNS), parse_pair) for name, path in paths.items()}
    pairs = sorted({pair for table in tables.values() for _, pair in table})
    classes = dict(verb=verbs, noun=nouns, action=[f'{verbs[verb]} {nouns[noun]}' for verb, noun in pairs])[kind]
    actions = {pair: number for number, pair in enumerate(pairs)}

    def parse(entry):
        row, pair = entry
        start, stop = (seconds_of(row[key]) for key in ('start_timestamp', 'stop_timestamp'))
        if not start < stop:
            raise ValueError(f'the segment stops at {stop} s and starts at {start} s')
        return Sample(
            checks.name(row['video_id'], 'video_id'),
            dict(verb=pair[0], noun=pair[1], action=actions[pair])[kind],
            (start, stop),
        )

    splits = [Split(name, parse_entries(paths[name], table, parse), '', 'videos') for name, table in tables.items()]
    return splits, classes


def seconds_of(timestamp):
    """Seconds (float) of a time stamp ``HH:MM:SS.ss``."""
    hours, minutes, seconds = timestamp.split(':')
    parts = zip((hours, minutes, seconds), (3600, 60, 1), strict=True)
    return sum(checks.time_in(part, timestamp) * unit for part, unit in parts)


def _class_names(annotations, part):
    path = find_file(annotations, f'EPIC_100_{part}_classes.csv')
    names = dict(parse_entries(path, read_table(path, 'id', 'key'), _class))
    if sorted(names) != list(range(len(names))):
        raise ValueError(f'{path}: the ids are not 0 to {len(names) - 1}')
    return [names[number] for number in range(len(names))]


def _class(row):
    return checks.count_in(row['id'], 'id'), checks.name(row['key'], 'key')


EPIC_KITCHENS100 = DataSet(
    name='epic_kitchens100',
    title='EPIC-KITCHENS-100',
    read=read_epic_kitchens100,
    kinds=dict(verb=97, noun=300, action=None),  # verb: assumed, the paper does not say
    counts=(67_217, 9_668),
    source="the paper's Table 2",
    suffixes=('.mp4',),
)
