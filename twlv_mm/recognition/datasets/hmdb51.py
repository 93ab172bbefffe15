"""HMDB51: a text file a class and split, of the names of videos and whether they are for training or testing."""

from twlv_mm.records import checks, read_lines

from .lists import Sample
from .official import DataSet, Split, find_file, parse_entries

_PARTS = {'1': 'train', '2': 'val', '0': None}  # what the number after a name says; None: not in this split


def read_hmdb51(annotations, videos, kind):
    """Read the text files of one split. See :class:`DataSet` for arguments and result.

    ``<class>_test_<split>.txt`` has lines ``<name>.avi <number>``, the number 1 for training, 2 for testing, 0 for
    neither. Classes are numbered in alphabetical order. Videos are ``<class>/<name>.avi``.
    """
    suffix = f'_test_{kind.replace("_", "")}.txt'
    # By class: by file, climb_stairs would come before climb.
    classes = sorted(path.name.removesuffix(suffix) for path in annotations.glob(f'*{suffix}'))
    if not classes:
        find_file(annotations, f'brush_hair{suffix}')  # tells what is missing
    samples = {part: [] for part in _PARTS.values()}
    for label, name in enumerate(classes):
        path = annotations / f'{name}{suffix}'

        def parse(line, name=name, label=label):
            file, number = line.rsplit(maxsplit=1)
            return _PARTS[number], Sample(f'{name}/{checks.name(file, "name").removesuffix(".avi")}', label)

        for part, sample in parse_entries(path, read_lines(path), parse):
            samples[part].append(sample)
    return [Split(part, samples[part], '', 'videos') for part in ('train', 'val')], classes


HMDB51 = DataSet(
    name='hmdb51',
    title='HMDB51',
    read=read_hmdb51,
    kinds=dict(split_1=51, split_2=51, split_3=51),
    counts=(3_570, 1_530),
    source='Kuehne et al. 2011, 70 and 30 a class',
    suffixes=('.avi', '.mp4'),
    list_name='{name}_{split}_{kind}_videos.txt',  # as mmaction2 names them
    choice='which of the three splits',
)
