"""HMDB51: one text file per class and split, which lists videos for training and testing."""

from twlv_mm.records import checks, read_lines

from .data_set import DataSet, Split, find_file, parse_entries
from .lists import Sample

_PARTS = {'1': 'train', '2': 'val', '0': None}  # number after a video name; None: not in this split


def read_hmdb51(annotations, videos, kind):
    """Read the text files of one split (arguments and result: see :class:`DataSet`).

    ``<class>_test_<split>.txt`` has lines ``<name>.avi <number>``, where 1 is training, 2 testing and 0 neither.
    Classes are numbered alphabetically. Videos are ``<class>/<name>.avi``.
    """
    suffix = f'_test_{kind.replace("_", "")}.txt'
    # By class name: by file name, climb_stairs would come before climb.
    classes = sorted(path.name.removesuffix(suffix) for path in annotations.glob(f'*{suffix}'))
    if not classes:
        find_file(annotations, f'brush_hair{suffix}')  # raises the error
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
