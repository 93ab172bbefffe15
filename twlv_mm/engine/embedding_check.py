"""What a run reads of embedded videos must fit what its model was built, or trained, for."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from twlv_mm.embeddings.settings import check_comparable
from twlv_mm.registry import HOOKS

from .dataset_parts import dataset_parts

# What a data set of embedded videos says of itself in its metainfo, and a checkpoint of what it was trained on.
KEYS = {'classes', 'folder', 'dims', 'settings'}


@HOOKS.register_module()
class CheckEmbeddedVideosHook(Hook):
    """Check the videos of a run before it starts, and tell the model whose embeddings they are.

    Their data sets are those whose metainfo has classes (names), folder, dims (numbers a vector) and settings (from
    :func:`~twlv_mm.embeddings.shared_settings`), in wrappers or not. All must have been made with the same settings of
    the same encoder, and have the same classes in the same order: those to train on (also those that a tested
    checkpoint was trained on) and those to test on. Their vectors must be as wide as the model takes (``in_channels``,
    BMN's ``feat_dim``), their classes as many as its ``num_classes``; a ``class_agnostic`` model has 1. The model's
    ``metainfo`` is then that of the first of the data sets. In a config::

        default_hooks = dict(data=dict(type='twlv_mm.CheckEmbeddedVideosHook'))

    Raises:
        ValueError: if something does not fit.
    """

    def __init__(self):
        self._trained_on = None

    def after_load_checkpoint(self, runner, checkpoint):
        """Keep what the checkpoint was trained on."""
        meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
        self._trained_on = meta if meta.keys() >= KEYS else None

    def before_train(self, runner):
        """Check the videos of training, and of validation if there is one."""
        validation = [runner.val_dataloader.dataset] if runner.val_loop is not None else []
        self._check(runner, runner.train_dataloader.dataset, *validation)

    def before_test(self, runner):
        """Check the videos of the test."""
        self._check(runner, runner.test_dataloader.dataset)

    def _check(self, runner, *datasets):
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        metainfos = [part.metainfo for dataset in datasets for part in _parts(dataset)]
        first, *others = [self._trained_on, *metainfos] if self._trained_on else metainfos
        for other in others:
            _check_same(first, other)
        dims = getattr(model, 'in_channels', getattr(model, 'feat_dim', None))
        if dims not in (None, first['dims']):
            raise ValueError(
                f'{first["folder"]} has {first["dims"]} numbers a vector, the model takes {dims}: set '
                f'model.in_channels={first["dims"]} (feat_dim of BMN), or take the embeddings of another encoder'
            )
        _check_classes(model, first)
        if first['settings']['model'] is None:
            runner.logger.warning(
                f'The embeddings in {first["folder"]} do not name their encoder: results.json will name none.'
            )
        model.metainfo = first


def _parts(dataset):
    """The data sets within wrappers, each of which must be one of embedded videos."""
    parts = dataset_parts(dataset)
    for part in parts:
        if hasattr(part, 'full_init'):
            part.full_init()
        if not getattr(part, 'metainfo', {}).keys() >= KEYS:
            raise ValueError(
                f'CheckEmbeddedVideosHook checks data sets of embedded videos, such as LocalizationDataset, not '
                f'{type(part).__name__}: take the hook out'
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
                f'the model has an external classifier and num_classes={num_classes}: set model.num_classes=1, the '
                'classifier knows the others'
            )
    elif num_classes not in (None, found):
        raise ValueError(
            f'the annotations have {found} classes, the model num_classes={num_classes}: set '
            f'model.num_classes={found}, or give the data sets the classes that the model was trained on'
        )
