"""Moments in Time: csv files of path, label and votes, without a header, and the categories' numbers."""

from twlv_mm.records import checks, read_lines, read_rows

from .lists import Sample
from .official import DataSet, Split, find_file, parse_entries


def read_mit(annotations, videos, kind):
    """Read the csv files. See :class:`DataSet` for arguments and result.

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
    # The first version: 100 videos a class for validation, which the paper's 33,898 fit; the second has 305 classes.
    kinds=dict(videos=339),
    counts=(791_246, 33_898),
    source="the paper's Table 2",
    suffixes=('.mp4',),
)
