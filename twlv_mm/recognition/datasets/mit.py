"""Moments in Time: csv files of path, label and votes, without header, and the category numbers."""

from twlv_mm.records import checks, read_lines, read_rows

from .data_set import DataSet, Split, find_file, parse_entries
from .lists import Sample


def read_mit(annotations, videos, kind):
    """Read the csv files (arguments and result: see :class:`DataSet`).

    ``trainingSet.csv`` and ``validationSet.csv`` have rows ``<category>/<file>.mp4,<category>,<votes for>,<votes
    against>``; ``moments_categories.txt`` has lines ``<category>,<number>``. Videos are in ``training/<category>`` and
    ``validation/<category>``.
    """
    categories = find_file(annotations, 'moments_categories.txt')
    numbers = dict(parse_entries(categories, read_lines(categories), _category))

    splits = []
    for name, table, folder in (
        ('train', 'trainingSet.csv', 'training'),
        ('val', 'validationSet.csv', 'validation'),
    ):

        def parse(row, folder=folder):
            return Sample(f'{folder}/{checks.name(row[0], "path").rpartition(".")[0]}', numbers[row[1]])

        path = find_file(annotations, table)
        splits.append(Split(name, parse_entries(path, read_rows(path), parse), '', 'videos'))
    return splits, sorted(numbers, key=numbers.get)


def _category(line):
    name, number = line.rsplit(',', 1)
    return checks.name(name, 'category'), checks.count_in(number, 'number')


MIT = DataSet(
    name='mit',
    title='Moments in Time',
    read=read_mit,
    # The first version: 100 validation videos per class, which match the paper's 33,898; the second has 305 classes.
    kinds=dict(videos=339),
    counts=(791_246, 33_898),
    source="the paper's Table 2",
    suffixes=('.mp4',),
)
