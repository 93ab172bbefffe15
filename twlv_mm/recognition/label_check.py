"""Check that a head has a class for every label, before the first step."""

from numbers import Integral

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook

from twlv_mm.engine.wrappers import dataset_parts, unwrapped
from twlv_mm.registry import HOOKS


@HOOKS.register_module()
class CheckLabelsHook(Hook):
    """Check the labels of all videos against the classes of the head before training and testing.

    Otherwise a label out of range ends a run in the middle of an epoch, on a GPU with a failed assertion that names
    neither label nor video, and a list without labels is tested with an accuracy of 0. In a config::

        default_hooks = dict(check_labels=dict(type='twlv_mm.CheckLabelsHook'))
    """

    def before_train(self, runner):
        self._check(runner, runner.train_dataloader.dataset, warn=True)
        if runner.val_loop is not None:
            self._check(runner, runner.val_dataloader.dataset)

    def before_test(self, runner):
        self._check(runner, runner.test_dataloader.dataset)

    def _check(self, runner, dataset, warn=False):
        model = unwrapped(runner.model)
        num_classes = model.cls_head.num_classes
        largest = check_labels(dataset, num_classes)
        if warn and largest < num_classes - 1:
            runner.logger.warning(
                f'The head has num_classes={num_classes}, but the largest training label is {largest}: if there are '
                f'only {largest + 1} classes, set model.cls_head.num_classes={largest + 1}.'
            )


def check_labels(dataset, num_classes):
    """Check that a head has a class for every label of a dataset.

    Args:
        dataset (BaseDataset): Its annotations have a ``label``: a class index or, with ``multi_class``, a list. Or a
            wrapper of such datasets (ConcatDataset, RepeatDataset, ...).
        num_classes (int): Classes of the head.

    Returns:
        int: the largest label; -1 if there are none, as ``multi_class`` allows.
    """
    parts = dataset_parts(dataset)
    if parts[0] is not dataset:
        return max(check_labels(part, num_classes) for part in parts)
    if not isinstance(dataset, BaseDataset):
        raise TypeError(
            f'the labels of a {type(dataset).__name__} cannot be checked, as it is not an mmengine dataset: remove '
            'CheckLabelsHook from the config'
        )
    name = dataset.ann_file or type(dataset).__name__
    if getattr(dataset, 'num_classes', None) not in (None, num_classes):
        raise ValueError(
            f'{name} is read with num_classes={dataset.num_classes}, but the head has num_classes={num_classes}: make '
            'them equal'
        )
    dataset.full_init()
    classes = dataset.metainfo.get('classes')
    if classes is not None and len(classes) != num_classes:
        raise ValueError(
            f'{name} has {len(classes)} class names, but the head has num_classes={num_classes}: set '
            f'model.cls_head.num_classes={len(classes)}'
        )
    if len(dataset) == 0:
        raise ValueError(f'{name} lists no videos')
    # Not the datasets' own get_data_info, which turns a list of labels into a vector and fails if one is too large.
    annotations = (BaseDataset.get_data_info(dataset, index) for index in range(len(dataset)))
    labels, wrong = set(), []
    for annotation in annotations:
        label = annotation.get('label')
        label = label.tolist() if isinstance(label, np.ndarray) else label
        its_labels = list(label) if isinstance(label, list | tuple) else [label]
        labels.update(its_labels)
        if not all(isinstance(one, Integral) and 0 <= one < num_classes for one in its_labels):
            video = next((annotation[key] for key in ('filename', 'frame_dir', 'img_path') if key in annotation), '?')
            wrong.append(f'{video} has {"no label" if label in (None, -1) else label}')
    if wrong:
        whole = [label for label in labels if isinstance(label, Integral)]
        fix = f', or set model.cls_head.num_classes={max(whole) + 1}' if max(whole, default=-1) >= num_classes else ''
        raise ValueError(
            f'{name}: {len(wrong)} of {len(dataset)} videos have no label within 0 ... {num_classes - 1} '
            f'(num_classes={num_classes} of the head): {"; ".join(wrong[:3])}. Classes count from 0: correct the '
            f'list{fix}'
        )
    return max(labels, default=-1)
