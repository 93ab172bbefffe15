"""Diving-48 with its corrected labels (V2): json files of vid_name and label."""

from twlv_mm.records import checks, read_json

from .data_set import DataSet, Split, find_file, parse_entries
from .lists import Sample


def read_diving48(annotations, videos, kind):
    """Read the json files (arguments and result: see :class:`DataSet`).

    ``Diving48_V2_train.json`` and ``Diving48_V2_test.json`` are lists of entries with ``vid_name`` and ``label``
    (start_frame and end_frame span the whole video); ``Diving48_vocab.json`` has the four parts of each class name, in
    order. Videos are ``<vid_name>.mp4``. The test part becomes 'val'.
    """
    vocabulary = find_file(annotations, 'Diving48_vocab.json')
    classes = parse_entries(vocabulary, read_json(vocabulary, list), '_'.join)

    def parse(entry):
        return Sample(checks.name(entry['vid_name'], 'vid_name'), checks.count(entry['label'], 'label'))

    splits = []
    for name, file in (('train', 'Diving48_V2_train.json'), ('val', 'Diving48_V2_test.json')):
        path = find_file(annotations, file)
        splits.append(Split(name, parse_entries(path, read_json(path, list), parse), '', 'videos'))
    return splits, classes


DIVING48 = DataSet(
    name='diving48',
    title='Diving-48',
    read=read_diving48,
    kinds=dict(videos=48),
    counts=(15_027, 1_970),
    source="the paper's Table 2",
    suffixes=('.mp4',),
)
