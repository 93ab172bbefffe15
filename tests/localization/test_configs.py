"""The configs of temporal action localization: they are whole, learn what is there to learn, and resume exactly."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

import twlv_mm
from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine import launch
from twlv_mm.localization import ActionFormer

from ..written import read_results

CONFIGS = Path(__file__).parents[2] / 'configs/twlv'
NAMES = sorted(path.stem for path in [*CONFIGS.glob('*_tal*.py'), *CONFIGS.glob('*_bmn*.py')])
CLASSES, DIMS, SECONDS, EPOCHS = ('jump', 'throw', 'run'), 12, 30.0, 8
TINY = {
    'model.in_channels': DIMS,
    'model.channels': 32,
    'model.num_heads': 2,
    'model.head_layers': 2,
    'model.drop_path': 0,
    'train_dataloader.batch_size': 2,
    'train_cfg.max_epochs': EPOCHS,
    'optim_wrapper.optimizer.lr': 3e-3,
    'param_scheduler.0.end': 1,
    'param_scheduler.1.begin': 1,
    'param_scheduler.1.T_max': EPOCHS - 1,
}
TINY_BMN = {
    'model.feat_dim': DIMS,
    'model.temporal_dim': 20,
    'model.num_samples': 4,
    'model.num_samples_per_bin': 2,
    'model.hidden_dim_1d': 16,
    'model.hidden_dim_2d': 16,
    'model.hidden_dim_3d': 16,
    'train_dataloader.dataset.pipeline.0.length': 20,
    'test_dataloader.dataset.pipeline.0.length': 20,
    'train_dataloader.batch_size': 4,
}


@pytest.fixture(scope='module')
def planted(tmp_path_factory):
    """Videos with three actions each, whose classes stand in the vectors of the clips that show them.

    Returns:
        Callable: (stride in seconds, subsets to train and to test on) -> SimpleNamespace of root (folder), ann_file and
        scores (file of a classifier that is nearly always right).
    """

    def plant(stride, subsets):
        root = tmp_path_factory.mktemp('planted')
        random = np.random.default_rng(0)
        signal = np.random.default_rng(1).standard_normal((len(CLASSES), DIMS))
        database, scores = {}, {}
        centres = np.arange(0.25, SECONDS - 0.25 + 1e-6, stride)
        for split, subset, count in zip(('train', 'val'), subsets, (12, 6), strict=True):
            (root / split).mkdir()
            for number in range(count):
                name, label = f'v_{split}{number}', number % len(CLASSES)
                feats = 0.3 * random.standard_normal((len(centres), DIMS))
                actions = []
                for place in range(3):
                    start = 10 * place + random.uniform(1, 3)
                    end = start + random.uniform(2, 6)
                    feats[(centres > start) & (centres < end)] += signal[label]
                    actions.append(dict(label=CLASSES[label], segment=[start, end]))
                np.save(root / split / f'{name}_c.npy', feats.astype('f4'))
                info = dict(duration=SECONDS, num_frames=900)
                (root / split / f'{name}.json').write_text(json.dumps(info))
                database[name] = dict(subset=subset, duration=SECONDS, annotations=actions)
                scores[name] = [0.05 + 0.9 * (other == label) for other in range(len(CLASSES))]
        # Places in the list of sorted names, as the annotations count them.
        order = [CLASSES.index(name) for name in sorted(CLASSES)]
        scores = {name: [row[place] for place in order] for name, row in scores.items()}
        (root / 'actions.json').write_text(json.dumps(dict(database=database)))
        (root / 'scores.json').write_text(json.dumps(scores))
        return SimpleNamespace(root=root, ann_file=str(root / 'actions.json'), scores=str(root / 'scores.json'))

    return plant


@pytest.fixture(scope='module')
def thumos14(planted):
    return planted(0.125, ('Validation', 'Test'))


@pytest.fixture(scope='module')
def activitynet(planted):
    return planted(0.25, ('training', 'validation'))


def arguments(name, data, work_dir, **options):
    """Arguments of a run of a config on planted videos."""
    loaders = {
        f'{loader}_dataloader.{key}': value
        for loader, split in (('train', 'train'), ('test', 'val'))
        for key, value in (
            ('num_workers', 0),
            ('dataset.ann_file', data.ann_file),
            ('dataset.folder', data.root / split),
        )
    }
    options = loaders | options
    return [str(CONFIGS / f'{name}.py'), '--work-dir', str(work_dir), '--seed', '0', '--cfg-options'] + [
        f'{key}={value}' for key, value in options.items()
    ]


def without_seed(run):
    """The same arguments for a test, with a checkpoint."""
    config, _, work_dir, _, _, *rest = run
    return [config, (Path(work_dir) / 'last_checkpoint').read_text(), '--work-dir', work_dir, *rest]


def actionformer(name, data, work_dir, **options):
    classes = {} if 'external' in name else {'model.num_classes': len(CLASSES)}
    scores = {'model.external.path': data.scores} if 'external' in name else {}
    return arguments(
        name, data, work_dir, **TINY | classes | scores | {'test_evaluator.ann_file': data.ann_file} | options
    )


def read_weights(work_dir):
    path = (Path(work_dir) / 'last_checkpoint').read_text()
    checkpoint = load_checkpoint(path)
    return checkpoint['state_dict'] | {f'ema.{key}': value for key, value in checkpoint['ema_state_dict'].items()}


def check_extraction(cfg):
    for setting in ('clip_seconds', 'stride_seconds'):
        assert cfg.extraction[setting] == cfg.test_dataloader.dataset[setting]
    folders = {f'{cfg.extraction.out}/{cfg.extraction.sampling}/{split}' for split in cfg.extraction.splits}
    assert folders == {cfg[f'{loader}_dataloader'].dataset.folder for loader in ('train', 'val', 'test')}


@pytest.mark.parametrize('name', NAMES)
def test_config_is_whole_and_fits_its_encoder(name):
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    init_default_scope('mmaction')
    if '_bmn' in name:
        cfg.model.temporal_dim = 10  # its mask of 100 takes seconds to compute
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
        encoder = twlv_mm.get_model('twlv_large' if name.endswith('_large') else 'twlv_base')
    width = model.feat_dim if '_bmn' in name else cfg.model.in_channels
    assert width == encoder.arch.embed_dims
    dataset = 'thumos14' if name.startswith('thumos14') else 'activitynet'
    if '_bmn' not in name:
        assert model.class_agnostic == ('_external' in name)
        assert model.num_classes == (1 if '_external' in name else dict(thumos14=20, activitynet=200)[dataset])
        assert cfg.train_cfg.max_epochs == sum(step.get('T_max', step.get('end')) for step in cfg.param_scheduler)
    assert cfg.encoder_weights is None
    if name.endswith('_video'):
        check_extraction(cfg)
    assert cfg.default_hooks.results.dataset == dataset
    assert 'protocol' not in cfg.default_hooks.results
    folders = [cfg[f'{loader}_dataloader'].dataset.folder for loader in ('train', 'test')]
    root = f'embeddings/{dataset}_{encoder.spec.name}'
    assert folders == [f'{root}/multi-clip/train', f'{root}/multi-clip/val']


def test_config_of_squeezetime_fits_it():
    init_default_scope('mmaction')
    for name in ('thumos14_tal', 'thumos14_tal_video'):
        cfg = Config.fromfile(CONFIGS.parent / f'squeezetime/{name}.py')
        with torch.device('meta'):
            encoder = twlv_mm.get_model('squeezetime_r50')
            assert MODELS.build(cfg.model).num_classes == 20
        assert cfg.model.in_channels == encoder.arch.embed_dims
        assert cfg.encoder_weights is None
    check_extraction(cfg)
    assert cfg.extraction.encoder.source == 'squeezetime_r50'


@pytest.mark.parametrize(('name', 'count'), [('thumos14_tal_large', 7_351_324), ('activitynet_tal_large', 7_489_744)])
def test_model_has_the_published_codes_number_of_parameters(name, count):
    init_default_scope('mmaction')
    with torch.device('meta'):
        model = MODELS.build(Config.fromfile(CONFIGS / f'{name}.py').model)
    assert sum(parameter.numel() for parameter in model.parameters()) == count


@pytest.mark.parametrize('name', ['thumos14_tal_external', 'activitynet_tal'])
def test_training_finds_planted_actions(name, request, tmp_path):
    run = actionformer(name, request.getfixturevalue(name.split('_')[0]), tmp_path)
    launch.main_train(run)
    metrics = launch.main_test(without_seed(run))
    assert metrics['mAP'] > 0.5  # chance finds next to none of 18 actions of three classes
    results = read_results(tmp_path)
    assert results['metrics']['mAP'] == pytest.approx(100 * metrics['mAP'])
    assert results['task'] == 'localization'
    assert (results['dataset'], results['protocol']['head']) == (name.split('_')[0], 'ActionFormer')


def test_training_does_not_import_models_of_live_video(thumos14, tmp_path, imported_by):
    run = actionformer('thumos14_tal', thumos14, tmp_path, **{'train_cfg.max_epochs': 2, 'param_scheduler.1.T_max': 1})
    imported = imported_by('main_train', run)
    assert 'twlv_mm.localization' in imported
    assert not imported & {'mmdet', 'mmaction.models', 'mmaction.datasets'}


def test_run_that_was_killed_and_resumed_equals_an_uninterrupted_one(thumos14, tmp_path, monkeypatch):
    options = {'train_dataloader.num_workers': 2, 'train_cfg.max_epochs': 3, 'model.drop_path': 0.1}
    whole, killed = (actionformer('thumos14_tal', thumos14, tmp_path / part, **options) for part in ('whole', 'killed'))
    launch.main_train(whole)
    loss, calls = ActionFormer.loss, []

    def loss_until_killed(model, *batch):
        calls.append(1)
        if len(calls) > 1.5 * 6:  # in the midst of the second epoch of 6 iterations
            raise KeyboardInterrupt
        return loss(model, *batch)

    monkeypatch.setattr(ActionFormer, 'loss', loss_until_killed)
    with pytest.raises(KeyboardInterrupt):
        launch.main_train(killed)
    monkeypatch.undo()
    assert (tmp_path / 'killed/last_checkpoint').read_text().endswith('epoch_1.pth')
    launch.main_train([killed[0], '--resume', *killed[1:]])
    expected, found = (read_weights(tmp_path / part) for part in ('whole', 'killed'))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    metrics = [launch.main_test(without_seed(run)) for run in (whole, killed)]
    assert metrics[0] == metrics[1]
    assert metrics[0]['mAP'] > 0


def test_bmn_trains_proposes_and_writes_its_proposals(activitynet, tmp_path):
    run = arguments('activitynet_bmn', activitynet, tmp_path / 'run', **TINY_BMN)
    launch.main_train(run)
    metrics = launch.main_test(without_seed(run))
    (proposals,) = (tmp_path / 'run').glob('*/proposals.json')
    found = json.loads(proposals.read_text())['results']
    assert set(found) == {f'val{number}' for number in range(6)}
    assert all(0 <= end <= SECONDS for video in found.values() for item in video for end in item['segment'])
    percent = read_results(tmp_path / 'run')['metrics']
    assert 0 < metrics['AR@1'] <= metrics['AR@100'] <= 1
    assert percent['AR@100'] == pytest.approx(100 * metrics['AR@100'])
    assert 0 < percent['auc'] <= 100
