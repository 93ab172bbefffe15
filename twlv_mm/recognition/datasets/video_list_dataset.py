"""An mmaction2 dataset that checks its list and files when it is built."""

import os

from mmaction.datasets import BaseActionDataset

from twlv_mm.inference import reading
from twlv_mm.records import CLASSES_FILE, names_beside
from twlv_mm.registry import DATASETS
from twlv_mm.video.unreadable_samples import Replacing

from .lists import check_files, read_list


@DATASETS.register_module()
class VideoListDataset(BaseActionDataset):
    """Videos or images with one class each, in place of mmaction2's VideoDataset.

    VideoDataset reads a line without label as label -1, cannot handle file names with spaces, and notices missing files
    only during training. This one raises an error when it is built. In training, a file that cannot be decoded is
    listed and replaced by a random one; in testing (``test_mode``), where that would change the score, it is an error.

    Each sample is a dict of filename (str), video_id (str, the list's path without extension), label (int), modality
    and start_index.

    Args:
        ann_file (str): A list of lines ``file label``. Class names come from ``metainfo``, or from ``classes.txt``
            beside the list, if there is one.
        pipeline (list[dict]): Transforms.
        data_prefix (dict): ``video`` is the folder of the list's paths.
        fold (int, optional): Replaces ``{fold}`` in ann_file, for tools/run_folds.py.
        **kwargs: Those of mmaction2's BaseActionDataset.

    Attributes:
        replacing (Replacing): Replaces unreadable samples.
    """

    segments = False  # whether lines have a start and an end: in SegmentDataset

    def __init__(self, ann_file, pipeline, data_prefix, fold=None, **kwargs):
        self.replacing = Replacing()
        if fold is not None:
            ann_file = ann_file.replace('{fold}', str(fold))
        super().__init__(ann_file, pipeline=pipeline, data_prefix=data_prefix, **kwargs)

    def load_data_list(self):
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
                    f'{self.ann_file} has the label {largest}, but {CLASSES_FILE} beside it has {len(classes)} names: '
                    'add the missing ones, or rename the file if it belongs to other lists'
                )
        return samples

    def prepare_data(self, idx):
        if self.test_mode:
            return self._read(idx)
        return self.replacing(self, self._read, idx, lambda _: self._rand_another(), self.ann_file)[0]

    def _read(self, idx):
        with reading(self.get_data_info(idx)['filename'], 'decode'):
            return super().prepare_data(idx)
