"""mmaction2's metric of proposals, with its file in the run's folder and all numbers as fractions."""

from pathlib import Path

from mmaction.evaluation import ANetMetric

from twlv_mm.records import log_folder
from twlv_mm.registry import METRICS


@METRICS.register_module()
class ProposalRecall(ANetMetric):
    """AR@AN of class-agnostic temporal action proposals; in configs ``type='twlv_mm.ProposalRecall'``.

    ``AR@1``, ``AR@5``, ``AR@10``, ``AR@100`` and ``auc``, the area below the curve, from 0 to 1. ANetMetric gives
    ``auc`` in percent, writes ``proposals.json`` to a path from the config instead of the run's folder, and removes its
    settings from the config that the run dumps.

    Args:
        out_dir (str, optional): Folder for proposals.json; by default, that of the run's log.
        **kwargs: collect_device, prefix, see mmengine's BaseMetric.
    """

    # No prefix: other code looks the metrics up by these names.
    default_prefix = ''

    def __init__(self, out_dir=None, **kwargs):
        super().__init__(metric_type='AR@AN', dump_config=dict(out='', output_format='json'), **kwargs)
        self.out_dir = out_dir
        self.choices = dict(measures='proposals, any class')  # for results.json

    def compute_metrics(self, results):
        folder = Path(self.out_dir or log_folder())
        folder.mkdir(parents=True, exist_ok=True)
        self.out = str(folder / 'proposals.json')
        metrics = super().compute_metrics(results)
        return dict(metrics, auc=metrics['auc'] / 100)
