"""Lists unreadable samples of a training set, and replaces them by others."""

import json
import warnings

from twlv_mm.records import append_line

ATTEMPTS = 10


class UnreadableError(RuntimeError):
    """So many samples in a row cannot be read that the cause is not in the samples."""


class Replacing:
    """Reads samples, or others in place of unreadable ones, which it reports.

    Attributes:
        file (str | None): Where unreadable samples are listed, a line of json each; the runner sets it.
    """

    def __init__(self):
        self.file = None

    def __call__(self, dataset, read, index, another, of):
        """Read a sample.

        Args:
            dataset (Dataset): Has mmengine's ``get_data_info``.
            read (Callable[[int], Any]): Reads the sample with an index; None counts as unreadable.
            index (int): The sample.
            another (Callable[[int], int]): Index of the replacement after the n-th failure, n from 0.
            of (str): Name of the dataset.

        Returns:
            tuple[Any, int, int]: the sample, its index, and the number of failures before it.

        Raises:
            UnreadableError: if ten samples in a row cannot be read.
        """
        for attempt in range(ATTEMPTS):
            try:
                sample = read(index)
                if sample is None:  # mmcv's transforms signal failure like this
                    raise ValueError('a transform gave no sample')
                return sample, index, attempt
            except Exception as error:  # decoders and transforms share no base class of errors
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
        # Python shows a warning with the same text once per process.
        warnings.warn(f'an unreadable sample is replaced by another: {failure}', stacklevel=3)
