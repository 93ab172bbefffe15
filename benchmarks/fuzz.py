#!/usr/bin/env python
# ruff: noqa: E501  a reader a line
"""Fuzz every reader of untrusted files with damaged and hostile files, and count the outcomes.

A reader may read a file or raise a ValueError, FileNotFoundError or UnpicklingError that names the file. Anything else
is a failure: another exception, more than 10 seconds, more than 2 GB, a crash of the process.
"""

import argparse
import collections
import io
import json
import multiprocessing
import pickle
import random
import re
import resource
import shutil
import signal
import sys
import tarfile
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import mmengine
import numpy as np
import torch
from safetensors.torch import save_file

from twlv_mm.detection.ava_annotations import read_action_names, read_ava_csv, read_ava_predictions, read_excluded
from twlv_mm.detection.proposals import read_proposals
from twlv_mm.embeddings import EmbeddingFolder, find_videos, load_matrix, verify
from twlv_mm.embeddings.manifest import read_failures, read_manifest
from twlv_mm.encoders import describe, read_checkpoint
from twlv_mm.encoders.hf_files import weight_files
from twlv_mm.engine import folds
from twlv_mm.localization import ExternalScores, read_annotations
from twlv_mm.pretraining import FileListDataset, ShardDataset
from twlv_mm.pretraining.shards import TarBackend, index_path, index_shard
from twlv_mm.recognition import datasets
from twlv_mm.recognition import predictions as recognized
from twlv_mm.recognition.datasets.own_videos import videos_of_table
from twlv_mm.records import read_class_names
from twlv_mm.records.annotations import (
    Clock,
    Import,
    Media,
    read_annotation_files,
    write_annotation_table,
    write_cvat,
    write_elan,
)
from twlv_mm.report.errors.localization import localization_errors
from twlv_mm.report.run_records import find_runs, name_encoders
from twlv_mm.report.tables import fill_tables
from twlv_mm.segmentation import read_predictions
from twlv_mm.segmentation.labels import read_labels, read_mapping, read_split
from twlv_mm.synthetic import build, write_video
from twlv_mm.synthetic.build import GENERATOR_VERSION
from twlv_mm.video import open_video

SECONDS, BYTES = 10, 2 << 30
OUTCOMES = ('read', 'refused', 'raw exception', 'unnamed', 'hang', 'memory', 'crash')
VALUES = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -0.5, 1e-300, 1e308, 1e9, '', ' ', '0', '1_000', '٣'),
    *('nan', '../../x', '/etc/passwd', 'a\x00b', 'a\x1b[2Jb', '\ud800', '=1+1', '[/x]', 'x' * 5000, [], {}, [[]]),
    *([0], {'': 0}, [None], [True, True], float('nan'), float('inf'), -float('inf')),
)
NUMBERS = b'-1 0 1 1e308 1e999 -0 nan inf 1_000 9223372036854775808 -9223372036854775808 0x10 1e9 \xd9\xa3'.split()
TOKENS = (b'\0', b'\xff\xfe', b'\xed\xa0\x80', b'"', b'{', b'[' * 50_000, b'\r', b'\n', b',', b'\t', b'\x1b[2J', b'../')


class Reader:
    """A reader, the small file that is mutated, and the files around it.

    Args:
        name (str): Name of the file below the folder.
        content (bytes | str | Any): Its content; anything but bytes and text becomes JSON.
        read (Callable): Folder and path -> anything.
        around (dict[str, Any]): Further files, name -> content.
    """

    def __init__(self, name, content, read, around=None):
        self.name, self.content, self.read = name, _bytes(content), read
        self.around = {name: _bytes(content) for name, content in (around or {}).items()}


def readers(folder):
    """All readers by name; ``folder`` is empty, and gets the files that are not written by hand."""
    action = dict(label='run', segment=[0.5, 1.5], label_id=0)
    videos = {'v_1': dict(subset='train', duration=9.5, annotations=[action]), 'v_2': dict(annotations=[])}
    scores = {'v_1': [0.2, 0.7], 'v_2': [0.9, 0.1]}
    by_name = {'results': {'v_1': [dict(label='run', score=0.5), dict(label='sit', score=0.1)]}}
    boxes = {'a,0902': [[0.1, 0.2, 0.3, 0.4, 0.9]], 'b,0903': [[0, 0, 1, 1, 0.5]]}
    ava = 'a,0902,0.1,0.2,0.3,0.4,12,7\nb,902.5,0,0,1,1,80,1\nb,0903\n'
    segments = [[0, 0, 3], [1, 3, 5]]
    video = dict(fps=15.0, num_frames=5, truth=segments, predicted=segments)
    run = dict(
        *[dict(schema_version=1, task='recognition_linear', dataset='k400', protocol={}, metrics={'acc/top1': 50.0})],
        encoder=dict(name='twlv_base', weights_sha256='ab' * 32, params=1, pretraining_sets=['k400']),
        **dict(date='2026-01-01T10:00:00+00:00', config=dict(path='x.py'), seed=0, wall_seconds=1.5),
    )
    view = dict(title='x', folder='y', ann_file='z.txt', class_names=None)
    evaluation = dict(encoder='e', tasks=[dict(task='t', status='failed', reason='r')], views=[view])
    fold = {'config': 'text', 'folds': {'1': run}}
    info = dict(duration=2.0, clips=[dict(start=0.0, end=1.0), dict(start=1.0, end=2.0)], num_frames=60)
    failures = ''.join(
        json.dumps(dict(video_id=name, path=f'{name}.mp4', stage='open', reason='no')) + '\n' for name in 'abc'
    )
    kinetics = 'label,youtube_id,time_start,time_end,split\nrun,-a_1,5,15,train\n"sit, down",b,120,130,train\n'
    epic = 'video_id,start_timestamp,stop_timestamp,verb_class,noun_class\nP01_01,00:00:00.14,00:00:03.37,0,1\n'
    array = np.arange(8, dtype=np.float32).reshape(2, 4)
    vectors = {'v.json': info, 'v_c.npy': _npy(array), 'v_v.npy': _npy(array.mean(0))}
    manifest = dict(schema_version=1, settings=[dict(model='m', clip_seconds=1.0)], videos=['v'])
    features = dict(layout='TD', dims=4, feat_stride=4, num_frames=16, default_fps=25.0, fps=dict(a=30), model='i3d')
    pickled = dict(a=[1, 2.5, ('b', None)], b={3}, array=array, scalar=np.float32(1), tensor=torch.ones(2))
    # fmt: off
    found = {
        'annotations': Reader('a.json', dict(database=videos), lambda _, path: read_annotations(path)),
        'annotations, list': Reader('a.json', [dict(video_id='v', **videos['v_1'])], lambda _, path: read_annotations(path)),
        'scores json': Reader('s.json', scores, lambda _, path: ExternalScores(path, ['run', 'sit'])),
        'scores by name': Reader('s.json', by_name, lambda _, path: ExternalScores(path, ['run', 'sit'])),
        'scores pickle': Reader('s.pkl', pickle.dumps(scores), lambda _, path: ExternalScores(path)),
        'scores npz': Reader('s.npz', _npz(folder, scores), lambda _, path: ExternalScores(path)),
        'AVA csv': Reader('a.csv', ava, lambda _, path: read_ava_csv(path)),
        'AVA excluded': Reader('e.csv', 'a,0902\nb,903.25\n', lambda _, path: read_excluded(path)),
        'AVA actions': Reader('n.pbtxt', 'item {\n  name: "sit"\n  id: 11\n}\n', lambda _, path: read_action_names(path)),
        'proposals json': Reader('p.json', boxes, lambda _, path: read_proposals(path)),
        'proposals pickle': Reader(
            'p.pkl', pickle.dumps({key: np.array(rows) for key, rows in boxes.items()}), lambda _, path: read_proposals(path)
        ),
        'mapping': Reader('mapping.txt', '0 run\n1 sit down\n', lambda root, _: read_mapping(root)),
        'labels': Reader('groundTruth/v.txt', 'run\nrun\nsit\n', lambda root, _: read_labels(root, 'v', ['run', 'sit'])),
        'bundle': Reader('splits/train.split1.bundle', 'a.txt\nb.txt\n', lambda root, _: read_split(root, 'train', 1)),
        'predictions': Reader(
            'p.json',
            dict(version=1, classes=['run', 'sit'], background=['sit'], videos=dict(v=video)),
            lambda _, path: read_predictions(path),
        ),
        'predictions of recognition': Reader(
            'p.json',
            dict(version=1, classes=['run', 'sit'], samples=[dict(video_id='v', truth=0, best=[[1, 0.5]], start=0, end=1)]),
            lambda _, path: recognized.read_predictions(path),
        ),
        'predictions of localization': Reader(
            'p.json',
            dict(results=dict(v=[action | dict(score=0.5)]), external_data=dict(truth=dict(v=[action]))),
            lambda _, path: localization_errors(path),
        ),
        'predictions of boxes': Reader(
            'p.csv', 'a,0902,0.1,0.2,0.3,0.4,12,0.5\nb,902.5,0,0,1,1,80,1\n', lambda _, path: read_ava_predictions(path)
        ),
        'class names': Reader('c.txt', 'run\nsit\n', lambda _, path: read_class_names(path)),
        'results.json': Reader('r/results.json', run, lambda root, _: _read_runs(root)),
        'evaluation.json': Reader('r/evaluation.json', evaluation, lambda root, _: _read_runs(root)),
        'folds.json': Reader('folds.json', fold, lambda _, path: folds._read_finished(str(path), 'text')),
        'own table': Reader(
            't.csv', 'file,label,start,end,who\na,run,0.5,1.5,x\nb.mp4,sit,1,2,y\n', lambda root, path: videos_of_table(path, root), {'a.mp4': b'x', 'b.mp4': b'x'}
        ),
        'own table json': Reader(
            't.json', [dict(path='a', label='run', split='train'), dict(path='b.mp4', label=3, split='val')],
            lambda root, path: videos_of_table(path, root), {'a.mp4': b'x', 'b.mp4': b'x'},
        ),
        'list': Reader('l.txt', 'a/b c.mp4 0\nd.mp4 1\n', lambda _, path: datasets.read_list(str(path))),
        'list of segments': Reader('l.txt', 'a.mp4 0.5 1.25 0\n', lambda _, path: datasets.read_list(str(path), True)),
        'videos txt': Reader('l.txt', 'a.mp4 0\nb.mp4 0.5 1.5 1\n', lambda _, path: find_videos(str(path))),
        'videos json': Reader('l.json', dict(database=videos | {'v_2': videos['v_1']}), lambda _, path: find_videos(str(path))),
        'videos csv': Reader('l.csv', ava, lambda _, path: find_videos(str(path))),
        'Kinetics': Reader('train.csv', kinetics, _data_set(datasets.KINETICS400), {'val.csv': kinetics}),
        'SSv2': Reader(
            'train.json', [dict(id='1', template='Put [x] down')], _data_set(datasets.SSV2),
            {'labels.json': {'Put x down': '0'}, 'validation.json': []},
        ),
        'SSv2 labels': Reader(
            'labels.json', {'Put x down': '0'}, _data_set(datasets.SSV2),
            {'train.json': [dict(id='1', template='Put [x] down')], 'validation.json': []},
        ),
        'Diving48': Reader(
            'Diving48_V2_train.json', [dict(vid_name='a', label=0)], _data_set(datasets.DIVING48),
            {'Diving48_V2_test.json': [], 'Diving48_vocab.json': [['a', 'b', 'c', 'd']]},
        ),
        'MiT': Reader(
            'trainingSet.csv', 'run/a.mp4,run,3,0\n', _data_set(datasets.MIT),
            {'validationSet.csv': '', 'moments_categories.txt': 'run,0\n'},
        ),
        'HMDB51': Reader('run_test_split1.txt', 'a.avi 1\nb.avi 2\n', _data_set(datasets.HMDB51)),
        'EPIC-KITCHENS': Reader(
            'EPIC_100_train.csv', epic, _data_set(datasets.EPIC_KITCHENS100),
            {'EPIC_100_validation.csv': epic, 'EPIC_100_verb_classes.csv': 'id,key\n0,cut\n',
             'EPIC_100_noun_classes.csv': 'id,key\n0,door\n1,tap\n'},
        ),
        'ELAN': Reader('a.eaf', _example('kitchen.eaf'), _annotations),
        'CVAT video': Reader('a.xml', _example('cvat_video.xml'), _annotations),
        'CVAT images': Reader('a.xml', _example('cvat_images.xml'), _annotations),
        'Label Studio': Reader('a.json', _example('label_studio.json'), _annotations),
        'VIA': Reader('a.json', _example('via.json'), _annotations),
        'segments csv': Reader('a.csv', 'video,label,start,end,score\na.mp4,run,0.5,1.5,0.9\na.mp4,sit,2,3,\n', _annotations),
        'boxes csv': Reader('a.csv', 'video,time,x1,y1,x2,y2,label\na.mp4,0.5,0.1,0.1,0.5,0.5,run\n', _annotations),
        'inferred segments': Reader(
            'a.json', dict(video='a.mp4', duration_seconds=3.0, predictions=[dict(action, index=0, start=0.5, end=1.5, score=0.5)]), _annotations
        ),
        'inferred boxes': Reader(
            'a.json', dict(video='a.mp4', duration_seconds=3.0, size=[20, 10], keyframes=[
                dict(time=1.0, predictions=[dict(box=[0, 0, 1, 1], actions=[dict(label='run', score=0.5)])])]), _annotations
        ),
        'failures.jsonl': Reader('failures.jsonl', failures, lambda root, _: read_failures(str(root))),
        'embedding json': Reader('v.json', info, _embedding, {'v_c.npy': _npy(array), 'v_v.npy': _npy(array[0])}),
        'embedding npy': Reader('v_c.npy', _npy(array), _embedding, {'v.json': info, 'v_v.npy': _npy(array[0])}),
        'features npy': Reader('a.npy', _npy(array), _embedding, {'twlv_features.json': features}),
        'features npz': Reader('a.npz', _npz(folder, dict(a=array)), _embedding, {'twlv_features.json': features}),
        'features pt': Reader('a.pt', _pt(folder, array), _embedding, {'twlv_features.json': features}),
        'twlv_features.json': Reader('twlv_features.json', features, _embedding, {'a.npy': _npy(array)}),
        'checkpoint pth': Reader('w.pth', _pth(folder), lambda _, path: read_checkpoint(str(path))),
        'checkpoint of old torch': Reader('w.pth', _pth(folder, False), lambda _, path: read_checkpoint(str(path))),
        'mmengine.load': Reader('p.pkl', pickle.dumps(pickled, 2), lambda _, path: mmengine.load(path)),
        'manifest': Reader('manifest.json', manifest, lambda root, _: read_manifest(root)),
        'matrix': Reader('.matrix-video.json', dict(fingerprint='', counts=[1], crc32=0), lambda root, _: load_matrix(str(root)), vectors),
        'verify, json': Reader('v.json', info, lambda root, _: verify(str(root)), vectors | {'manifest.json': manifest}),
        'verify, npy': Reader('v_c.npy', _npy(array), lambda root, _: verify(str(root)), vectors | {'manifest.json': manifest}),
        'verify, manifest': Reader('manifest.json', manifest, lambda root, _: verify(str(root)), vectors),
        'ImageNet': Reader(
            'LOC_val_solution.csv', 'ImageId,PredictionString\na,n01 1 2 3 4 n01 1 2 3 4\nb,n02 1 2 3 4\n',
            _data_set(datasets.IMAGENET1K), {f'train/{name}/a.jpeg': b'x' for name in ('n01', 'n02')} | {'val/a.jpeg': b'x'},
        ),
        'shard': Reader('s.tar', _tar(folder)[0], lambda _, path: index_shard(str(path))),
        'index of a shard': Reader(
            's.tar.index.npy', _tar(folder)[1], lambda root, _: _read_shard(root / 's.tar'), {'s.tar': _tar(folder)[0]}
        ),
        'list of files': Reader(
            'l.txt', 'a.mp4\nb/c d.mp4\n', lambda root, path: FileListDataset(str(path), [], dict(video=str(root))).get_data_info(0),
            {'a.mp4': b'x'},
        ),
        'config yaml': Reader('c.yaml', 'model:\n  type: A\n  width: &w [1, 2]\nother: *w\n', lambda _, path: mmengine.load(path)),
        'generated set': Reader(
            'manifest.json', dict(settings=dict(generator_version=GENERATOR_VERSION, seed=0), complete=True, files={}),
            lambda root, _: build(root, [], settings=dict(seed=0), annotate=list),
        ),
        'checkpoint safetensors': Reader('w.safetensors', _safetensors(folder), lambda _, path: read_checkpoint(str(path))),
        'index of shards': Reader(
            'model.safetensors.index.json', dict(metadata=dict(total_size=8), weight_map=dict(a='1.safetensors')),
            lambda _, path: weight_files(path), {'1.safetensors': ''},
        ),
        'video': Reader('v.mp4', _video(folder), _read_video),
    }
    # fmt: on
    try:
        found['embedding Parquet'] = Reader('part-0.parquet', _parquet(folder, array, info), _embedding)
    except ImportError:
        print('pyarrow is not installed: Parquet is left out', file=sys.stderr)
    try:
        import transformers  # noqa: F401
    except ImportError:
        print("transformers is not installed: its models' folders are left out", file=sys.stderr)
        return found
    tower = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8)
    model = dict(model_type='clip', architectures=['CLIPModel'], vision_config=tower, projection_dim=20)
    made = dict(
        image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.5, 0.5], resample=3, size=dict(shortest_edge=36),
        crop_size=dict(height=32, width=32), do_center_crop=True, rescale_factor=0.00392,
    )  # fmt: skip
    found['config.json of a model'] = Reader(
        'config.json', model, lambda root, _: describe(f'hf:{root}'), {'preprocessor_config.json': made}
    )
    found['preprocessor_config.json'] = Reader(
        'preprocessor_config.json', made, lambda root, _: describe(f'hf:{root}'), {'config.json': model}
    )
    return found


def mutated(content, rng):
    """A file after one to three random changes."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        kinds = [_flip, _cut, _repeat, _insert]
        if content[:1] in (b'{', b'['):
            kinds += [_json, _json, _json, _key_twice]
        if re.search(rb'\d', content[:1000]):
            kinds += [_number]
        content = rng.choice(kinds)(content, rng)
    return content


def run_reader(name, count, seed, seconds=None):
    """Give a reader mutated files, in a process of its own.

    Args:
        name (str): One of :func:`readers`.
        count (int): Number of files.
        seed (int): File n of a seed is the same in every run.
        seconds (float, optional): Stop after this time.

    Returns:
        tuple[Counter, float, dict]: outcomes; peak memory in bytes above that at the start; for each kind of failure
            the number of the file and the traceback.
    """
    context = multiprocessing.get_context('fork')
    done, total, peak, faults = 0, collections.Counter(), 0, {}
    end = None if seconds is None else time.monotonic() + seconds
    while done < count and (end is None or time.monotonic() < end):
        ours, theirs = context.Pipe(False)
        process = context.Process(target=_work, args=(theirs, name, done, count, seed, end))
        process.start()
        theirs.close()
        try:
            while True:
                number, outcome, memory, text = ours.recv()
                done, peak = number + 1, max(peak, memory)
                total[outcome] += 1
                if text:
                    faults.setdefault(_kind(text), (number, text))
        except EOFError:
            process.join()
        if process.exitcode == 1:
            raise RuntimeError(f'{name}: the unchanged file could not be read; see above')
        if process.exitcode:
            total['crash'] += 1
            faults[f'exit code {process.exitcode}'] = done, f'the process ended with {process.exitcode}'
            done += 1
    return total, peak, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--inputs', type=int, default=1000, help='files for each reader (default: %(default)s)')
    parser.add_argument('--minutes', type=float, help='time limit, shared by all readers')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--readers', nargs='+', metavar='NAME', help='only these')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        names = args.readers or list(readers(Path(folder)))
    seconds = None if args.minutes is None else 60 * args.minutes / len(names)
    table, bad = [], 0
    print(f'{"reader":24}' + ''.join(f'{outcome:>14}' for outcome in OUTCOMES) + f'{"peak MB":>10}')
    for name in names:
        total, peak, faults = run_reader(name, args.inputs, args.seed, seconds)
        bad += sum(total[outcome] for outcome in OUTCOMES[2:])
        table.append(total)
        print(
            f'{name:24}' + ''.join(f'{total[outcome]:14,}' for outcome in OUTCOMES) + f'{peak / 1e6:10.0f}', flush=True
        )
        for number, text in faults.values():
            print(f'--- {name}, file {number} of seed {args.seed}:\n{text}', file=sys.stderr)
    total = sum(table, collections.Counter())
    print(f'{"all":24}' + ''.join(f'{total[outcome]:14,}' for outcome in OUTCOMES))
    sys.exit(min(bad, 1))


def _work(pipe, name, first, count, seed, end):
    warnings.simplefilter('ignore')
    torch.set_num_threads(1)
    signal.signal(signal.SIGALRM, _too_long)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        reader = readers(folder)[name]
        shutil.rmtree(folder)
        for around, content in reader.around.items():
            _write(folder / around, content)
        path = folder / reader.name
        _write(path, reader.content)
        reader.read(folder, path)  # the file that is not mutated can be read
        start = _memory('VmSize')
        resource.setrlimit(resource.RLIMIT_AS, (start + BYTES,) * 2)
        resident = _memory('VmRSS')
        for number in range(first, count):
            if end is not None and time.monotonic() > end:
                return
            _write(path, mutated(reader.content, random.Random(f'{name} {seed} {number}')))
            outcome, text = _outcome(reader, folder, path)
            pipe.send((number, outcome, _memory('VmHWM') - resident, text))


def _kind(text):
    """Place and class of a failure."""
    return str(re.findall(r'File .*, line \d+', text)[-1:]), text.splitlines()[-1].partition(':')[0]


def _outcome(reader, folder, path):
    signal.alarm(SECONDS)
    try:
        reader.read(folder, path)
        return 'read', ''
    except _TooLong:
        return 'hang', traceback.format_exc(limit=-3)
    except MemoryError:
        return 'memory', traceback.format_exc(limit=-3)
    except (ValueError, FileNotFoundError, pickle.UnpicklingError) as error:
        own = not isinstance(error, UnicodeError | json.JSONDecodeError)
        if own and str(folder) in str(error):
            return 'refused', ''
        return ('unnamed' if own else 'raw exception'), traceback.format_exc(limit=-3)
    except Exception:
        return 'raw exception', traceback.format_exc(limit=-3)
    finally:
        signal.alarm(0)


class _TooLong(BaseException):
    pass


def _too_long(*_):
    raise _TooLong


def _memory(name):
    with open('/proc/self/status') as file:
        return 1024 * int(next(line for line in file if line.startswith(f'{name}:')).split()[1])


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _bytes(content):
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def _flip(content, rng):
    content = bytearray(content)
    for _ in range(rng.choice((1, 1, 4, 20))):
        if content:
            content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


def _cut(content, rng):
    start = rng.randrange(len(content) + 1)
    return content[:start] if rng.random() < 0.5 else content[:start] + content[start + rng.randrange(1, 20) :]


def _repeat(content, rng):
    start = rng.randrange(len(content) + 1)
    part = content[start : start + rng.randrange(1, 200)]
    return content[:start] + part * rng.choice((2, 2, 3, 100)) + content[start:]


def _insert(content, rng):
    start = rng.randrange(len(content) + 1)
    return content[:start] + rng.choice(TOKENS) + content[start:]


def _number(content, rng):
    places = list(re.finditer(rb'-?\d+(\.\d+)?', content[:20_000]))
    if not places:
        return content
    place = rng.choice(places)
    return content[: place.start()] + rng.choice(NUMBERS) + content[place.end() :]


def _json(content, rng):
    try:
        value = [json.loads(content)]
    except (ValueError, RecursionError):
        return content
    places = []

    def walk(part):
        for key in range(len(part)) if isinstance(part, list) else list(part):
            places.append((part, key))
            if isinstance(part[key], list | dict):
                walk(part[key])

    walk(value)
    part, key = rng.choice(places)
    action = rng.random()
    if action < 0.15 and len(places) > 1:
        del part[key]
    elif action < 0.3 and isinstance(part, dict):
        part[str(rng.choice(VALUES))[:100]] = part.pop(key)
    else:
        part[key] = rng.choice(VALUES)
    return json.dumps(value[0] if value else None).encode('utf-8', 'surrogatepass')


def _key_twice(content, rng):
    place = content.find(b'{', rng.randrange(len(content) or 1))
    match = re.match(rb'\{("[^"]*": )', content[place:]) if place >= 0 else None
    return content if match is None else content[: place + 1] + match[1] + b'0, ' + content[place + 1 :]


def _read_runs(root):
    found = find_runs(root)
    name_encoders(found.runs)
    fill_tables(found.runs)
    if found.rejected:
        raise ValueError('{}: {}'.format(*found.rejected[0]))


def _data_set(data_set):
    return lambda root, _: data_set.read(root, root, next(iter(data_set.kinds)))


def _example(name):
    return (Path(__file__).resolve().parents[1] / 'tests/data/annotations' / name).read_bytes()


def _annotations(_, path):
    media = Media('a.mp4', 4.0, (200, 100), Clock(fps=25))
    videos = read_annotation_files([path], Import(lambda name: media))
    for out in (write_elan, write_annotation_table):
        out(videos, path.parent)
    write_cvat(videos, path.parent, dict.fromkeys((video.video_id for video in videos), media.clock))
    for made in (*path.parent.glob('*'),):
        if made != path and made.is_file():
            made.unlink()


def _embedding(root, _):
    folder = EmbeddingFolder(str(root))
    for video_id in folder.video_ids:
        folder.clips(video_id)
        folder.video(video_id)
        folder.times(video_id)
        folder.info(video_id)


def _read_video(_, path):
    with open_video(str(path)) as video:
        video.read(np.array([0, len(video.frame_times) - 1]))


def _npy(array):
    with tempfile.TemporaryFile() as file:
        np.save(file, array)
        file.seek(0)
        return file.read()


def _npz(folder, arrays):
    np.savez(folder / 'a.npz', **{name: np.array(values) for name, values in arrays.items()})
    return (folder / 'a.npz').read_bytes()


def _pth(folder, zipped=True):
    meta = dict(epoch=1, numbers=np.arange(3.0), seed=np.float64(1.5))
    torch.save(
        dict(state_dict=dict(w=torch.ones(2, 3), b=torch.zeros(2).half()), meta=meta),
        folder / 'w.pth',
        _use_new_zipfile_serialization=zipped,
    )
    return (folder / 'w.pth').read_bytes()


def _pt(folder, array):
    torch.save(dict(feats=torch.tensor(array)), folder / 'a.pt')
    return (folder / 'a.pt').read_bytes()


def _safetensors(folder):
    save_file(dict(w=torch.ones(2, 3), b=torch.zeros(2)), folder / 'w.safetensors')
    return (folder / 'w.safetensors').read_bytes()


def _tar(folder):
    path = folder / 's.tar'
    with tarfile.open(path, 'w') as tar:
        for name in ('a.jpg', 'b.json', 'c.jpg'):
            info = tarfile.TarInfo(name)
            info.size = 20
            tar.addfile(info, io.BytesIO(bytes(20)))
    index_shard(str(path))
    return path.read_bytes(), Path(index_path(path)).read_bytes()


def _read_shard(path):
    data = ShardDataset(str(path), [])
    for number in range(len(data)):
        name = data.get_data_info(number)['filename']
        try:
            TarBackend().get(name)
        except OSError as error:
            raise ValueError(f'{path}: {error}') from None


def _video(folder):
    write_video(folder / 'v.mp4', np.random.RandomState(0).randint(0, 255, (8, 32, 48, 3), np.uint8), 8)
    return (folder / 'v.mp4').read_bytes()


def _parquet(folder, array, info):
    from twlv_mm.embeddings.parquet import write_part

    times = np.array([[0.0, 1.0], [1.0, 2.0]])
    videos = [dict(video_id=name, clips=array, times=times, video=array.mean(0), info=info) for name in 'ab']
    write_part(str(folder / 'part-0.parquet'), videos)
    return (folder / 'part-0.parquet').read_bytes()


if __name__ == '__main__':
    main()
