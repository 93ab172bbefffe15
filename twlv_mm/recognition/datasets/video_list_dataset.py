"""An mmaction2 dataset of a list of files that looks before it leaps."""

import os

from mmaction.datasets import BaseActionDataset

from twlv_mm.inference import reading
from twlv_mm.records import CLASSES_FILE, names_beside
from twlv_mm.registry import DATASETS
from twlv_mm.video.unreadable_samples import Replacing

from .lists import check_files, read_list


@DATASETS.register_module()
class VideoListDataset(BaseActionDataset):
    """Videos or images with a class each, in place of mmaction2's VideoDataset.

    That takes a line without a label as label -1, no file name with a space, and finds out in training that a file is
    not there. This one raises an error when it is built. In training, a file that cannot be decoded is listed and
    replaced by another, at random; in a test (``test_mode``), where that would change the score, it is an error.

    Each sample is a dict of filename (str), video_id (str, the list's path without suffix), label (int), modality and
    start_index.

    Args:
        ann_file (str): A list of lines ``file label``. Unless ``metainfo`` has classes, their names are those of
            ``classes.txt`` beside it, if there is one.
        pipeline (list[dict]): Transforms.
        data_prefix (dict): ``video`` is the folder that the list's paths start from.
        fold (int, optional): Number that stands in the place of ``{fold}`` in ann_file, for tools/run_folds.py.
        **kwargs: Those of mmaction2's BaseActionDataset.

    Attributes:
        replacing (Replacing): Replaces samples that cannot be read.
    """

    segments = False  # whether lines have a start and an end: in SegmentDataset

    def __init__(self, ann_file, pipeline, data_prefix, fold=None, **kwargs):
        self.replacing = Replacing()
        if fold is not None:
            ann_file = ann_file.replace('{fold}', str(fold))
        super().__init__(ann_file, pipeline=pipeline, data_prefix=data_prefix, **kwargs)

    def load_data_list(self):
        """See the class.

        Returns:
            list[dict]: filename, video_id, label, and start and end where there are any, of each sample.
        """
        folder = self.data_prefix['video']
        samples = []
        for file, label, segment in read_list(self.ann_file, self.segments):
            times = dict(start=segment[0], end=segment[1]) if segment else {}
            video_id = os.path.splitext(file)[0]
            samples.append(dict(filename=os.path.join(folder, file), video_id=video_id, label=label, **times))
        check_files((sample['filename'] for sample in samples), self.ann_file)
        if 'classes' not in self._metainfo and (classes := names_beside(self.ann_file)) is not None:
            self._metainfo['classes'] = classes
            largest = max(sample['label'] for sample in samples)
            if largest >= len(classes):
                raise ValueError(
                    f'{self.ann_file} has the label {largest}, and {CLASSES_FILE} beside it has {len(classes)} names: '
                    'add the others, or rename the file if it is of other lists'
                )
        return samples

    def prepare_data(self, idx):
        """Put a sample through the pipeline, or another in its place if it is for training and cannot be read.

        Args:
            idx (int): Its number.

        Returns:
            dict: what the pipeline gives.
        """
        if self.test_mode:
            return self._read(idx)
        return self.replacing(self, self._read, idx, lambda _: self._rand_another(), self.ann_file)[0]

    def _read(self, idx):
        with reading(self.get_data_info(idx)['filename'], 'decode'):
            return super().prepare_data(idx)
