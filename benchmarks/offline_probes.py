"""Time of kNN and the linear probe on stored embeddings, against a plain script that reads one file at a time.

That script is at the end of this file, which runs as ``python offline_probes.py knn ROOT CLASSES OUT``; so that it
starts as quickly as such scripts do, only numpy and torch are imported at the top.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).parents[1]  # of the tools and configs
SPLITS = ('train', 'val')
K, TEMPERATURE, BATCH_SIZE, PLAIN_EPOCHS = 200, 0.1, 1024, 3


def plant(root, videos, queries, clips, dims, num_classes):
    """Write embeddings in TWLV-I's layout: the vector of a class plus noise for each clip.

    Args:
        root (Path): Gets ``multi-clip/train`` and ``multi-clip/val``.
        videos (int): For training.
        queries (int): Videos for validation.
        clips (int): Of a video.
        dims (int): D.
        num_classes (int): Labels are from 0 to num_classes - 1, as evenly as possible.
    """
    random = np.random.default_rng(0)
    centres = random.standard_normal((num_classes, dims), np.float32)
    for split, count in dict(train=videos, val=queries).items():
        folder = Path(root) / 'multi-clip' / split
        folder.mkdir(parents=True)
        for number in range(count):
            label = number % num_classes
            vectors = centres[label] + 4 * random.standard_normal((clips, dims), np.float32)
            np.save(folder / f'{number:06d}_c.npy', vectors)
            (folder / f'{number:06d}.json').write_text(json.dumps(dict(annotation=label)))


def benchmark_knn(root, num_classes):
    """Time kNN in clip mode: ``tools/test.py configs/twlv/k400_knn.py`` beside the plain script.

    All processes find the files in the system's cache. The config's process runs twice: the first time, it makes one
    matrix of the files; later, it maps that into memory. The parts are measured here: start-up is what is left.

    Args:
        root (Path): From :func:`plant`, with no more done to it.
        num_classes (int): As planted.

    Returns:
        dict[str, dict]: 'first', 'again' and 'plain', each with the seconds of the whole process and of its parts:
        start_up, reading, products (of all pairs, in the precision that the way computes them in), selection (with the
        votes).

    Raises:
        RuntimeError: if a process fails, or the two ways differ in a video's votes or in the accuracy.
    """
    plain_seconds = _run(__file__, 'knn', root, num_classes, root / 'plain.npz')
    options = [f'{key}.data_root={root}' for key in ('model.bank', 'test_dataloader.dataset')]
    options += [f'model.num_classes={num_classes}', f'model.k={K}', f'model.temperature={TEMPERATURE}']
    command = [ROOT / 'tools/test.py', ROOT / 'configs/twlv/k400_knn.py', '--work-dir', root / 'knn']
    whole = {when: _run(*command, '--cfg-options', *options) for when in ('first', 'again')}
    votes, reading, products, selection = _knn_parts(root, num_classes)
    with np.load(root / 'plain.npz') as plain:
        _compare(votes, plain['votes'], plain['labels'], root / 'knn')
        parts = {name: float(plain[name]) for name in ('reading', 'products', 'selection')}
    rates = {
        when: dict(seconds=whole[when], reading=reading[when], products=products, selection=selection) for when in whole
    }
    rates['plain'] = dict(seconds=plain_seconds, **parts)
    for rate in rates.values():
        rate['start_up'] = rate['seconds'] - sum(rate[name] for name in ('reading', 'products', 'selection'))
    return rates


def benchmark_linear(root, num_classes, epochs):
    """Time the linear probe: ``tools/train.py configs/twlv/k400_linear_offline.py`` beside the plain script.

    The config's process also makes the matrices, validates every 10 epochs and writes checkpoints; the plain script
    only trains. It does so for 3 epochs, and their time is scaled.

    Args:
        root (Path): From :func:`plant`.
        num_classes (int): As planted.
        epochs (int): Of the config's training, two at least; 150 are its own.

    Returns:
        dict[str, float]: seconds of the 'ours' process and of 'plain', the latter without its start-up.

    Raises:
        RuntimeError: if a process fails.
    """
    for matrix in root.glob('multi-clip/*/.*.matrix'):
        matrix.unlink()
    dims = np.load(root / 'multi-clip/train/000000_c.npy').shape[1]
    options = [f'{part}_dataloader.dataset.data_root={root}' for part in ('train', 'val', 'test')]
    options += [f'model.num_classes={num_classes}', f'model.in_channels={dims}', f'train_cfg.max_epochs={epochs}']
    warmup = max(1, epochs // 15)  # as the config has it
    options += [f'param_scheduler.{step}={warmup}' for step in ('0.end', '1.begin')]
    options += [f'param_scheduler.1.T_max={epochs - warmup}']
    command = [ROOT / 'tools/train.py', ROOT / 'configs/twlv/k400_linear_offline.py', '--work-dir', root / 'linear']
    ours = _run(*command, '--cfg-options', *options)
    _run(__file__, 'linear', root, num_classes, root / 'plain_linear.npz')
    with np.load(root / 'plain_linear.npz') as plain:
        return dict(ours=ours, plain=float(plain['seconds']) * epochs / PLAIN_EPOCHS)


def benchmark_offline(videos=12000, queries=1500, clips=5, dims=1024, num_classes=400, epochs=150):
    """Plant embeddings in a temporary folder and time both protocols on them.

    Args: see :func:`plant`; ``epochs`` are the linear probe's.

    Returns:
        tuple[dict, dict]: of :func:`benchmark_knn` and :func:`benchmark_linear`.

    Raises:
        ValueError: if there are fewer than 200 clips to be neighbours, not every class has a video, or there are fewer
            than two epochs.
        RuntimeError: see there.
    """
    if videos * clips < K or videos < num_classes:
        raise ValueError(f'{videos} videos of {clips} clips are too few for {K} neighbours and {num_classes} classes')
    if epochs < 2:
        raise ValueError(f'epochs={epochs}: the schedule, a warm-up and a cosine, needs two at least')
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        plant(root, videos, queries, clips, dims, num_classes)
        return benchmark_knn(root, num_classes), benchmark_linear(root, num_classes, epochs)


def _run(*arguments):
    """Duration in seconds of a Python file with these arguments."""
    start = time.perf_counter()
    # Isolated mode: modules in the folder of this file must not shadow others.
    isolated = ['-I'] if arguments[0] == __file__ else []
    command = [sys.executable, *isolated, *map(str, arguments)]
    done = subprocess.run(command, cwd=tempfile.gettempdir(), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f'{" ".join(command)} failed:\n{done.stderr[-3000:]}')
    return time.perf_counter() - start


def _knn_parts(root, num_classes):
    """Votes (queries, C) of the config's way, and seconds of reading, products, and selection."""
    from twlv_mm.embeddings.neighbours import GALLERY_ROWS, QUERY_ROWS
    from twlv_mm.encoders.precision import has_bf16_units
    from twlv_mm.recognition.embedding_dataset import LabelledEmbeddings
    from twlv_mm.recognition.knn import knn_votes

    for matrix in root.glob('multi-clip/*/.*.matrix'):
        matrix.unlink()
    reading = {}
    for when in ('first', 'again'):
        start = time.perf_counter()
        bank, test = (LabelledEmbeddings(f'multi-clip/{split}', 'clip', data_root=str(root)) for split in SPLITS)
        reading[when] = time.perf_counter() - start
    queries = torch.from_numpy(np.array(test.vectors))
    dtype = torch.bfloat16 if has_bf16_units() else torch.float32  # of the products that are of all pairs
    start = time.perf_counter()
    for place in range(0, len(bank.vectors), GALLERY_ROWS):
        block = torch.from_numpy(np.array(bank.vectors[place : place + GALLERY_ROWS])).to(dtype)
        for rows in queries.split(QUERY_ROWS):
            rows.to(dtype) @ block.T
    products = time.perf_counter() - start
    start = time.perf_counter()
    labels = bank.labels[bank.video_index]
    votes = knn_votes(queries, bank.vectors, labels, num_classes, K, TEMPERATURE)
    votes = votes.new_zeros(len(test), num_classes).index_add_(0, test.video_index, votes)
    return votes.numpy(), reading, products, time.perf_counter() - start - products


def _compare(ours, plain, labels, work_dir):
    apart = ~np.isclose(ours, plain, rtol=1e-3).all(axis=1)
    if apart.any():
        raise RuntimeError(f'the two ways differ in the votes of {apart.sum()} of {len(ours)} videos')
    accuracy = 100 * (plain.argmax(axis=1) == labels).mean()
    for path in work_dir.glob('*/results.json'):
        found = json.loads(path.read_text())['metrics']['acc/top1']
        if abs(found - accuracy) > 1e-3:
            raise RuntimeError(f'{path} has an accuracy of {found} %, the plain script has {accuracy} %')


def _plain_read(folder, video_id):
    with open(f'{folder}/{video_id}.json') as file:
        label = json.load(file)['annotation']
    return np.load(f'{folder}/{video_id}_c.npy'), label


def _plain_ids(folder):
    return sorted(name[: -len('_c.npy')] for name in os.listdir(folder) if name.endswith('_c.npy'))


def _plain_knn(root, num_classes):
    start = time.perf_counter()
    vectors, labels, owners = {}, {}, {}
    for split in SPLITS:
        folder = f'{root}/multi-clip/{split}'
        read = [_plain_read(folder, video_id) for video_id in _plain_ids(folder)]
        vectors[split] = torch.nn.functional.normalize(torch.from_numpy(np.concatenate([clips for clips, _ in read])))
        labels[split] = torch.tensor([label for _, label in read])
        owners[split] = torch.repeat_interleave(torch.tensor([len(clips) for clips, _ in read]))
    reading, products = time.perf_counter() - start, 0.0
    bank, bank_labels = vectors['train'].T, labels['train'][owners['train']]
    votes = torch.zeros(len(labels['val']), num_classes)
    for rows, videos in zip(vectors['val'].split(BATCH_SIZE), owners['val'].split(BATCH_SIZE), strict=True):
        before = time.perf_counter()
        cosines = rows @ bank
        products += time.perf_counter() - before
        nearest, places = cosines.topk(K, dim=1)
        of_clips = torch.zeros(len(rows), num_classes)
        of_clips.scatter_add_(1, bank_labels[places], (nearest / TEMPERATURE).exp())
        votes.index_add_(0, videos, of_clips)
    selection = time.perf_counter() - start - reading - products
    times = dict(reading=reading, products=products, selection=selection)
    return dict(votes=votes.numpy(), labels=labels['val'].numpy(), **times)


def _plain_linear(root, num_classes):
    folder = f'{root}/multi-clip/train'
    video_ids = _plain_ids(folder)
    layer = torch.nn.Linear(_plain_read(folder, video_ids[0])[0].shape[1], num_classes)
    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-3)
    start = time.perf_counter()
    for _ in range(PLAIN_EPOCHS):
        for places in torch.randperm(len(video_ids)).split(BATCH_SIZE):
            read = [_plain_read(folder, video_ids[place]) for place in places.tolist()]
            inputs = torch.from_numpy(np.stack([clips[np.random.randint(len(clips))] for clips, _ in read]))
            loss = torch.nn.functional.cross_entropy(layer(inputs), torch.tensor([label for _, label in read]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return dict(seconds=time.perf_counter() - start)


if __name__ == '__main__':
    task, root, num_classes, out = sys.argv[1:]
    np.savez(out, **dict(knn=_plain_knn, linear=_plain_linear)[task](root, int(num_classes)))
