"""Checks that the embeddings a run reads fit its model and its checkpoint."""

from twlv_mm.embeddings.extraction_settings import check_comparable
from twlv_mm.registry import HOOKS

from .dataset_check import DatasetCheckHook
from .wrappers import dataset_parts

# In the metainfo of a dataset of embedded videos, and so in checkpoints.
KEYS = {'classes', 'folder', 'dims', 'settings'}


@HOOKS.register_module()
class CheckEmbeddedVideosHook(DatasetCheckHook):
    """Check the datasets of embedded videos, and the model, before a run.

    A dataset of embedded videos has classes (names), folder, dims (width of a vector) and settings (from
    :func:`~twlv_mm.embeddings.shared_settings`) in its metainfo. The datasets of training, validation and test, and
    the one that a tested checkpoint was trained on, must have been made with the same settings of the same encoder and
    have the same classes in the same order. The width must be the model's ``in_channels`` or ``feat_dim``, the number
    of classes its ``num_classes``, which is 1 for a ``class_agnostic`` model. In a config::

        default_hooks = dict(data=dict(type='twlv_mm.CheckEmbeddedVideosHook'))
    """

    def __init__(self):
        self._trained_on = None

    def after_load_checkpoint(self, runner, checkpoint):
        meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
        self._trained_on = meta if meta.keys() >= KEYS else None

    def check(self, runner, model, *datasets):
        metainfos = [part.metainfo for dataset in datasets for part in _parts(dataset)]
        first, *others = [self._trained_on, *metainfos] if self._trained_on else metainfos
        for other in others:
            _check_same(first, other)
        width = 'in_channels' if hasattr(model, 'in_channels') else 'feat_dim'
        dims = getattr(model, width, None)
        if dims not in (None, first['dims']):
            raise ValueError(
                f'{first["folder"]} has {first["dims"]} dimensions per vector, but the model expects {dims}: set '
                f'model.{width}={first["dims"]}, or use the embeddings of another encoder'
            )
        _check_classes(model, first)
        if first['settings']['model'] is None:
            runner.logger.warning(
                f'The embeddings in {first["folder"]} do not name their encoder: results.json will name none.'
            )


def _parts(dataset):
    """The datasets within wrappers, each of which must be one of embedded videos."""
    parts = dataset_parts(dataset)
    for part in parts:
        if hasattr(part, 'full_init'):
            part.full_init()
        if not getattr(part, 'metainfo', {}).keys() >= KEYS:
            raise ValueError(
                f'CheckEmbeddedVideosHook checks datasets of embedded videos, not {type(part).__name__}: remove '
                'the hook'
            )
    return parts


def _check_same(metainfo, other):
    check_comparable(metainfo, other)
    if tuple(metainfo['classes']) != tuple(other['classes']):
        raise ValueError(
            f'the videos of {metainfo["folder"]} have {len(metainfo["classes"])} classes, those of {other["folder"]} '
            f'{len(other["classes"])}, and they are not the same in the same order: set classes of both to one list'
        )


def _check_classes(model, metainfo):
    found, num_classes = len(metainfo['classes']), getattr(model, 'num_classes', None)
    if getattr(model, 'class_agnostic', False):
        if num_classes != 1:
            raise ValueError(
                f'the model has an external classifier and num_classes={num_classes}: set model.num_classes=1; the '
                'classes are those of the classifier'
            )
    elif num_classes not in (None, found):
        raise ValueError(
            f'the annotations have {found} classes, the model num_classes={num_classes}: set '
            f'model.num_classes={found}, or give the datasets the classes that the model was trained on'
        )
