"""Kinetics-400: csv files of label, youtube_id, time_start, time_end, split (and is_cc)."""

from .lists import Sample
from .official import DataSet, Split, find_file, parse_entries, read_table

_VALIDATION = ('val.csv', 'validate.csv', 'kinetics_val.csv', 'kinetics-400_val.csv')
_TABLES = dict(train=('train.csv', 'kinetics_train.csv', 'kinetics-400_train.csv'), val=_VALIDATION)


def read_kinetics400(annotations, videos, kind):
    """Read the csv files. See :class:`DataSet` for arguments and result.

    Classes are numbered as mmaction2 numbers them: by name, with _ for spaces, as the training table has them. Videos
    are ``<youtube_id>_<start>_<end>``, seconds with six digits, in ``videos_train`` and ``videos_val`` (mmaction2),
    ``train`` and ``val``, or all in one folder.
    """
    paths = {name: find_file(annotations, *names) for name, names in _TABLES.items()}
    tables = {name: read_table(path, 'label', 'youtube_id', 'time_start', 'time_end') for name, path in paths.items()}
    classes = sorted({_class_name(row) for row in tables['train']})
    numbers = {name: number for number, name in enumerate(classes)}

    def parse(row):
        start, end = (int(float(row[key])) for key in ('time_start', 'time_end'))
        return Sample(f'{row["youtube_id"]}_{start:06d}_{end:06d}', numbers[_class_name(row)])

    splits = []
    for name, table in tables.items():
        folder = next((folder for folder in (f'videos_{name}', name) if (videos / folder).is_dir()), '')
        splits.append(Split(name, parse_entries(paths[name], table, parse), folder, f'videos_{name}'))
    return splits, classes


def _class_name(row):
    return row['label'].replace('"', '').replace(' ', '_')


KINETICS400 = DataSet(
    name='kinetics400',
    title='Kinetics-400',
    read=read_kinetics400,
    kinds=dict(videos=400),
    counts=(235_693, 19_165),
    source="the paper's Table 2",
    suffixes=('.mp4', '.mkv', '.webm'),
)
