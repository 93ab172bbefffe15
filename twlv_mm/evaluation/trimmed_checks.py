"""Whether the trimmed set measures what it says: what can be told without looking properly, and what by looking."""

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
# What is measured -> (chance, lowest, highest), in percent unless said.
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
    """Render a set, and measure everything in :data:`LIMITS` on it.

    Args:
        work_dir (str): For the set and the runs; those of a set and seed that are there are not run again.
        configs (str): Folder of the synthetic configs.
        seed (int): Of the set and of the training runs.
        num_train (int): Training clips.
        num_test (int): Test clips.

    Returns:
        dict[str, float]: a key of :data:`LIMITS` -> what was measured.
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
    """What needs no encoder: the colour histogram on appearance, the middle and the mean frame on motion.

    Args:
        clips (dict): Of 'train' and 'test', what :func:`read_clips` gives.

    Returns:
        dict[str, float]: a key of :data:`LIMITS` -> percent.
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
        'motion or its opposite from the mean frame, linear on pixels': told_from_opposite(by_mean, true_how),
    }


def read_clips(folder, split):
    """Read a split of the trimmed set.

    Args:
        folder (str): The set.
        split (str): 'train' or 'test'.

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
    """Root of the share of each of 8 x 8 x 8 colours in a clip: (T, H, W, 3) uint8 -> (512,) float64."""
    codes = (frames >> 5).astype(np.int64) @ np.array([64, 8, 1])
    return np.sqrt(np.bincount(codes.ravel(), minlength=512) / codes.size)


def probe_of_frames(clips, encoder, every=2):
    """What the mean over frames that an encoder sees one by one tells, by a linear probe.

    Args:
        clips (dict): As for :func:`baselines`.
        encoder (nn.Module): An encoder of this package; one of videos is shown each frame as a still video.
        every (int): Distance of the frames that are encoded.

    Returns:
        tuple[float, float, float]: percent of appearances, of motions, and of motions told from their opposites.
    """
    features = {split: encode_frames(frames, encoder, every) for split, (frames, _) in clips.items()}
    (what, how), (true_what, true_how) = clips['train'][1].T, clips['test'][1].T
    by_what, by_how = (linear_probe(features['train'], labels, features['test']) for labels in (what, how))
    accuracies = (_percent(by_what.argmax(axis=1) == true_what), _percent(by_how.argmax(axis=1) == true_how))
    return *accuracies, told_from_opposite(by_how, true_how)


def encode_frames(frames, encoder, every=2, batch_size=32):
    """Mean over every n-th frame of a clip of its embedding: (N, T, 32, 32, 3) uint8 -> (N, D) float32."""
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
    """Logistic regression on centred features, divided by one number for all of them.

    Not by one for each: a colour that is rare in training would weigh the more where it is common.

    Args:
        train_features (ndarray): (N, D).
        train_labels (ndarray): (N,) int64, eight classes.
        test_features (ndarray): (M, D).

    Returns:
        ndarray: (M, 8) logits.
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
    """Train and test as tools/train.py and tools/test.py do, in a folder of the config's name; done once only.

    Args:
        config (Path): One of the synthetic configs.
        folder (Path): Holds the set in ``trimmed``.
        seed (int): Of the training run.

    Returns:
        tuple[ndarray, Path]: (N, classes) scores of the test clips in the order of their list; the checkpoint.
    """
    work_dir = folder / config.stem
    predictions = work_dir / 'predictions.pkl'
    options = ['--work-dir', str(work_dir), '--cfg-options']
    options += [f'{split}_dataloader.dataset.data_root={folder / "trimmed"}' for split in ('train', 'test')]
    if predictions.exists():
        print(f'{work_dir} was trained and tested before: its scores are taken. Remove it to run it again.')
    else:
        start = time.perf_counter()
        launch.main_train([str(config), '--seed', str(seed), *options])
        write_json(work_dir / SECONDS, round(time.perf_counter() - start, 1))
        checkpoint = (work_dir / 'last_checkpoint').read_text()
        launch.main_test([str(config), checkpoint, '--dump', str(predictions), *options])
    scores = [sample['pred_score'].numpy() for sample in mmengine.load(predictions)]
    return np.stack(scores), (work_dir / 'last_checkpoint').read_text()


def told_from_opposite(logits, motions):
    """How often a motion has a higher score than its opposite.

    Args:
        logits (ndarray): (N, 8) scores of the motions.
        motions (ndarray): (N,) int, the true ones.

    Returns:
        float: percent of the clips; chance is 50.
    """
    opposites = np.array([MOTIONS.index(OPPOSITES[motion]) for motion in MOTIONS])[motions]
    rows = np.arange(len(motions))
    return _percent(logits[rows, motions] > logits[rows, opposites])


def _percent(hits):
    return 100 * float(hits.mean())
