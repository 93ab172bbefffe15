"""The check before a run: what is read must fit the model, the checkpoint and each other."""

import json
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import ConcatDataset, RepeatDataset
from torch.utils.data import TensorDataset

from tests.embeddings.saved import DIMS, save
from twlv_mm.engine import CheckEmbeddedVideosHook
from twlv_mm.localization.dataset import LocalizationDataset
from twlv_mm.segmentation.dataset import SegmentationDataset

CLASSES = ['serve', 'return']


def localization(folder, classes=CLASSES):
    """A dataset of one video with an action."""
    ann_file = folder.parent / 'actions.json'
    ann_file.write_text(json.dumps({'a': dict(annotations=[dict(label='serve', segment=[1, 2])])}))
    return LocalizationDataset(ann_file, folder, classes=classes, lazy_init=True)


def segmentation(folder, classes=CLASSES):
    """A dataset of one video with a label for each of its frames."""
    root = folder.parent / '-'.join(classes)
    for name in ('groundTruth', 'splits'):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / 'mapping.txt').write_text(''.join(f'{place} {name}\n' for place, name in enumerate(classes)))
    (root / 'groundTruth/a.txt').write_text('serve\n' * 100)
    (root / 'splits/train.split1.bundle').write_text('a.txt\n')
    return SegmentationDataset(root, folder, 'train', fps=10, lazy_init=True)


@pytest.fixture(params=[localization, segmentation])
def build(request):
    return request.param


@pytest.fixture
def datasets(tmp_path, build):
    """Training and test datasets that fit, not yet initialised, as a data loader has them."""
    for split in ('train', 'val'):
        save(tmp_path / split, 'a', 10)
    return build(tmp_path / 'train'), build(tmp_path / 'val')


def run_of(train, test, **model):
    """What the hook sees of a runner."""
    warnings = []
    return SimpleNamespace(
        model=SimpleNamespace(**model),
        logger=SimpleNamespace(warning=warnings.append),
        warnings=warnings,
        val_loop=object(),
        train_dataloader=SimpleNamespace(dataset=train),
        val_dataloader=SimpleNamespace(dataset=test),
        test_dataloader=SimpleNamespace(dataset=test),
    )


def test_check_accepts_wrapped_data_sets_that_fit(datasets):
    train, test = datasets
    for wrap, model in (
        (lambda dataset: dataset, dict(in_channels=DIMS, num_classes=2, class_agnostic=False)),
        (lambda dataset: RepeatDataset(dataset, 2), dict(num_classes=1, class_agnostic=True)),
        (lambda dataset: ConcatDataset([dataset, dataset]), {}),
    ):
        runner = run_of(wrap(train), test, **model)
        CheckEmbeddedVideosHook().before_train(runner)
        assert runner.warnings == []


@pytest.mark.parametrize(
    ('model', 'message'),
    [
        (dict(in_channels=8), r'4 dimensions per vector, but the model expects 8: set model\.in_channels=4'),
        (dict(feat_dim=8), 'but the model expects 8'),
        (dict(num_classes=20), r'2 classes, the model num_classes=20: set model\.num_classes=2'),
        (dict(num_classes=2, class_agnostic=True), 'set model.num_classes=1'),
    ],
)
def test_check_refuses_a_model_for_other_data(datasets, model, message):
    with pytest.raises(ValueError, match=message):
        CheckEmbeddedVideosHook().before_train(run_of(*datasets, **model))


def test_check_refuses_a_test_on_other_embeddings_or_classes(datasets, build, tmp_path):
    train, test = datasets
    save(tmp_path / 'other', 'a', 10, frames_per_clip=8)
    with pytest.raises(ValueError, match=r'differ in frames_per_clip \(None and 8\)'):
        CheckEmbeddedVideosHook().before_train(run_of(train, build(tmp_path / 'other')))
    turned = build(tmp_path / 'val', CLASSES[::-1])
    with pytest.raises(ValueError, match='not the same in the same order'):
        CheckEmbeddedVideosHook().before_train(run_of(train, turned))
    hook = CheckEmbeddedVideosHook()
    hook.after_load_checkpoint(None, dict(meta=dict(dataset_meta=train.metainfo)))
    with pytest.raises(ValueError, match='not the same in the same order'):
        hook.before_test(run_of(train, turned))
    hook.before_test(run_of(train, test))


def test_check_says_which_data_set_it_cannot_check():
    dataset = TensorDataset(torch.zeros(1, 2))
    with pytest.raises(ValueError, match='not TensorDataset: remove the hook'):
        CheckEmbeddedVideosHook().before_test(run_of(dataset, dataset))
