"""What the tests of the inferencers of localization and of segmentation share."""

import csv
import json

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, init_default_scope

from twlv_mm.encoders import file_sha256, get_model
from twlv_mm.engine import launch
from twlv_mm.synthetic import item_rng, write_video
from twlv_mm.synthetic.untrimmed import render_untrimmed
from twlv_mm.video import ReadFault

FPS = 8
EXTRACTION = """
default_scope = 'mmaction'
encoder_weights = None
extraction = dict(
    encoder=dict(arch='twlv_small_synthetic', weights=encoder_weights, depth=1, allow_random=True),
    sampling='multi-clip', clip_seconds=2.0, stride_seconds=0.5, batch_size=4,
    splits=dict(test='<folder>/videos'), out='<folder>/embeddings', workers=0)
test_cfg = dict(type='TestLoop')
"""


def write_videos(folder):
    """Write videos/match.1.mp4, of 6.25 s, videos/short.mp4, shorter than a clip, and broken.mp4, which is no video."""
    (folder / 'videos').mkdir()
    frames, _ = render_untrimmed(item_rng(0, 'test', 0), 'test')
    write_video(folder / 'videos/match.1.mp4', frames[:50], FPS)
    write_video(folder / 'videos/short.mp4', frames[20:31], FPS)
    (folder / 'broken.mp4').write_text('not a video')


def write_checkpoint(cfg, path, part, seed, std=1.0, **meta):
    """Write a checkpoint of a config's model whose parameters with ``part`` in their names are spread widely."""
    torch.manual_seed(seed)
    init_default_scope('mmaction')
    model = MODELS.build(cfg.model)
    for name, parameter in model.named_parameters():
        if part in name:
            torch.nn.init.normal_(parameter, std=std)
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return str(path)


def write_checkpoints(config, folder, **options):
    """Write epoch_1.pth, which knows the embeddings of the test, and untold.pth, which does not; returns the first."""
    cfg = Config.fromfile(config)
    untold = write_checkpoint(cfg, folder / 'untold.pth', **options)
    launch.main_test([config, untold, '--work-dir', str(folder / 'extracted')])
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    return write_checkpoint(cfg, folder / 'epoch_1.pth', **options, dataset_meta=dataset.metainfo)


def checked_result(inferencer, config, checkpoint, folder):
    """The result of the longer video, which says what it was made with."""
    path = folder / 'videos/match.1.mp4'
    result = json.loads(json.dumps(inferencer(path), allow_nan=False))
    assert result['video'] == str(path)
    assert result['duration_seconds'] == pytest.approx(50 / FPS)
    assert all(one['label'] == inferencer.classes[one['index']] for one in result['predictions'])
    assert result['model'] == dict(type=type(inferencer.model).__name__)
    assert result['encoder'] == dict(
        name='twlv_small_synthetic', weights_sha256=None, clip_seconds=2.0, stride_seconds=0.5
    )
    assert result['config'] == config
    assert result['checkpoint'] == dict(path=checkpoint, sha256=file_sha256(checkpoint))
    assert (result['decoder']['name'], bool(result['decoder']['version'])) == ('av', True)
    assert result['versions']['twlv_mm']
    return result


def check_other_encoder(inferencer, config, checkpoint, folder):
    """The encoder of another training is refused, if it is known which one it was."""
    weights = folder / 'encoder.pth'
    torch.save(get_model('twlv_small_synthetic', depth=1).state_dict(), weights)
    with pytest.raises(
        ValueError, match=r'(?s)was trained on embeddings that differ .*test .*weights_sha256 \(None and'
    ):
        inferencer(config, checkpoint, 'cpu', encoder_weights=str(weights))
    with pytest.warns(UserWarning, match=r'untold\.pth does not say which embeddings it was trained on'):
        made = inferencer(config, folder / 'untold.pth', 'cpu', encoder_weights=str(weights))
    assert made.classes == [str(number) for number in range(len(made.classes))]
    assert made(folder / 'videos/short.mp4')['encoder']['weights_sha256'] == file_sha256(weights)


def check_unreadable(inferencer, folder):
    """A video that cannot be read is an error that names it."""
    with pytest.raises(ReadFault, match=r'broken\.mp4 cannot be decoded'):
        inferencer(folder / 'broken.mp4')
    with pytest.raises(FileNotFoundError, match=r'no video file at .*missing\.mp4'):
        inferencer(folder / 'missing.mp4')


def check_summary(out):
    """The summary has a line for each segment of the results."""
    with (out / 'summary.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['video_id', 'label', 'index', 'start', 'end', 'score']
    for name in ('match.1', 'short'):
        expected = json.loads((out / f'{name}.json').read_text())['predictions']
        lines = [row for row in rows if row['video_id'] == name]
        assert [row['label'] for row in lines] == [one['label'] for one in expected]
        for key in ('start', 'end'):
            assert [float(row[key]) for row in lines] == pytest.approx([one[key] for one in expected], abs=1e-3)
