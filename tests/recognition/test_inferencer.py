"""Videos in, named classes with scores out."""

import csv
import json
from pathlib import Path

import mmengine
import numpy as np
import pytest
import torch
from mmengine.config import Config

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.encoders import file_sha256, read_config
from twlv_mm.engine import CheckpointError, launch
from twlv_mm.inference import infer_videos
from twlv_mm.recognition import RecognitionInferencer
from twlv_mm.synthetic import item_rng, render_clip, write_video
from twlv_mm.video import ReadFault, VideoError
from twlv_mm.visualization.colours import class_colour

from ..commands import run_tool
from ..inference.segments import write_checkpoint
from ..video.faults import damage_packets
from ..written import colour_mask, shades

ROOT = Path(__file__).resolve().parents[2]
CONFIG = str(ROOT / 'configs/synthetic/appearance_finetune.py')
NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Five clips, one of them below, and a file that is no video."""
    folder = tmp_path_factory.mktemp('videos')
    (folder / 'sub').mkdir()
    for index in range(5):
        frames, *_ = render_clip(item_rng(0, 'test', index), 'test', num_frames=16 + 8 * index)
        write_video(str(folder / ('sub' if index == 4 else '.') / f'clip.{index}.mp4'), frames, fps=8)
    (folder / 'broken.mp4').write_text('not a video')
    (folder / 'list.txt').write_text(''.join(f'clip.{index}.mp4 {index}\n' for index in range(4)))
    return folder


def save_checkpoint(cfg, path):
    return write_checkpoint(cfg, path, part='cls_head', seed=0, std=0.3)  # so that it tells videos apart


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    return save_checkpoint(Config.fromfile(CONFIG), tmp_path_factory.mktemp('run') / 'epoch_1.pth')


@pytest.fixture(scope='module')
def inferencer(checkpoint):
    return RecognitionInferencer(CONFIG, checkpoint, device='cpu', classes=NAMES)


def test_scores_are_those_of_a_test_run(inferencer, checkpoint, folder, tmp_path):
    options = [f'test_dataloader.dataset.data_root={folder}', 'test_dataloader.dataset.ann_file=list.txt']
    arguments = ['--work-dir', str(tmp_path), '--dump', str(tmp_path / 'dump.pkl'), '--cfg-options', *options]
    launch.main_test([CONFIG, checkpoint, *arguments])
    tested = [sample['pred_score'].numpy() for sample in mmengine.load(tmp_path / 'dump.pkl')]
    assert np.ptp(tested, axis=0).max() > 0.01
    for index, scores in enumerate(tested):
        predictions = inferencer(folder / f'clip.{index}.mp4', top_k=8)['predictions']
        assert [one['index'] for one in predictions] == np.argsort(-scores).tolist()
        np.testing.assert_allclose([one['score'] for one in predictions], -np.sort(-scores), atol=1e-6)


def test_result_says_what_it_was_made_with(inferencer, checkpoint, folder):
    result = json.loads(json.dumps(inferencer(folder / 'clip.1.mp4', top_k=3), allow_nan=False))
    assert result['video'] == str(folder / 'clip.1.mp4')
    assert result['duration_seconds'] == pytest.approx(3)
    assert len(result['predictions']) == 3
    assert all(one['label'] == NAMES[one['index']] for one in result['predictions'])
    assert result['model'] == dict(type='Recognizer3D', head='I3DHead', encoder='twlv_small_synthetic')
    assert result['config'] == CONFIG
    assert result['checkpoint'] == dict(path=checkpoint, sha256=file_sha256(checkpoint))
    assert result['decoder']['name'] == 'av'
    assert result['versions']['twlv_mm']


def test_names_come_from_the_config_or_are_numbers(checkpoint, folder):
    cfg = Config.fromfile(CONFIG)
    assert RecognitionInferencer(cfg, checkpoint, 'cpu').classes == [str(index) for index in range(8)]
    cfg.class_names = NAMES
    assert RecognitionInferencer(cfg, checkpoint, 'cpu').classes == NAMES
    assert RecognitionInferencer(cfg, checkpoint, 'cpu', classes=NAMES[::-1]).classes == NAMES[::-1]
    with pytest.raises(ValueError, match='there are 7 class names, but the model has 8 classes'):
        RecognitionInferencer(cfg, checkpoint, 'cpu', classes=NAMES[:7])


def test_names_of_the_training_list_are_in_the_checkpoint(checkpoint, tmp_path):
    saved = torch.load(checkpoint, weights_only=True)
    torch.save(saved | dict(meta=dict(dataset_meta=dict(classes=NAMES))), tmp_path / 'named.pth')
    assert RecognitionInferencer(Config.fromfile(CONFIG), tmp_path / 'named.pth', 'cpu').classes == NAMES


@pytest.mark.parametrize('name', ['k400_attentive.py', 'ek100_linear.py'])
def test_every_kind_of_probe_on_video_names_a_video(name, folder, tmp_path):
    tiny = dict(patch_size=32, embed_dims=48, depth=1, num_heads=4, allow_random=True)
    cfg = read_config(ROOT / 'configs/twlv' / name, encoder_overrides=tiny)
    checkpoint = save_checkpoint(cfg, tmp_path / 'epoch_1.pth')
    cfg.model.backbone.weights = 'gone.pth'
    predictions = RecognitionInferencer(cfg, checkpoint, 'cpu')(folder / 'clip.0.mp4', top_k=1000)['predictions']
    assert len(predictions) == cfg.model.cls_head.num_classes
    assert sum(one['score'] for one in predictions) == pytest.approx(1, abs=1e-4)


def test_folder_gives_a_file_each_a_summary_and_a_list_of_failures(inferencer, folder, tmp_path):
    (tmp_path / 'broken.json').write_text('of an earlier run')
    summary = infer_videos(inferencer, folder, tmp_path, top_k=2)
    assert summary.done == 5
    names = [*(f'clip.{index}' for index in range(4)), 'sub/clip.4']
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*.*'))
    assert written == sorted(
        ['failures.jsonl', 'summary.csv', *(f'{name}{end}' for name in names for end in ('.json', '.png'))]
    )
    with (tmp_path / 'summary.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['video_id'] for row in rows] == names
    for row in rows:
        best = json.loads((tmp_path / f'{row["video_id"]}.json').read_text())['predictions'][0]
        assert (row['label'], int(row['index'])) == (best['label'], best['index'])
    (failure,) = map(json.loads, (tmp_path / 'failures.jsonl').read_text().splitlines())
    assert failure['video_id'] == 'broken'
    assert failure['path'] == str(folder / 'broken.mp4')
    assert failure['stage'] == 'open'
    assert 'cannot be decoded' in failure['reason']


def test_picture_shows_the_frames_and_longer_bars_for_higher_scores(inferencer, folder, tmp_path):
    result = inferencer(folder / 'clip.0.mp4')
    blue = []
    for score in (0.9, 0.1):
        result['predictions'] = [dict(label='costs $5, or $6', index=0, score=score)]
        inferencer.draw(folder / 'clip.0.mp4', result, tmp_path / 'drawn.png')
        blue.append(colour_mask(tmp_path / 'drawn.png', class_colour(0), 0).sum())
    assert blue[0] > 5 * blue[1] > 0
    assert shades(tmp_path / 'drawn.png') > 500


def test_video_that_cannot_be_read_is_an_error_that_names_it(inferencer, folder):
    with pytest.raises(VideoError, match=r'broken\.mp4 cannot be decoded'):
        inferencer(folder / 'broken.mp4')
    with pytest.raises(FileNotFoundError, match=r'no video file at .*missing\.mp4'):
        inferencer(folder / 'missing.mp4')
    with pytest.raises(ValueError, match='top_k is 0; it must be 1 or more'):
        inferencer(folder / 'clip.0.mp4', top_k=0)


def test_damage_that_only_the_pipeline_meets_is_a_video_error(checkpoint, folder, tmp_path):
    cfg = Config.fromfile(CONFIG)
    inferencer = RecognitionInferencer(cfg, checkpoint, 'cpu')
    path = tmp_path / 'damaged.mp4'
    path.write_bytes(damage_packets(folder / 'clip.0.mp4', np.random.default_rng(0).bytes, slice(3, None), 0.3, 0.9))
    with pytest.raises(ReadFault, match=r'damaged\.mp4') as caught:
        inferencer(path)
    assert caught.value.stage == 'decode'


def test_checkpoint_of_another_model_or_a_damaged_one_is_refused(checkpoint, tmp_path):
    cfg = Config.fromfile(CONFIG)
    cfg.model.cls_head.num_classes = 9
    with pytest.raises(CheckpointError, match=r'epoch_1\.pth does not hold the weights of .*appearance_finetune\.py'):
        RecognitionInferencer(cfg, checkpoint, 'cpu')
    for content in (b'', b'no checkpoint', Path(checkpoint).read_bytes()[:50_000]):
        (tmp_path / 'bad.pth').write_bytes(content)
        with pytest.raises(ValueError, match=r'bad\.pth cannot be read as a checkpoint'):
            RecognitionInferencer(CONFIG, tmp_path / 'bad.pth', 'cpu')
    with pytest.raises(FileNotFoundError, match='checkpoint missing.* does not exist'):
        RecognitionInferencer(CONFIG, 'missing.pth', 'cpu')


def test_nan_scores_are_refused(checkpoint, folder, tmp_path):
    saved = load_checkpoint(checkpoint)
    saved['state_dict']['cls_head.fc_cls.bias'][0] = float('nan')
    torch.save(saved, tmp_path / 'diverged.pth')
    with pytest.raises(ValueError, match=r'clip\.0\.mp4 has NaN or infinite scores'):
        RecognitionInferencer(CONFIG, tmp_path / 'diverged.pth', 'cpu')(folder / 'clip.0.mp4')


def test_config_on_embeddings_is_refused(checkpoint):
    with pytest.raises(ValueError, match=r'k400_linear_offline\.py does not open videos'):
        RecognitionInferencer(ROOT / 'configs/twlv/k400_linear_offline.py', checkpoint, 'cpu')


def test_command_says_by_its_exit_code_what_became_of_the_videos(checkpoint, folder, tmp_path, capsys):
    names = tmp_path / 'names.txt'
    names.write_text(''.join(f'{name}\n' for name in NAMES))
    options = ['--out', tmp_path / 'out', '--classes', names, '--top-k', 2, '--device', 'cpu']
    assert run_tool('infer.py', CONFIG, checkpoint, folder / 'clip.0.mp4', *options) == 0
    predictions = json.loads((tmp_path / 'out/clip.0.json').read_text())['predictions']
    assert [one['label'] for one in predictions] == [NAMES[one['index']] for one in predictions]
    assert run_tool('infer.py', CONFIG, checkpoint, folder, *options) == 1
    assert '5 videos done' in (printed := capsys.readouterr().out)
    assert f'{folder / "broken.mp4"}: ' in printed
    assert run_tool('infer.py', CONFIG, checkpoint, folder / 'missing', *options) == 2
    assert f'error: file or folder {folder / "missing"} does not exist' in capsys.readouterr().err
    pretraining = ROOT / 'configs/synthetic/pretrain_pixels.py'
    assert run_tool('infer.py', pretraining, checkpoint, folder, *options) == 2
    assert 'is None (default_hooks.results.task)' in capsys.readouterr().err
