#!/usr/bin/env python
"""Run one encoder of each kind of SOURCE through all tasks on small generated videos, and write a report and a table.

The encoders are small with random weights, and training is short: a score shows that the task runs on such an encoder,
not how good the encoder is. A failed task is listed with its log, and the others run. If interrupted, the same command
resumes.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

import twlv_mm
from twlv_mm.evaluation import (
    Evaluation,
    StepError,
    Task,
    find_encoder,
    generated_tasks,
    generated_views,
    run_step,
)
from twlv_mm.report import write_report
from twlv_mm.synthetic import make_boxes, make_trimmed, make_untrimmed

ROOT = Path(__file__).resolve().parents[1]
DOWNSTREAM = ROOT / 'tests/downstream'
SLOWONLY = 'mmaction::recognition/slowonly/slowonly_r50_8xb16-4x16x1-256e_kinetics400-rgb.py'
VIT = dict(img_size=32, num_frames=8, patch_size=8, embed_dim=64, depth=2, num_heads=4)
# SOURCE and overrides; {folder} is the folder of the encoders.
SOURCES = dict(
    own=('their_encoders:ConvNet', {}),
    hf=('hf:{folder}/videomae', {}),
    timm=('timm:vit_tiny_patch16_224', VIT),
    mmaction=(SLOWONLY, dict(img_size=64, num_frames=8, depth=18, base_channels=8)),
)
EPOCHS = 2
# Tasks on generated videos that the project's configs do not have.
CONFIGS = dict(
    linear_offline="""
_base_ = 'twlv_mm::twlv/k400_linear_offline.py'

from twlv_mm.encoders import embeddings_folder

data_root = embeddings_folder('trimmed', _base_.spec)
videos = '{{$SYNTHETIC:}}/trimmed'
train = dict(data_root=data_root, folder='uniform/train', scope='video', ann_file=f'{videos}/train_appearance.txt')
test = dict(data_root=data_root, folder='uniform/test', scope='video', ann_file=f'{videos}/test_appearance.txt')
model = dict(num_classes=8)
train_dataloader = dict(batch_size=64, dataset=train)
val_dataloader = dict(dataset=test)
test_dataloader = dict(dataset=test)
default_hooks = dict(results=dict(dataset='synthetic_appearance_offline'))
""",
    tal_from_video="""
_base_ = 'twlv_mm::synthetic/untrimmed_tal.py'

embeddings = f'{_base_.embeddings}_from_video'
extraction = dict(out=embeddings)
train_dataloader = dict(dataset=dict(folder=f'{embeddings}/multi-clip/train'))
val_dataloader = dict(dataset=dict(folder=f'{embeddings}/multi-clip/test'))
test_dataloader = dict(dataset=dict(folder=f'{embeddings}/multi-clip/test'))
default_hooks = dict(results=dict(dataset='synthetic_untrimmed_from_video'))
""",
    tas_from_video="""
_base_ = 'twlv_mm::synthetic/untrimmed_tas.py'

embeddings = f'{_base_.embeddings}_from_video'
extraction = dict(out=embeddings)
folds = [1]
train_dataloader = dict(dataset=dict(folder=f'{embeddings}/multi-clip'))
val_dataloader = dict(dataset=dict(folder=f'{embeddings}/multi-clip'))
test_dataloader = dict(dataset=dict(folder=f'{embeddings}/multi-clip'))
default_hooks = dict(results=dict(dataset='synthetic_untrimmed_from_video'))
""",
)
TEACHER = """
_base_ = 'twlv_mm::synthetic/pretrain_video_teacher.py'

model = dict(teachers=dict(video=dict({teacher}, _delete_=True)))
train_cfg = dict(max_iters=20)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=20, eta_min=0, by_epoch=False)]
"""


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('work_dirs/every_source'), help='default %(default)s')
    parser.add_argument('--sources', nargs='+', choices=SOURCES, default=list(SOURCES), help='default: all')
    parser.add_argument('--tasks', nargs='+', metavar='TASK', help='only these')
    parser.add_argument('--jobs', type=int, default=1, help='tasks at a time (default 1)')
    return parser.parse_args()


def make_encoder(kind, folder):
    """A config that names an encoder, and a file of random weights; None where the source has its own."""
    source, overrides = SOURCES[kind]
    source = source.format(folder=folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = None if kind == 'hf' else folder / f'{kind}.pth'
    torch.manual_seed(0)
    if kind == 'hf':
        make_videomae(folder / 'videomae')
    elif not weights.exists():
        torch.save(twlv_mm.get_model(source, **overrides).state_dict(), weights)
    config = folder / f'{kind}.py'
    config.write_text(
        f"_base_ = 'twlv_mm::_base_/encoder.py'\nencoder = {source!r}\nencoder_overrides = {overrides!r}\n"
    )
    return config, weights


def make_videomae(folder):
    """A folder as transformers saves it."""
    from transformers import VideoMAEConfig, VideoMAEModel

    if (folder / 'config.json').exists():
        return
    sizes = dict(image_size=32, patch_size=8, num_frames=16, tubelet_size=4)
    layers = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128)
    VideoMAEModel(VideoMAEConfig(**sizes, **layers)).save_pretrained(folder)


def all_tasks(data, folder):
    """The tasks of tools/evaluate_all.py on generated videos, and others on the same videos."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in CONFIGS.items():
        (folder / f'{name}.py').write_text(text)
    tasks = generated_tasks(data)
    extractions = {task.name: task.extractions for task in tasks}
    environment = dict(environment=dict(SYNTHETIC=str(data)))
    stal = next(task.config for task in tasks if task.name == 'ava_roi').with_name('ava_stal.py')
    tasks += [
        Task('ava_stal', stal, **environment),
        Task('linear_offline', folder / 'linear_offline.py', extractions=extractions['motion_knn'], **environment),
        Task('tal_from_video', folder / 'tal_from_video.py', **environment),
        Task('tas_from_video', folder / 'tas_from_video.py', how='folds', **environment),
    ]
    # Another label of the same videos would test nothing new.
    tasks = [task for task in tasks if not task.name.startswith('motion_')]
    for task in tasks:
        if task.how in ('train', 'folds'):
            task.changes = {**task.changes, 'train_cfg.max_epochs': EPOCHS, 'param_scheduler': None}
    return tasks


def other_steps(kind, encoder, evaluation, config, data):
    """Commands of ``twlv`` that write no results.json: name -> command and arguments."""
    given = {'source': encoder.source, 'weights': encoder.weights, **encoder.overrides}
    teacher = evaluation.root / 'pretrain_teacher.py'
    teacher.write_text(TEACHER.format(teacher=', '.join(f'{key}={value!r}' for key, value in given.items())))
    (linear,) = evaluation.root.glob('appearance_linear-*')
    embeddings = next(Path(evaluation.embeddings).glob('trimmed_*'))
    lists = data / 'trimmed'
    names = ['--ann-file', lists / 'test_appearance.txt', '--class-names', lists / 'classes_appearance.txt']
    weights = encoder.weights or encoder.source.removeprefix('hf:')
    video = next((lists / 'test').glob('*.mp4'))
    return dict(
        pretraining_teacher=['train', teacher, '--work-dir', evaluation.root / 'pretrain_teacher'],
        visualization=['visualize', 'embeddings', f'{encoder.label}={embeddings / "uniform/test"}', *names]
        + ['--out', evaluation.root / 'pictures'],
        benchmark=['benchmark', 'encoder', config, '--precision', 'fp32', '--seconds', '1'],
        check=['convert', weights, '--check', '--encoder', config],
        inference=['infer', linear / 'appearance_linear.py', linear / f'epoch_{EPOCHS}.pth', video]
        + ['--out', evaluation.root / 'inferred'],
    )


def core_minutes(log):
    """CPU minutes of a step, from the last line of its log; None if it has not finished."""
    last = log.read_text().splitlines()[-1] if log.exists() else ''
    return float(last.split()[3]) / 60 if last.startswith('# ') else None


def run_command(name, arguments, root):
    """Run a command unless it has finished before; returns its status and its CPU minutes."""
    log = root / f'logs/{name}.txt'
    if core_minutes(log) is None:
        try:
            run_step(log, *arguments)
        except StepError:
            return f'failed ({log})', None
    return 'done', core_minutes(log)


def scores_of(evaluation):
    """Task -> its first metric or its status, and its CPU minutes."""
    rows = {}
    for task in evaluation.tasks:
        status, reason = evaluation.states[task.name]
        (folder,) = evaluation.root.glob(f'{task.name}-*') if status == 'finished' else (None,)
        if folder is None:
            rows[task.name] = f'{status}: {reason}', None
            continue
        results = json.loads(next(folder.rglob('results.json')).read_text())
        name, value = next((key, value) for key, value in results['metrics'].items() if isinstance(value, int | float))
        rows[task.name] = f'{value:.1f} {name}', core_minutes(evaluation.root / f'logs/{task.name}.txt')
    return rows


def main():
    args = parse_args()
    out = args.out.resolve()
    data = out / 'videos'
    make_trimmed(data / 'trimmed', num_train=96, num_test=128)
    make_untrimmed(data / 'untrimmed', num_videos=4)
    make_boxes(data / 'boxes', num_clips=12)
    # As a user would do it: a folder on the path of this process and of its child processes.
    sys.path.insert(0, str(DOWNSTREAM))
    os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, [str(DOWNSTREAM), os.environ.get('PYTHONPATH')]))
    os.environ['SYNTHETIC'] = str(data)
    tasks = [task for task in all_tasks(data, out / 'configs') if not args.tasks or task.name in args.tasks]
    columns = {}
    for kind in args.sources:
        config, weights = make_encoder(kind, out / 'encoders')
        encoder = find_encoder(str(config), weights)
        evaluation = Evaluation(encoder, tasks, out / 'evaluation', args.jobs, views=generated_views(data))
        evaluation.run()
        rows = scores_of(evaluation)
        if not args.tasks:
            for name, arguments in other_steps(kind, encoder, evaluation, config, data).items():
                rows[name] = run_command(name, arguments, evaluation.root)
                print(f'  {encoder.label}: {name} {rows[name][0]}', flush=True)
        columns[kind] = rows
    page, _ = write_report(out / 'evaluation')
    print_table(columns)
    print(f'The report is {page}')
    if any(minutes is None for rows in columns.values() for _, minutes in rows.values()):
        sys.exit(1)


def print_table(columns):
    """Scores of all tasks by all encoders, and minutes of a CPU core, without the extraction that tasks share."""
    table = Table(title='Scores (%), and minutes of a CPU core')
    for name in ('task', *columns):
        table.add_column(name)
    for task in next(iter(columns.values())):
        cells = [rows[task] for rows in columns.values()]
        table.add_row(task, *(text if minutes is None else f'{text}, {minutes:.1f} min' for text, minutes in cells))
    Console(width=160).print(table)


if __name__ == '__main__':
    main()
