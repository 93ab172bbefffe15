"""mmaction2's measure of proposals, with its file in the run's folder and all of its numbers as fractions."""

from pathlib import Path

from mmaction.evaluation import ANetMetric

from twlv_mm.engine import log_folder
from twlv_mm.registry import METRICS


@METRICS.register_module()
class ProposalRecall(ANetMetric):
    """AR@AN of temporal action proposals, of any class; in configs ``type='twlv_mm.ProposalRecall'``.

    ``AR@1``, ``AR@5``, ``AR@10``, ``AR@100`` and ``auc``, the area below the curve, from 0 to 1. ANetMetric gives the
    last in percent, writes ``proposals.json`` to where a config says, whatever the run's folder, and takes its own
    settings out of the config that the run writes down.

    Args:
        out_dir (str, optional): Folder for proposals.json; by default, that of the run's log.
        **kwargs: Those of mmengine's BaseMetric: collect_device, prefix.

    Raises:
        ValueError: at the end of a test, if there is no run and no ``out_dir``.
    """

    # The metrics are found by these names: no prefix.
    default_prefix = ''

    def __init__(self, out_dir=None, **kwargs):
        super().__init__(metric_type='AR@AN', dump_config=dict(out='', output_format='json'), **kwargs)
        self.out_dir = out_dir
        self.choices = dict(measures='proposals, any class')  # for results.json

    def compute_metrics(self, results):
        """See the class."""
        folder = Path(self.out_dir or log_folder())
        folder.mkdir(parents=True, exist_ok=True)
        self.out = str(folder / 'proposals.json')
        metrics = super().compute_metrics(results)
        return dict(metrics, auc=metrics['auc'] / 100)
