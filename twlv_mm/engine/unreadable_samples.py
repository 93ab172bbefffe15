"""Samples of a training set that cannot be read are listed and replaced by others."""

import json
import os
import warnings

from twlv_mm.records import append_line

from .dataset_parts import dataset_parts

ATTEMPTS = 10


class UnreadableError(RuntimeError):
    """So many samples in a row cannot be read that it is not the samples' fault."""


class Replacing:
    """Reads samples, or others in their place, and says which could not be read.

    Attributes:
        file (str | None): Where samples that cannot be read are listed, a line of json each; the runner sets it.
    """

    def __init__(self):
        self.file = None

    def __call__(self, dataset, read, index, another, of):
        """Read a sample.

        Args:
            dataset (Dataset): Has mmengine's ``get_data_info``.
            read (Callable[[int], Any]): Reads the sample with an index; None counts as unreadable.
            index (int): The sample.
            another (Callable[[int], int]): Index of the sample to take after the n-th that cannot be read, from 0.
            of (str): What the data set is called.

        Returns:
            tuple[Any, int, int]: what was read, its index, and how many could not be read.

        Raises:
            UnreadableError: if ten samples in a row cannot be read.
        """
        for attempt in range(ATTEMPTS):
            try:
                sample = read(index)
                if sample is None:  # so a transform of mmcv's says that it cannot
                    raise ValueError('a transform gave no sample')
                return sample, index, attempt
            except Exception as error:  # decoders and transforms have no error in common
                last, file = error, dataset.get_data_info(index)['filename']
                self._report(dict(set=of, index=index, file=file, error=f'{type(error).__name__}: {error}'))
                index = another(attempt)
        where = f' They are listed in {self.file}.' if self.file else ''
        raise UnreadableError(
            f'{ATTEMPTS} samples of the set {of} in a row cannot be read, the last of them {file} '
            f'({type(last).__name__}: {last}).{where} Is their folder mounted, and the pipeline right?'
        ) from last

    def _report(self, failure):
        if self.file is not None:
            append_line(self.file, json.dumps(failure))
        # Python shows a warning of the same text once in each process.
        warnings.warn(f'another sample takes the place of one that cannot be read: {failure}', stacklevel=3)


def list_unreadable(dataset, folder):
    """Have the samples that a data set cannot read listed in ``unreadable_samples.jsonl``.

    Args:
        dataset (Dataset): Any; those that replace samples, or the ones it wraps, have a :class:`Replacing`.
        folder (str): The run's.
    """
    for part in dataset_parts(dataset):
        if hasattr(part, 'replacing'):
            part.replacing.file = os.path.join(folder, 'unreadable_samples.jsonl')
