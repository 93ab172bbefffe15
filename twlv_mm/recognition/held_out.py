"""Choosing among probes on a part of the training set that they do not see, never on the test set."""

import sys

import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch.utils.data import Dataset

from twlv_mm.registry import DATASETS, HOOKS, METRICS

PARTS = ('training', 'held-out')


@DATASETS.register_module()
class SplitDataset(Dataset):
    """One of the two parts of a dataset that ``share`` and ``seed`` say; ``type='twlv_mm.SplitDataset'``.

    Samples are drawn one by one: where several are of one recording, it may be in both parts.

    Args:
        of (str): Type of the whole dataset.
        part (str): 'training' or 'held-out'.
        share (float): Of the held-out part, between 0 and 1; rounded to whole samples.
        seed (int): Of the drawing; the same in both parts.
        **kwargs: Those of the whole dataset.

    Attributes:
        dataset (Dataset): The whole.
        indices (list[int]): Of the part's samples in the whole, ascending.
        metainfo (dict): That of the whole.
    """

    def __init__(self, of, part, share=0.1, seed=0, **kwargs):
        if part not in PARTS:
            raise ValueError(f'there is no part {part!r} of a dataset; there are {", ".join(map(repr, PARTS))}')
        self.dataset = DATASETS.build(dict(type=of, **kwargs))
        self.metainfo = self.dataset.metainfo
        count = round(share * len(self.dataset))
        if not 0 < count < len(self.dataset):
            raise ValueError(
                f'share={share} of {len(self.dataset)} samples are {count} held-out ones: choose a share that leaves '
                'samples in both parts'
            )
        order = torch.randperm(len(self.dataset), generator=torch.Generator().manual_seed(seed)).tolist()
        self.indices = sorted(order[:count] if part == 'held-out' else order[count:])

    def __len__(self):
        """Number of samples of the part."""
        return len(self.indices)

    def __getitem__(self, index):
        """The whole's sample, by its place in the part."""
        return self.dataset[self.indices[index]]


@METRICS.register_module()
class HeldOutMetric(BaseMetric):
    """Top-1 accuracy of each probe of a sweep, a fraction: ``type='twlv_mm.HeldOutMetric'``.

    Scores that are not finite count as wrong, so that a probe that diverged is not chosen by chance.
    """

    default_prefix = 'heldout'

    def process(self, data_batch, data_samples):
        """Note which probes are right.

        Args:
            data_batch (dict): Not used.
            data_samples (list[dict]): ``probe_scores`` (dict of (C,) by name) and ``gt_label`` (1,) of each video.
        """
        for sample in data_samples:
            label = sample['gt_label'].item()
            self.results.append(
                {
                    name: scores.argmax().item() == label and scores.isfinite().all().item()
                    for name, scores in sample['probe_scores'].items()
                }
            )

    def compute_metrics(self, results):
        """Average over the videos.

        Args:
            results (list[dict[str, bool]]): One a video.

        Returns:
            dict[str, float]: fraction by name of the probe.
        """
        return {name: sum(result[name] for result in results) / len(results) for name in results[0]}


@HOOKS.register_module()
class ChooseProbeHook(Hook):
    """Measure the probes of a ProbeSweepHead on held-out videos after each epoch, and choose the best.

    Validation takes place before the checkpoint is written, which then holds the scores and the choice; mmengine's
    would come after it. Of equals, the first in the order of the config is chosen. Tests report, beside the metrics of
    the chosen probe on the test set, the held-out accuracies of all as ``heldout/<name>`` and that of the chosen one as
    ``heldout/chosen``; the latter is the best of many, and as such optimistic.

    In a config, with the held-out part as ``val_dataloader`` and :class:`HeldOutMetric` as ``val_evaluator``::

        default_hooks = dict(choose=dict(type='twlv_mm.ChooseProbeHook'), checkpoint=dict(save_best=None))
    """

    def before_train(self, runner):
        """Take validation over from the training loop."""
        if runner.val_loop is None:
            raise ValueError(
                'a sweep chooses its probe on held-out videos, and there is no validation: leave --no-validate out, '
                'or give val_cfg, val_dataloader and val_evaluator'
            )
        if not any(isinstance(metric, HeldOutMetric) for metric in runner.val_loop.evaluator.metrics):
            raise ValueError(
                "val_evaluator does not say which probe is best: set its type to 'twlv_mm.HeldOutMetric', and let "
                'val_dataloader give the held-out part of the training set'
            )
        runner.train_loop.val_begin = sys.maxsize

    def after_train_epoch(self, runner):
        """Validate; mmengine writes the checkpoint after hooks of this priority."""
        # The logs count epochs as they do in a validation by the loop, which comes after the count.
        runner.train_loop._epoch += 1
        runner.val_loop.run()
        runner.train_loop._epoch -= 1

    def before_val(self, runner):
        """Withdraw the choice, so that all probes predict."""
        _head(runner).chosen.fill_(-1)

    def after_val_epoch(self, runner, metrics=None):
        """Choose.

        Args:
            runner (Runner): The runner of the validation.
            metrics (dict[str, float]): What HeldOutMetric found.
        """
        head = _head(runner)
        accuracies = [metrics[f'heldout/{name}'] for name in head.names]
        head.heldout.copy_(torch.tensor(accuracies, dtype=torch.float64))
        head.chosen.fill_(accuracies.index(max(accuracies)))
        lines = [f'{name:<32}{100 * value:7.2f}' for name, value in zip(head.names, head.heldout.tolist(), strict=True)]
        lines[head.chosen] += '  <- chosen'
        runner.logger.info('Held-out top-1 accuracy, %:\n' + '\n'.join(lines))

    def before_test(self, runner):
        """Refuse to test what was not chosen."""
        if _head(runner).chosen < 0:
            raise ValueError(
                'no probe of the sweep was chosen: test a checkpoint that tools/train.py has written at the end of an '
                'epoch'
            )

    def after_test_epoch(self, runner, metrics=None):
        """Add the held-out accuracies.

        Args:
            runner (Runner): The runner of the test.
            metrics (dict[str, float]): Of the test; extended.
        """
        head = _head(runner)
        heldout = head.heldout.tolist()
        metrics['heldout/chosen'] = heldout[head.chosen]
        metrics.update({f'heldout/{name}': value for name, value in zip(head.names, heldout, strict=True)})
        runner.logger.info(f'The probe chosen on held-out videos is {head.names[head.chosen]}')


def _head(runner):
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return model.cls_head
