"""What the tests of the inferencers of localization and of segmentation share."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, init_default_scope

from twlv_mm.encoders import file_sha256, get_model
from twlv_mm.engine import launch
from twlv_mm.inference import infer_videos
from twlv_mm.synthetic import item_rng, write_video
from twlv_mm.synthetic.untrimmed import render_untrimmed
from twlv_mm.video import ReadFault

from ..written import read_csv

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


class SharedTests:
    """Tests of an inferencer of segments, for a subclass in a file with the fixtures that they ask for."""

    options = {}  # with which every video has segments

    def test_result_says_what_it_was_made_with(self, inferencer, config, checkpoint, folder):
        path = folder / 'videos/match.1.mp4'
        result = json.loads(json.dumps(inferencer(path), allow_nan=False))
        assert result['video'] == str(path)
        assert result['duration_seconds'] == pytest.approx(50 / FPS)
        for one in result['predictions']:
            assert one['label'] == inferencer.classes[one['index']]
            assert 0 <= one['start'] <= one['end'] <= 50 / FPS + 1e-6
            assert 0 <= one['score'] <= 1
        assert result['model'] == dict(type=type(inferencer.model).__name__)
        assert result['encoder'] == dict(
            name='twlv_small_synthetic', weights_sha256=None, clip_seconds=2.0, stride_seconds=0.5
        )
        assert result['config'] == config
        assert result['checkpoint'] == dict(path=checkpoint, sha256=file_sha256(checkpoint))
        assert (result['decoder']['name'], bool(result['decoder']['version'])) == ('av', True)
        assert result['versions']['twlv_mm']

    def test_names_are_those_given_or_of_the_training(self, inferencer, config, checkpoint, tmp_path):
        make, count = partial(type(inferencer), config, checkpoint, 'cpu'), len(inferencer.classes)
        assert make().classes == ['serve', 'return', 'rest', 'background'][:count]
        names = [f'class {number}' for number in range(count)]
        (tmp_path / 'names.txt').write_text('\n'.join(names))
        assert make(classes=names).classes == make(classes=str(tmp_path / 'names.txt')).classes == names
        with pytest.raises(ValueError, match=f'there are 2 class names, but the model has {count} classes'):
            make(classes=['a', 'b'])

    def test_encoder_of_another_training_is_refused_if_it_is_known(self, inferencer, config, checkpoint, folder):
        weights, kind = folder / 'encoder.pth', type(inferencer)
        torch.save(get_model('twlv_small_synthetic', depth=1).state_dict(), weights)
        differ = r'(?s)was trained on embeddings that differ .*test .*weights_sha256 \(None and'
        with pytest.raises(ValueError, match=differ):
            kind(config, checkpoint, 'cpu', encoder_weights=str(weights))
        with pytest.warns(UserWarning, match=r'untold\.pth does not say which embeddings it was trained on'):
            made = kind(config, folder / 'untold.pth', 'cpu', encoder_weights=str(weights))
        assert made.classes == [str(number) for number in range(len(made.classes))]
        assert made(folder / 'videos/short.mp4')['encoder']['weights_sha256'] == file_sha256(weights)

    def test_video_that_cannot_be_read_is_an_error_that_names_it(self, inferencer, folder):
        with pytest.raises(ReadFault, match=r'broken\.mp4 cannot be decoded'):
            inferencer(folder / 'broken.mp4')
        with pytest.raises(FileNotFoundError, match=r'no video file at .*missing\.mp4'):
            inferencer(folder / 'missing.mp4')

    def test_folder_gives_a_line_a_segment(self, inferencer, folder, tmp_path):
        assert infer_videos(inferencer, folder / 'videos', tmp_path, **self.options).done == 2
        header, *rows = read_csv(tmp_path / 'summary.csv')
        assert header == ['video_id', 'label', 'index', 'start', 'end', 'score']
        for name in ('match.1', 'short'):
            expected = json.loads((tmp_path / f'{name}.json').read_text())['predictions']
            lines = [row for row in rows if row[0] == name]
            assert [row[1] for row in lines] == [one['label'] for one in expected]
            times = [[float(one) for one in row[3:5]] for row in lines]
            np.testing.assert_allclose(times, [[one['start'], one['end']] for one in expected], atol=1e-3)
