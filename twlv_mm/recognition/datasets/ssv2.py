"""Something-Something v2: json files of id and template, and of the templates' numbers."""

from twlv_mm.records import checks, read_json

from .data_set import DataSet, Split, find_file, parse_entries
from .lists import Sample

_PREFIX = 'something-something-v2-'  # of file names in the first release


def read_ssv2(annotations, videos, kind):
    """Read the json files (arguments and result: see :class:`DataSet`).

    ``labels.json`` maps a template without brackets to its number; ``train.json`` and ``validation.json`` are lists of
    entries with ``id`` and ``template``, with brackets around its placeholders. Videos are ``<id>.webm``.
    """
    labels = find_file(annotations, 'labels.json', f'{_PREFIX}labels.json')
    numbers = dict(parse_entries(labels, list(read_json(labels, dict).items()), _label))

    def parse(entry):
        return Sample(checks.name(str(entry['id']), 'id'), numbers[entry['template'].replace('[', '').replace(']', '')])

    splits = []
    for name, file in (('train', 'train.json'), ('val', 'validation.json')):
        path = find_file(annotations, file, f'{_PREFIX}{file}')
        splits.append(Split(name, parse_entries(path, read_json(path, list), parse), '', 'videos'))
    return splits, sorted(numbers, key=numbers.get)


def _label(entry):
    # The numbers are strings.
    return checks.name(entry[0], 'template'), checks.count_in(str(entry[1]), 'label')


SSV2 = DataSet(
    name='ssv2',
    title='Something-Something v2',
    read=read_ssv2,
    kinds=dict(videos=174),
    counts=(168_913, 24_777),
    source="the paper's Table 2",
    suffixes=('.webm', '.mp4'),
)
