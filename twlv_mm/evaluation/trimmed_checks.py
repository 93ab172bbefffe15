"""Checks of the generated trimmed set: shortcuts must fail on it, and an encoder that sees motion must succeed."""

import json
import time
from pathlib import Path

import mmengine
import numpy as np
import torch

from twlv_mm.encoders import get_model
from twlv_mm.engine import launch
from twlv_mm.records import write_json
from twlv_mm.synthetic.scene import APPEARANCES, MOTIONS, OPPOSITES
from twlv_mm.synthetic.trimmed import make_trimmed
from twlv_mm.video import open_video, resize_and_crop

SIZE = 32  # pixels, what the small encoder sees
SECONDS = 'training_seconds.json'
# Measurement -> (chance, lowest, highest), in percent unless stated.
LIMITS = {
    'appearance from a colour histogram': (12.5, None, 27.5),
    'motion from the middle frame, linear on pixels': (12.5, None, 17.5),
    'motion or its opposite from the mean frame, linear on pixels': (50.0, 45.0, 55.0),
    'motion from the middle frame, small encoder': (12.5, None, 17.5),
    'motion or its opposite, mean over encoded frames': (50.0, 45.0, 55.0),
    'appearance, small encoder fine-tuned': (12.5, 80.0, None),
    'motion, small encoder fine-tuned': (12.5, 80.0, None),
    'fine-tuning, seconds': (None, None, 180.0),
}


def check(work_dir, configs, seed, num_train=3000, num_test=600):
    """Render a set and measure everything in :data:`LIMITS` on it.

    Args:
        work_dir (str): Folder of the set and the runs; finished runs of the same set and seed are reused.
        configs (str): Folder of the synthetic configs.
        seed (int): Seed of the set and of the training runs.
        num_train, num_test (int): Numbers of clips.
    """
    folder = Path(work_dir) / f'seed_{seed}'
    make_trimmed(folder / 'trimmed', seed, num_train, num_test)
    clips = {split: read_clips(folder / 'trimmed', split) for split in ('train', 'test')}
    what, how = clips['test'][1].T
    both, _ = train_and_test(Path(configs) / 'both_finetune.py', folder, seed)
    single, checkpoint = train_and_test(Path(configs) / 'motion_single_frame.py', folder, seed)
    frames_encoder = get_model('twlv_small_synthetic', checkpoint, num_frames=1, tubelet_size=1)
    return baselines(clips) | {
        'motion from the middle frame, small encoder': _percent(single.argmax(axis=1) == how),
        'motion or its opposite, mean over encoded frames': probe_of_frames(clips, frames_encoder)[2],
        'appearance, small encoder fine-tuned': _percent(both[:, : len(APPEARANCES)].argmax(axis=1) == what),
        'motion, small encoder fine-tuned': _percent(both[:, len(APPEARANCES) :].argmax(axis=1) == how),
        'fine-tuning, seconds': json.loads((folder / 'both_finetune' / SECONDS).read_text()),
    }


def baselines(clips):
    """Baselines without an encoder: colour histograms for appearance, the middle and the mean frame for motion.

    ``clips`` holds what :func:`read_clips` returns for 'train' and 'test'.
    """
    (what, how), (true_what, true_how) = clips['train'][1].T, clips['test'][1].T

    def logits(feature, labels):
        train, test = (np.stack([feature(clip) for clip in clips[split][0]]) for split in ('train', 'test'))
        return linear_probe(train, labels, test)

    by_colours = logits(colour_histogram, what).argmax(axis=1)
    by_middle = logits(lambda clip: clip[len(clip) // 2, ::2, ::2].ravel(), how).argmax(axis=1)
    by_mean = logits(lambda clip: clip[:, ::2, ::2].mean(axis=0).ravel(), how)
    return {
        'appearance from a colour histogram': _percent(by_colours == true_what),
        'motion from the middle frame, linear on pixels': _percent(by_middle == true_how),
        'motion or its opposite from the mean frame, linear on pixels': opposite_accuracy(by_mean, true_how),
    }


def read_clips(folder, split):
    """Read a split of the trimmed set.

    Returns:
        tuple[ndarray, ndarray]: (N, T, 32, 32, 3) uint8 RGB; (N, 2) int64, classes of appearance and motion.
    """
    lines = [line.split() for line in (Path(folder) / f'{split}_both.txt').read_text().splitlines()]
    frames = []
    for file, *_ in lines:
        with open_video(Path(folder) / file) as reader:
            frames.append(resize_and_crop(reader.read(range(len(reader.frame_times))), SIZE))
    labels = np.array([[int(what), int(how) - len(APPEARANCES)] for _, what, how in lines])
    return np.stack(frames), labels


def colour_histogram(frames):
    """Square root of the share of each of 8 x 8 x 8 colours in a clip: (T, H, W, 3) uint8 -> (512,) float64."""
    codes = (frames >> 5).astype(np.int64) @ np.array([64, 8, 1])
    return np.sqrt(np.bincount(codes.ravel(), minlength=512) / codes.size)


def probe_of_frames(clips, encoder, every=2):
    """Linear probes on the mean embedding of single frames.

    Args:
        clips (dict): As for :func:`baselines`.
        encoder (nn.Module): An encoder of this package; a video encoder is given each frame as a still video.
        every (int): Stride of the encoded frames.

    Returns:
        tuple[float, float, float]: accuracy in percent on appearance, on motion, and on a motion against its opposite.
    """
    features = {split: encode_frames(frames, encoder, every) for split, (frames, _) in clips.items()}
    (what, how), (true_what, true_how) = clips['train'][1].T, clips['test'][1].T
    by_what, by_how = (linear_probe(features['train'], labels, features['test']) for labels in (what, how))
    accuracies = (_percent(by_what.argmax(axis=1) == true_what), _percent(by_how.argmax(axis=1) == true_how))
    return *accuracies, opposite_accuracy(by_how, true_how)


def encode_frames(frames, encoder, every=2, batch_size=32):
    """Mean embedding over every n-th frame of a clip: (N, T, 32, 32, 3) uint8 -> (N, D) float32."""
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in (encoder.spec.mean, encoder.spec.std))
    encoder.eval()
    vectors = []
    with torch.inference_mode():
        for batch in torch.from_numpy(frames[:, every // 2 - 1 :: every]).split(batch_size):
            images = batch.flatten(0, 1).permute(0, 3, 1, 2)[:, :, None].expand(-1, -1, encoder.spec.num_frames, -1, -1)
            embeddings = encoder.embed((images.float() - mean) / std)
            vectors.append(embeddings.unflatten(0, batch.shape[:2]).mean(dim=1))
    return torch.cat(vectors).numpy()


def linear_probe(train_features, train_labels, test_features):
    """(M, 8) logits of logistic regression on centred features, (N, D) and (M, D), all scaled by one number.

    A scale for each feature would give weight to colours that are rare in training and common in the test.
    """
    train, test = (torch.from_numpy(np.asarray(f, np.float32)) for f in (train_features, test_features))
    train, test = train - train.mean(dim=0), test - train.mean(dim=0)
    train, test = train / train.std(), test / train.std()
    labels = torch.from_numpy(train_labels)
    layer = torch.nn.Linear(train.shape[1], 8)
    torch.nn.init.zeros_(layer.weight)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=100, line_search_fn='strong_wolfe')

    def closure():
        optimizer.zero_grad()
        # From 1e-4 to 1e-2 the baselines differ by less than four points.
        loss = torch.nn.functional.cross_entropy(layer(train), labels) + 1e-3 * layer.weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.inference_mode():
        return layer(test).numpy()


def train_and_test(config, folder, seed):
    """Train and test a synthetic config on the set in ``<folder>/trimmed``, unless that has been done.

    Returns:
        tuple[ndarray, Path]: (N, classes) scores of the test clips in the order of their list; the checkpoint.
    """
    work_dir = folder / config.stem
    predictions = work_dir / 'predictions.pkl'
    options = ['--work-dir', str(work_dir), '--cfg-options']
    options += [f'{split}_dataloader.dataset.data_root={folder / "trimmed"}' for split in ('train', 'test')]
    if predictions.exists():
        print(f'{work_dir} has been trained and tested: its scores are reused. Remove it to run it again.')
    else:
        start = time.perf_counter()
        launch.main_train([str(config), '--seed', str(seed), *options])
        write_json(work_dir / SECONDS, round(time.perf_counter() - start, 1))
        checkpoint = (work_dir / 'last_checkpoint').read_text()
        launch.main_test([str(config), checkpoint, '--dump', str(predictions), *options])
    scores = [sample['pred_score'].numpy() for sample in mmengine.load(predictions)]
    return np.stack(scores), (work_dir / 'last_checkpoint').read_text()


def opposite_accuracy(logits, motions):
    """Percentage of clips whose motion has a higher score than its opposite; chance is 50.

    Args:
        logits (ndarray): (N, 8) scores of the motions.
        motions (ndarray): (N,) int, the true ones.
    """
    opposites = np.array([MOTIONS.index(OPPOSITES[motion]) for motion in MOTIONS])[motions]
    rows = np.arange(len(motions))
    return _percent(logits[rows, motions] > logits[rows, opposites])


def _percent(hits):
    return 100 * float(hits.mean())
