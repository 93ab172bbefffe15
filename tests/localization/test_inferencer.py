"""Videos in, actions with their times out: those that a test run finds."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine import launch
from twlv_mm.localization import LocalizationInferencer
from twlv_mm.visualization.colours import class_colour

from ..commands import run_tool
from ..inference.segments import EXTRACTION, SharedTests, write_checkpoint, write_checkpoints, write_videos
from ..written import pixels_of, shades

ROOT = Path(__file__).resolve().parents[2]
NAMES = ['serve', 'return', 'rest']
# So that it finds actions of many scores.
WIDE = dict(part='cls_head', seed=0, std=0.5)
CONFIG = """
model = dict(
    type='twlv_mm.ActionFormer', num_classes=3, in_channels=128, channels=16, arch=(1, 1, 1), window=5,
    regression_ranges=((0, 4), (4, 10000)))
test_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(type='twlv_mm.LocalizationDataset', ann_file='<folder>/actions.json',
                 folder='<folder>/embeddings/multi-clip/test', classes=['serve', 'return', 'rest'], test_mode=True,
                 pipeline=[<resize>dict(type='twlv_mm.PackLocalization')]))
test_evaluator = dict(type='twlv_mm.LocalizationMAP', ann_file='<folder>/actions.json', subset='test',
                      classes=['serve', 'return', 'rest'], iou_thresholds=[0.5])
default_hooks = dict(
    data=dict(type='twlv_mm.CheckEmbeddedVideosHook'),
    results=dict(type='twlv_mm.ResultsHook', task='localization', dataset='tiny', protocol=dict()))
"""


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """videos: one of six seconds, one shorter than a clip; their annotations; a file that is no video elsewhere."""
    folder = tmp_path_factory.mktemp('localization')
    write_videos(folder)
    actions = [dict(label='serve', segment=[1, 2])]
    videos = {name: dict(subset='test', annotations=actions) for name in ('match.1', 'short')}
    (folder / 'actions.json').write_text(json.dumps(videos))
    return folder


def write_config(folder, resize=''):
    path = folder / f'tiny{len(resize)}.py'
    path.write_text((EXTRACTION + CONFIG).replace('<folder>', str(folder)).replace('<resize>', resize))
    return str(path)


@pytest.fixture(scope='module')
def config(folder):
    return write_config(folder)


@pytest.fixture(scope='module')
def checkpoint(config, folder):
    return write_checkpoints(config, folder, **WIDE)


@pytest.fixture(scope='module')
def inferencer(config, checkpoint):
    return LocalizationInferencer(config, checkpoint, 'cpu')


@pytest.mark.parametrize('resize', ['', "dict(type='twlv_mm.ResizeFeatures', length=12), "])
def test_segments_are_those_of_a_test_run(checkpoint, folder, tmp_path, resize):
    config = write_config(folder, resize)
    launch.main_test([config, checkpoint, '--work-dir', str(tmp_path)])
    (written,) = tmp_path.glob('*/predictions.json')
    tested = json.loads(written.read_text())['results']
    inferencer = LocalizationInferencer(config, checkpoint, 'cpu')
    for name in ('match.1', 'short'):
        found = inferencer(folder / f'videos/{name}.mp4', top_k=1000, min_score=0)['predictions']
        expected = tested[name]
        assert len(found) > 1
        assert [one['label'] for one in found] == [one['label'] for one in expected]
        np.testing.assert_allclose([one['score'] for one in found], [one['score'] for one in expected], atol=1e-5)
        np.testing.assert_allclose(
            [[one['start'], one['end']] for one in found], [one['segment'] for one in expected], atol=1e-4
        )


class TestWhatAllHave(SharedTests):
    options = dict(top_k=2, min_score=0)


def test_best_segments_come_first_and_weak_ones_not_at_all(inferencer, folder):
    path = folder / 'videos/match.1.mp4'
    scores = [one['score'] for one in inferencer(path, top_k=1000, min_score=0)['predictions']]
    assert scores == sorted(scores, reverse=True)
    middle = scores[len(scores) // 2]
    assert scores[-1] < middle
    kept = inferencer(path, top_k=1000, min_score=middle)['predictions']
    assert [one['score'] for one in kept] == [score for score in scores if score >= middle]
    assert len(inferencer(path, top_k=3, min_score=0)['predictions']) == 3
    assert inferencer(path, min_score=1)['predictions'] == []
    with pytest.raises(ValueError, match='top_k is 0; it must be 1 or more'):
        inferencer(path, top_k=0)
    with pytest.raises(ValueError, match=r'min_score is 5; it must be from 0 to 1'):
        inferencer(path, min_score=5)


def test_model_without_classes_of_its_own_is_refused(config, checkpoint, folder):
    cfg = Config.fromfile(config)
    cfg.model = dict(
        type='BMN',
        temporal_dim=8,
        boundary_ratio=0.5,
        num_samples=4,
        num_samples_per_bin=2,
        feat_dim=128,
        soft_nms_alpha=0.4,
        soft_nms_low_threshold=0.5,
        soft_nms_high_threshold=0.9,
        post_process_top_k=10,
    )
    init_default_scope('mmaction')
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), folder / 'bmn.pth')
    with pytest.raises(ValueError, match=r'is a BMN: give the config of an ActionFormer'):
        LocalizationInferencer(cfg, folder / 'bmn.pth', 'cpu')


def test_external_scores_name_the_actions(config, checkpoint, folder):
    cfg = Config.fromfile(config)
    scores = folder / 'scores.json'
    scores.write_text(json.dumps({'v_match.1': [0.1, 0.2, 0.7]}))
    cfg.model.update(num_classes=1, external=dict(path=str(scores), top_k=1))
    meta = load_checkpoint(checkpoint)['meta']
    inferencer = LocalizationInferencer(cfg, write_checkpoint(cfg, folder / 'external.pth', **WIDE, **meta), 'cpu')
    assert inferencer.classes == NAMES
    found = inferencer(folder / 'videos/match.1.mp4')['predictions']
    assert {one['label'] for one in found} == {'rest'}
    with pytest.raises(ValueError, match=r'scores\.json has no scores of short'):
        inferencer(folder / 'videos/short.mp4')
    by_name = dict(results={'match.1': [dict(label='return', score=1)]})  # which needs the names of the training
    scores.write_text(json.dumps(by_name))
    inferencer = LocalizationInferencer(cfg, folder / 'external.pth', 'cpu')
    assert {one['label'] for one in inferencer(folder / 'videos/match.1.mp4')['predictions']} == {'return'}
    scores.unlink()
    with pytest.raises(FileNotFoundError, match='file of classifier scores .* does not exist'):
        LocalizationInferencer(cfg, folder / 'external.pth', 'cpu')


def test_picture_shows_the_frames_and_the_actions_in_the_colours_of_their_classes(inferencer, folder, tmp_path):
    path = folder / 'videos/match.1.mp4'
    result = inferencer(path)
    result['predictions'] = [dict(label='return', index=1, start=1.0, end=3.0, score=1.0)]
    inferencer.draw(path, result, tmp_path / 'drawn.png')
    _, columns = pixels_of(tmp_path / 'drawn.png', class_colour(1))
    assert np.ptp(columns) == pytest.approx(2 / 6.25, abs=0.05)
    assert shades(tmp_path / 'drawn.png') > 500


def test_command_takes_the_options_of_its_task(config, checkpoint, folder, tmp_path, capsys):
    options = ['--out', tmp_path / 'out', '--device', 'cpu', '--top-k', 4, '--min-score', 0]
    assert run_tool('infer.py', config, checkpoint, folder / 'videos/match.1.mp4', *options) == 0
    assert len(json.loads((tmp_path / 'out/match.1.json').read_text())['predictions']) == 4
    assert run_tool('infer.py', config, checkpoint, folder / 'broken.mp4', *options) == 1
    (failure,) = map(json.loads, (tmp_path / 'out/failures.jsonl').read_text().splitlines())
    assert (failure['video_id'], failure['stage']) == ('broken', 'open')
    recognition = ROOT / 'configs/synthetic/appearance_finetune.py'
    capsys.readouterr()
    assert run_tool('infer.py', recognition, checkpoint, folder, *options) == 2
    assert '--min-score does not apply to' in capsys.readouterr().err
    assert run_tool('infer.py', config, checkpoint, folder, *options, '--encoder-weights', 'gone.pth') == 2
    assert 'no weights at gone.pth' in capsys.readouterr().err
