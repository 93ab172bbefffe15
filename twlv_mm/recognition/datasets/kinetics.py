"""Kinetics-400 and Kinetics-600: csv files of label, youtube_id, time_start, time_end, split (and is_cc)."""

from functools import partial

from twlv_mm.records import checks, read_table

from .data_set import DataSet, Split, find_file, parse_entries
from .lists import Sample

_NAMES = dict(
    train=('train.csv', 'kinetics_train.csv', 'kinetics-{}_train.csv'),
    val=('val.csv', 'validate.csv', 'kinetics_val.csv', 'kinetics-{}_val.csv'),
)


def read_kinetics(number, annotations, videos, kind):
    """Read the csv files of Kinetics-``number`` (other arguments and result: see :class:`DataSet`).

    Classes are numbered as in mmaction2: by name, with _ for spaces, from the training table. Videos are
    ``<youtube_id>_<start>_<end>``, seconds with six digits, in ``videos_train`` and ``videos_val`` (mmaction2),
    ``train`` and ``val``, or all in one folder.
    """
    paths = {split: find_file(annotations, *(name.format(number) for name in names)) for split, names in _NAMES.items()}
    tables = {name: read_table(path, 'label', 'youtube_id', 'time_start', 'time_end') for name, path in paths.items()}
    classes = sorted(set(parse_entries(paths['train'], tables['train'], _class_name)))
    numbers = {name: number for number, name in enumerate(classes)}

    def parse(row):
        start, end = (int(checks.time_in(row[key], key)) for key in ('time_start', 'time_end'))
        return Sample(
            f'{checks.name(row["youtube_id"], "youtube_id")}_{start:06d}_{end:06d}', numbers[_class_name(row)]
        )

    splits = []
    for name, table in tables.items():
        folder = next((folder for folder in (f'videos_{name}', name) if (videos / folder).is_dir()), '')
        splits.append(Split(name, parse_entries(paths[name], table, parse), folder, f'videos_{name}'))
    return splits, classes


def _class_name(row):
    return checks.name(row['label'], 'label').replace('"', '').replace(' ', '_')


KINETICS400 = DataSet(
    name='kinetics400',
    title='Kinetics-400',
    read=partial(read_kinetics, 400),
    kinds=dict(videos=400),
    counts=(235_693, 19_165),
    source="the paper's Table 2",
    suffixes=('.mp4', '.mkv', '.webm'),
)
KINETICS600 = DataSet(
    name='kinetics600',
    title='Kinetics-600',
    read=partial(read_kinetics, 600),
    kinds=dict(videos=600),
    counts=(392_622, 30_001),
    source='Carreira et al. 2018',
    suffixes=('.mp4', '.mkv', '.webm'),
)
