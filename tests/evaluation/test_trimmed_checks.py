"""The checks find what there is to find, and nothing where there is nothing."""

import numpy as np
import pytest
import torch

import twlv_mm
from twlv_mm.evaluation.trimmed_checks import (
    baselines,
    colour_histogram,
    encode_frames,
    linear_probe,
    probe_of_frames,
    read_clips,
)
from twlv_mm.synthetic import APPEARANCES, MOTIONS, item_rng, render_clip
from twlv_mm.synthetic.trimmed import make_trimmed
from twlv_mm.video import resize_and_crop


def rendered(split, number, change=lambda frames, labels: frames):
    frames, labels = [], []
    for index in range(number):
        clip, what, how = render_clip(item_rng(1, split, index), split)
        labels.append((APPEARANCES.index(what), MOTIONS.index(how)))
        frames.append(change(resize_and_crop(clip, 32), labels[-1]))
    return np.stack(frames), np.array(labels)


@pytest.fixture(scope='module')
def clips():
    return dict(train=rendered('train', 400), test=rendered('test', 200))


def test_set_is_free_of_short_cuts(clips):
    scores = baselines(clips)
    spread = 100 / np.sqrt(200)  # three standard deviations of an accuracy near 12.5 % on so few clips
    assert scores['appearance from a colour histogram'] <= 12.5 + 15 + spread
    assert scores['motion from the middle frame, linear on pixels'] <= 12.5 + 5 + spread
    assert abs(scores['motion or its opposite from the mean frame, linear on pixels'] - 50) <= 5 + 1.5 * spread


def test_histogram_counts_colours_wherever_they_are(clips):
    frames = clips['train'][0][0]
    shuffled = np.random.default_rng(1).permutation(frames.reshape(-1, 3)).reshape(frames.shape)
    np.testing.assert_array_equal(colour_histogram(frames), colour_histogram(shuffled))
    assert (colour_histogram(frames) ** 2).sum() == pytest.approx(1)


def test_short_cuts_are_found():
    def betray(frames, labels):
        frames = frames.copy()
        frames[:, :8, :8] = 32 * labels[0] + 10  # a colour for the appearance
        frames[:, 8:16, 8 * (labels[1] // 2) :][:, :, :8] = 255 * (labels[1] % 2)  # a place for the motion
        return frames

    clips = {split: rendered(split, number, betray) for split, number in (('train', 300), ('test', 60))}
    assert min(baselines(clips).values()) > 60
    assert probe_of_frames(clips, frame_encoder())[2] > 75


def test_clip_has_the_mean_embedding_of_every_second_frame_in_any_order(clips):
    encoder = frame_encoder().eval()
    frames = clips['test'][0][:5, 1:]
    found = encode_frames(frames, encoder)
    mean, std = torch.tensor(encoder.spec.mean), torch.tensor(encoder.spec.std)
    pictures = (torch.from_numpy(frames[3, ::2]) - mean) / std
    with torch.no_grad():
        expected = encoder.embed(pictures.permute(0, 3, 1, 2)[:, :, None]).mean(dim=0)
    np.testing.assert_allclose(found[3], expected, atol=1e-5)
    np.testing.assert_allclose(encode_frames(np.ascontiguousarray(frames[:, ::-1]), encoder), found, atol=1e-5)


def frame_encoder():
    torch.manual_seed(0)
    return twlv_mm.get_model('twlv_small_synthetic', num_frames=1, tubelet_size=1)


def test_linear_probe_tells_what_is_linear():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 8, 500)
    features = np.eye(8)[labels] + rng.normal(0, 0.2, (500, 8))
    logits = linear_probe(features[:400], labels[:400], features[400:])
    assert (logits.argmax(axis=1) == labels[400:]).mean() > 0.95
    alike = linear_probe(features[:400], labels[:400], features[labels == 3])  # centred as in training
    assert (alike.argmax(axis=1) == 3).all()


def test_clips_are_read_with_their_labels(tmp_path):
    make_trimmed(tmp_path / 'set', seed=1, num_train=2, num_test=3, workers=1)
    frames, labels = read_clips(tmp_path / 'set', 'test')
    true_frames, true_labels = rendered('test', 3)
    np.testing.assert_array_equal(labels, true_labels)
    assert np.abs(frames.astype(int) - true_frames).mean() < 6
