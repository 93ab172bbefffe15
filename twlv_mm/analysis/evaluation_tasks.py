"""Which tasks there are to evaluate an encoder on, what they need, and the commands that do them."""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mmengine.config import Config

CONFIGS = Path(__file__).parents[1] / '.mim/configs'
BOTH_WAYS = ('--views', 'forward,reversed')
# Keys of configs whose values are files or folders that have to be there.
_FILES = ('exclude_file', 'label_file', 'proposal_file')


@dataclass(frozen=True)
class Extraction:
    """Embeddings that tasks read: those of a data set's videos.

    Attributes:
        name (str): Of the folder of embeddings.
        splits (tuple): Of each split its name, its videos (as tools/extract.py takes them) and their root, or None.
        options (tuple[str]): Further arguments of tools/extract.py.
    """

    name: str
    splits: tuple
    options: tuple = ()

    @property
    def needs(self):
        """list[str]: paths that have to be there."""
        return [path for _, *paths in self.splits for path in paths if path is not None]


@dataclass
class Task:
    """Something to evaluate an encoder on.

    Attributes:
        name (str): Its name.
        config (Config): What to run, not fitted to an encoder yet.
        how (str): 'train' (and test), 'test', 'folds', or 'direction'.
        extractions (list[Extraction]): Whose embeddings it reads.
        moved (dict[str, str]): Beginnings of paths in the config -> name of the extraction that stands for them.
        seconds (float): What it takes a core for the small encoder, with its part of the extraction; 0 where not known.
        arguments (tuple[str]): Of tools/visualize.py direction, for how='direction', which has no config.
    """

    name: str
    config: Config | None
    how: str = 'train'
    extractions: list = field(default_factory=list)
    moved: dict = field(default_factory=dict)
    seconds: float = 0
    arguments: tuple = ()

    def missing(self):
        """The first file or folder that it needs and is not there; None if all are.

        Returns:
            str | None: a path.
        """
        needed = [path for extraction in self.extractions for path in extraction.needs]
        names = ('train_dataloader', 'test_dataloader', 'test_evaluator', 'model') if self.config else ()
        parts = [self.config.get(name) for name in names]
        needed += [path for path in _paths(parts) if not path.startswith(tuple(self.moved))]
        return next((path for path in needed if not os.path.exists(path)), None)


def paper_tasks():
    """The tasks on the paper's sets, where their configs expect them.

    Returns:
        list[Task]: all of them, whether their data are there or not.
    """
    tasks = [*_recognition('k400'), *_recognition('ssv2'), *_recognition('mit'), *_recognition('diving48')]
    for name in ('ek100', 'in1k'):
        tasks += [_task(f'twlv/{name}_{probe}') for probe in ('linear', 'attentive')]
    tasks += [_on_clips('twlv/thumos14_tal'), _on_clips('twlv/thumos14_tal_external', 'twlv/thumos14_tal')]
    tasks += [_on_clips('twlv/activitynet_tal'), _on_clips('twlv/activitynet_tal_external', 'twlv/activitynet_tal')]
    tasks += [_on_clips(f'twlv/{name}_tas', how='folds') for name in ('salads50', 'gtea', 'breakfast')]
    return [*tasks, _task('twlv/ava_stal'), _task('twlv/ava_roi'), _direction_of_ssv2()]


def generated_tasks(data):
    """The tasks on generated videos.

    Args:
        data (str | Path): The folder that tools/make_synthetic.py has written to.

    Returns:
        list[Task]: recognition of appearance and motion, localization, segmentation, detection.
    """
    # Starting a process that decodes takes longer than such videos do.
    small = ('--batch-size', '32', '--workers', '0')
    uniform = ('--sampling', 'uniform', *small)
    train = Extraction('trimmed', (('train', f'{data}/trimmed/train_both.txt', None),), uniform)
    test = Extraction('trimmed', (('test', f'{data}/trimmed/test_both.txt', None),), (*uniform, *BOTH_WAYS))
    untrimmed = Extraction(
        'untrimmed',
        tuple((split, f'{data}/untrimmed/videos/{split}', None) for split in ('train', 'test')),
        ('--clip-seconds', '2.0', '--stride-seconds', '0.25', *small),
    )
    tasks = []
    for label in ('appearance', 'motion'):
        tasks += [
            _task(f'synthetic/{label}_linear', seconds=55),
            _task(f'synthetic/{label}_attentive', seconds=60),
            _task(f'synthetic/{label}_knn', how='test', seconds=35, extractions=[train, test]),
        ]
        tasks[-1].moved = {'work_dirs/synthetic/embeddings': 'trimmed'}
    for name, seconds in (('tal', 60), ('tas', 75)):
        task = _task(f'synthetic/untrimmed_{name}', seconds=seconds, extractions=[untrimmed])
        where = 'synthetic' if name == 'tal' else 'synthetic_80'
        task.moved = {f'work_dirs/{where}/untrimmed_embeddings': 'untrimmed'}
        task.config.pop('extraction')  # is a step of its own, which both share
        tasks.append(task)
    tasks[-1].config.folds = [1]  # one way round is enough, and counts as the whole
    tasks.append(_task('synthetic/ava_roi', seconds=150))
    for task in tasks:
        # The data of 80 videos that untrimmed_tas.py asks for are those of the folder, however many they are.
        for root in ('work_dirs/synthetic_80', 'work_dirs/synthetic'):
            relocate(task.config, root, str(data), except_for=tuple(task.moved))
    names = ('--ann-file', f'{data}/trimmed/test_motion.txt', '--class-names', f'{data}/trimmed/classes_motion.txt')
    arguments = ('uniform/test', *names, '--dataset', 'synthetic_trimmed')
    tasks.append(Task('direction', None, 'direction', [test], arguments=arguments, seconds=10))
    return tasks


def generated_views(data):
    """What of the generated videos' embeddings a report shows.

    Args:
        data (str | Path): As for :func:`generated_tasks`.

    Returns:
        list[dict]: title, folder (below that of the embeddings), ann_file, class_names.
    """
    return [
        dict(
            title=f'Generated videos, {label}',
            folder='trimmed/uniform/test',
            ann_file=f'{data}/trimmed/test_{label}.txt',
            class_names=f'{data}/trimmed/classes_{label}.txt',
        )
        for label in ('appearance', 'motion')
    ]


def paper_views():
    """What of the paper's sets' embeddings a report shows: K400 and SSv2, as its Figures 6 and 7.

    Returns:
        list[dict]: As :func:`generated_views`.
    """
    return [
        dict(title=title, folder=f'{name}/uniform/val', ann_file=None, class_names=f'{data}/label_map_videos.txt')
        for title, name, data in (('K400', 'k400', 'data/kinetics400'), ('SSv2', 'ssv2', 'data/ssv2'))
    ]


def relocate(cfg, old, new, except_for=()):
    """Replace the beginning of all paths in a config.

    Args:
        cfg (Config): Changed in place.
        old (str): The beginning, a whole folder.
        new (str): What comes in its place.
        except_for (tuple[str]): Paths that begin like this stay.
    """

    def moved(value):
        if isinstance(value, dict):
            return type(value)({key: moved(part) for key, part in value.items()})
        if isinstance(value, list | tuple):
            return type(value)(moved(part) for part in value)
        if isinstance(value, str) and (value == old or value.startswith(f'{old}/')):
            return value if value.startswith(except_for or '\0') else new + value[len(old) :]
        return value

    for key, value in list(cfg.items()):
        cfg[key] = moved(value)


def _task(config, name=None, **options):
    return Task(name or config.rpartition('/')[2], Config.fromfile(CONFIGS / f'{config}.py'), **options)


def _recognition(name):
    """Probes on live video, and what is done on embeddings, of a set that has a list of its videos."""
    linear, attentive = (_task(f'twlv/{name}_{probe}') for probe in ('linear', 'attentive'))
    lists = tuple(
        (split, loader.dataset.ann_file, loader.dataset.data_prefix.video)
        for split, loader in (('train', linear.config.train_dataloader), ('val', linear.config.test_dataloader))
    )
    clips = Extraction(name, lists, ('--clip-seconds', '2.0'))
    uniform = Extraction(name, lists, ('--sampling', 'uniform'))
    moved = {f'embeddings/{name}': name}
    offline = _task(f'twlv/{name}_linear_offline', extractions=[clips], moved=moved)
    knn = [
        _task_of_column(name, column, extractions=[uniform if column == 'uniform' else clips], moved=moved)
        for column in ('uniform', 'clip', 'video')
    ]
    return [linear, attentive, offline, *knn]


def _task_of_column(name, column, **options):
    """kNN in a column of Table 6."""
    task = _task(f'twlv/{name}_knn', f'{name}_knn_{column}', how='test', **options)
    sampling = 'uniform' if column == 'uniform' else 'multi-clip'
    scope = 'clip' if column == 'clip' else 'video'
    task.config.model.bank.update(folder=f'{sampling}/train', scope=scope)
    task.config.test_dataloader.dataset.update(folder=f'{sampling}/val', scope=scope)
    task.config.default_hooks.results.protocol.column = column
    return task


def _direction_of_ssv2():
    """The classes of the paper's Figures 8 and 9."""
    dataset = _task('twlv/ssv2_linear').config.test_dataloader.dataset
    splits = (('val', dataset.ann_file, dataset.data_prefix.video),)
    names = ('--class-names', 'data/ssv2/label_map_videos.txt', '--dataset', 'ssv2')
    arguments = ('uniform/val', '--only', 'Moving something up', 'Moving something down', *names)
    extraction = Extraction('ssv2', splits, ('--sampling', 'uniform', *BOTH_WAYS))
    return Task('ssv2_direction', None, 'direction', [extraction], arguments=arguments)


def _on_clips(config, source=None, **options):
    """A task on the embeddings that the ``_video`` config of a set asks for."""
    name, extraction = _wanted_embeddings(source or config)
    return _task(config, extractions=[extraction], moved={f'embeddings/{name}': name}, **options)


@cache
def _wanted_embeddings(config):
    wanted = Config.fromfile(CONFIGS / f'{config}_video.py').extraction
    name = wanted.out.rpartition('/')[2]
    options = ('--clip-seconds', str(wanted.clip_seconds), '--stride-seconds', str(wanted.stride_seconds))
    return name, Extraction(name, tuple((split, source, None) for split, source in wanted.splits.items()), options)


def _paths(part):
    """Paths in a part of a config that have to be there."""
    if isinstance(part, list | tuple):
        for value in part:
            yield from _paths(value)
    if not isinstance(part, dict):
        return
    root = part.get('data_root')
    for key, value in part.items():
        if key == 'ann_file' and isinstance(value, str):
            yield value if root is None or os.path.isabs(value) or os.path.exists(value) else f'{root}/{value}'
        elif key in _FILES and isinstance(value, str):
            yield value
        elif key == 'external' and value:
            yield value['path']
        elif key == 'data_prefix':
            yield from filter(None, value.values())
        elif key == 'data_root' and isinstance(value, str):
            yield value
        else:
            yield from _paths(value)
