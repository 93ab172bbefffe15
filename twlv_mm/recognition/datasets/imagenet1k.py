"""ImageNet-1K (ILSVRC 2012): one folder per class, or for validation a csv file."""

import os

from twlv_mm.records import checks, read_table

from .data_set import DataSet, Split, find_file, parse_entries
from .lists import Sample

SUFFIXES = ('.jpeg', '.jpg', '.png')


def read_imagenet1k(annotations, images, kind):
    """List the folders (arguments and result: see :class:`DataSet`).

    Images are in ``train/<synset>/`` and ``val/<synset>/``, or directly in ``val/``: then the first synset of
    ``PredictionString`` in ``LOC_val_solution.csv`` is the label of ``ImageId``. Classes are the folders of ``train``
    in alphabetical order, the usual numbering.
    """
    for name in ('train', 'val'):
        if not (images / name).is_dir():
            raise FileNotFoundError(f'{images} has no folder {name}: give the folder that contains train and val')
    synsets = _folders(images / 'train')
    numbers = {synset: number for number, synset in enumerate(synsets)}
    train = _images_of_folders(images, 'train', numbers)
    if _folders(images / 'val'):
        val = _images_of_folders(images, 'val', numbers)
    else:
        path = find_file(annotations, 'LOC_val_solution.csv')
        rows = read_table(path, 'ImageId', 'PredictionString')

        def parse(row):
            return Sample(f'val/{checks.name(row["ImageId"], "ImageId")}', numbers[row['PredictionString'].split()[0]])

        val = parse_entries(path, rows, parse)
    return [Split('train', train, '', 'images'), Split('val', val, '', 'images')], synsets


def _folders(path):
    return sorted(entry.name for entry in os.scandir(path) if entry.is_dir())


def _images_of_folders(images, split, numbers):
    samples = []
    for synset in _folders(images / split):
        if synset not in numbers:
            raise ValueError(f'{images / split} has a folder {synset}, but {images / "train"} does not')
        for name in sorted(os.listdir(images / split / synset)):
            stem, suffix = os.path.splitext(name)
            if suffix.lower() in SUFFIXES:
                samples.append(Sample(f'{split}/{synset}/{stem}', numbers[synset]))
    return samples


IMAGENET1K = DataSet(
    name='imagenet1k',
    title='ImageNet-1K',
    read=read_imagenet1k,
    kinds=dict(images=1000),
    counts=(1_281_167, 50_000),
    source='ILSVRC 2012',
    suffixes=SUFFIXES,
)
