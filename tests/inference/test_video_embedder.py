"""Further videos are embedded as those that a model was trained on, or not at all."""

import numpy as np
import pytest
import torch
from mmengine.config import Config

from twlv_mm.embeddings import EmbeddingFolder, extract_splits, shared_settings, video_grid
from twlv_mm.encoders import file_sha256, get_model
from twlv_mm.inference import VideoEmbedder
from twlv_mm.synthetic import item_rng, render_clip, write_video
from twlv_mm.video import ReadFault

ENCODER = dict(arch='twlv_small_synthetic', depth=1, allow_random=True)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """videos: one of three seconds, one shorter than a clip; an encoder's weights; a file that is no video."""
    folder = tmp_path_factory.mktemp('embedder')
    (folder / 'videos').mkdir()
    frames, *_ = render_clip(item_rng(0, 'test', 0), 'test')
    write_video(folder / 'videos/match.1.mp4', np.concatenate([frames, frames[::-1]])[:24], fps=8)
    write_video(folder / 'videos/short.mp4', frames[:5], fps=8)
    (folder / 'broken.mp4').write_text('not a video')
    torch.save(get_model('twlv_small_synthetic', depth=1).state_dict(), folder / 'encoder.pth')
    return folder


def config_of(**variables):
    # mmengine opens the file unless it has a text.
    return Config(variables, cfg_text='# of a test', filename='my_config.py')


def make_config(folder, encoder_weights=None, **changes):
    extraction = dict(
        encoder=ENCODER,
        sampling='multi-clip',
        clip_seconds=1.0,
        stride_seconds=0.5,
        batch_size=4,
        splits=dict(test=str(folder / 'videos')),
        out=str(folder / 'embeddings'),
        workers=0,
    )
    return config_of(encoder_weights=encoder_weights, extraction=extraction | changes)


@pytest.fixture(scope='module')
def extracted(folder):
    """The folder that an extraction by the config writes."""
    extract_splits(**make_config(folder).extraction)
    return EmbeddingFolder(folder / 'embeddings/multi-clip/test')


@pytest.fixture(scope='module')
def trained_on(extracted):
    infos = {video_id: extracted.info(video_id) for video_id in extracted.video_ids}
    return dict(folder='training', settings=shared_settings('training', infos))


@pytest.mark.parametrize('name', ['match.1', 'short'])
def test_video_gives_what_an_extraction_gives(folder, extracted, name):
    item, made_with = VideoEmbedder(make_config(folder), device='cpu').embed(folder / f'videos/{name}.mp4')
    feats = item.pop('feats')
    np.testing.assert_array_equal(feats, extracted.clips(name))
    grid = video_grid(extracted, name)
    assert len(feats) == grid.pop('num_clips')
    assert item == pytest.approx(dict(video_id=name, duration=extracted.info(name)['duration'], **grid))
    settings = dict(name='twlv_small_synthetic', weights_sha256=None, clip_seconds=1.0, stride_seconds=0.5)
    assert made_with['encoder'] == settings
    assert (made_with['decoder']['name'], bool(made_with['decoder']['version'])) == ('av', True)


def test_weights_given_go_before_those_of_the_config(folder):
    weights = folder / 'encoder.pth'
    path = folder / 'videos/short.mp4'
    in_variable = make_config(folder, encoder_weights=str(weights))
    in_encoder = make_config(folder, encoder=dict(ENCODER, weights=str(weights), allow_random=False))
    for cfg in (in_variable, in_encoder):
        item, made_with = VideoEmbedder(cfg, device='cpu').embed(path)
        assert made_with['encoder']['weights_sha256'] == file_sha256(weights)
    given, _ = VideoEmbedder(make_config(folder, 'gone.pth'), str(weights), 'cpu').embed(path)
    np.testing.assert_array_equal(given['feats'], item['feats'])


def test_encoder_or_clips_of_another_training_are_refused(folder, trained_on):
    VideoEmbedder(make_config(folder), device='cpu').check(trained_on, 'epoch_1.pth')
    other_encoder = VideoEmbedder(make_config(folder), str(folder / 'encoder.pth'), 'cpu')
    with pytest.raises(
        ValueError,
        match=r'(?s)epoch_1\.pth was trained on embeddings that differ .*training .*weights_sha256 \(None and',
    ):
        other_encoder.check(trained_on, 'epoch_1.pth')
    other_clips = VideoEmbedder(make_config(folder, clip_seconds=2.0), device='cpu')
    with pytest.raises(ValueError, match=r'my_config\.py .*clip_seconds \(1\.0 and 2\.0\)'):
        other_clips.check(trained_on, 'epoch_1.pth')


def test_training_of_which_nothing_is_known_is_warned_of(folder, trained_on):
    embedder = VideoEmbedder(make_config(folder), device='cpu')
    unknown = dict(trained_on, settings=dict.fromkeys(trained_on['settings']))  # as other tools write embeddings
    for said in ({}, unknown):
        with pytest.warns(UserWarning, match=r'silent\.pth does not say which embeddings it was trained on'):
            embedder.check(said, 'silent.pth')


def test_config_must_say_how_videos_are_embedded(folder):
    with pytest.raises(ValueError, match=r'my_config\.py does not say how to embed videos'):
        VideoEmbedder(config_of(model=dict()))
    with pytest.raises(ValueError, match=r"my_config\.py must have sampling='multi-clip'"):
        VideoEmbedder(make_config(folder, sampling='uniform'))


def test_encoder_without_weights_is_refused_unless_it_may_be_random(folder):
    cfg = make_config(folder, encoder=dict(ENCODER, allow_random=False))
    with pytest.raises(
        ValueError, match=r'twlv_small_synthetic of my_config\.py has no weights.*--encoder-weights PATH'
    ):
        VideoEmbedder(cfg, device='cpu')
    with pytest.raises(FileNotFoundError, match=r'no weights at gone\.pth'):
        VideoEmbedder(cfg, 'gone.pth', 'cpu')


def test_video_that_cannot_be_read_is_an_error_that_names_it(folder):
    embedder = VideoEmbedder(make_config(folder), device='cpu')
    with pytest.raises(ReadFault, match=r'broken\.mp4 cannot be decoded'):
        embedder.embed(folder / 'broken.mp4')
    with pytest.raises(FileNotFoundError, match=r'no video file at .*missing\.mp4'):
        embedder.embed(folder / 'missing.mp4')
