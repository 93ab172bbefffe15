"""Selection of a probe on held-out training samples, never on the test set."""

import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from torch.utils.data import Dataset

from twlv_mm.engine.wrappers import unwrapped
from twlv_mm.registry import DATASETS, HOOKS, METRICS

PARTS = ('training', 'held-out')


@DATASETS.register_module()
class SplitDataset(Dataset):
    """One of two random parts of a dataset; ``type='twlv_mm.SplitDataset'``.

    Samples are split one by one: samples of the same recording may end up in both parts.

    Args:
        of (str): Type of the whole dataset.
        part (str): 'training' or 'held-out'.
        share (float): Fraction of the held-out part, between 0 and 1.
        seed (int): Random seed; must be the same for both parts.
        **kwargs: Those of the whole dataset.

    Attributes:
        dataset (Dataset): The whole.
        indices (list[int]): The part's samples in the whole, ascending.
        metainfo (dict): That of the whole.
    """

    def __init__(self, of, part, share=0.1, seed=0, **kwargs):
        if part not in PARTS:
            raise ValueError(f'unknown part {part!r} of a dataset; choose from {", ".join(map(repr, PARTS))}')
        self.dataset = DATASETS.build(dict(type=of, **kwargs))
        self.metainfo = self.dataset.metainfo
        count = round(share * len(self.dataset))
        if not 0 < count < len(self.dataset):
            raise ValueError(
                f'share={share} of {len(self.dataset)} samples gives {count} held-out ones: choose a share that leaves '
                'samples in both parts'
            )
        order = torch.randperm(len(self.dataset), generator=torch.Generator().manual_seed(seed)).tolist()
        self.indices = sorted(order[:count] if part == 'held-out' else order[count:])

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, index):
        return self.dataset[self.indices[index]]


@METRICS.register_module()
class HeldOutMetric(BaseMetric):
    """Top-1 accuracy, as a fraction, of each probe of a sweep: ``type='twlv_mm.HeldOutMetric'``.

    Non-finite scores count as wrong, so that a diverged probe is not chosen by chance.
    """

    default_prefix = 'heldout'

    def process(self, data_batch, data_samples):
        for sample in data_samples:
            label = sample['gt_label'].item()
            self.results.append(
                {
                    name: scores.argmax().item() == label and scores.isfinite().all().item()
                    for name, scores in sample['probe_scores'].items()
                }
            )

    def compute_metrics(self, results):
        return {name: sum(result[name] for result in results) / len(results) for name in results[0]}


@HOOKS.register_module()
class ChooseProbeHook(Hook):
    """Measure the probes of a ProbeSweepHead on held-out videos after each epoch, and choose the best.

    Ties go to the first in the order of the config. Tests report the metrics of the chosen probe on the test set and
    the held-out accuracies of all as ``heldout/<name>``, that of the chosen one as ``heldout/chosen``, which is
    optimistic as the best of many.

    In a config, with the held-out part as ``val_dataloader`` and :class:`HeldOutMetric` as ``val_evaluator``::

        default_hooks = dict(choose=dict(type='twlv_mm.ChooseProbeHook'), checkpoint=dict(save_best=None))
    """

    def before_train(self, runner):
        if runner.val_loop is None:
            raise ValueError(
                'a sweep chooses its probe on held-out videos, but there is no validation: leave --no-validate out, '
                'or give val_cfg, val_dataloader and val_evaluator'
            )
        if not any(isinstance(metric, HeldOutMetric) for metric in runner.val_loop.evaluator.metrics):
            raise ValueError(
                "val_evaluator cannot rank the probes: set its type to 'twlv_mm.HeldOutMetric', and val_dataloader to "
                'the held-out part of the training set'
            )
        # The loop would validate after the checkpoint is written, which must hold the choice.
        runner.train_loop.val_begin = runner.train_loop.max_epochs + 1

    def after_train_epoch(self, runner):
        # The loop increments its epoch after this hook; logs of a validation count the finished epoch.
        runner.train_loop._epoch += 1
        runner.val_loop.run()
        runner.train_loop._epoch -= 1

    def before_val(self, runner):
        """Reset the choice, so that all probes predict."""
        _head(runner).chosen.fill_(-1)

    def after_val_epoch(self, runner, metrics=None):
        head = _head(runner)
        accuracies = [metrics[f'heldout/{name}'] for name in head.names]
        head.heldout.copy_(torch.tensor(accuracies, dtype=torch.float64))
        head.chosen.fill_(accuracies.index(max(accuracies)))
        lines = [f'{name:<32}{100 * value:7.2f}' for name, value in zip(head.names, head.heldout.tolist(), strict=True)]
        lines[head.chosen] += '  <- chosen'
        runner.logger.info('Held-out top-1 accuracy, %:\n' + '\n'.join(lines))

    def before_test(self, runner):
        if _head(runner).chosen < 0:
            raise ValueError(
                'no probe of the sweep was chosen: test a checkpoint that tools/train.py wrote at the end of an epoch'
            )

    def after_test_epoch(self, runner, metrics=None):
        """Add the held-out accuracies to ``metrics``."""
        head = _head(runner)
        heldout = head.heldout.tolist()
        metrics['heldout/chosen'] = heldout[head.chosen]
        metrics.update({f'heldout/{name}': value for name, value in zip(head.names, heldout, strict=True)})
        runner.logger.info(f'The probe chosen on held-out videos is {head.names[head.chosen]}')


def _head(runner):
    model = unwrapped(runner.model)
    return model.cls_head
