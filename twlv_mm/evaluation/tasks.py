"""The tasks to evaluate an encoder on: their configs, the data they need, how they are run."""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from twlv_mm.encoders import read_config

CONFIGS = Path(__file__).parents[1] / '.mim/configs'
BOTH_WAYS = ('--views', 'forward,reversed')
# Keys of configs whose values are files that must exist.
_FILES = ('exclude_file', 'label_file', 'proposal_file')


@dataclass(frozen=True)
class Extraction:
    """Embeddings of the videos of a dataset."""

    name: str  # name of the dataset; the name of the folder of embeddings begins with it
    splits: tuple  # for each split its name, its videos (as ``twlv extract`` takes them) and their root or None
    options: tuple = ()  # further arguments of ``twlv extract``

    @property
    def needs(self):
        """list[str]: the files and folders that must exist."""
        return [path for _, *paths in self.splits for path in paths if path is not None]


@dataclass
class Task:
    """A task to evaluate an encoder on."""

    name: str
    config: Path | None
    how: str = 'train'  # 'train' (and test), 'test', 'folds', or 'direction'
    extractions: list[Extraction] = field(default_factory=list)  # the embeddings that it reads
    environment: dict[str, str] = field(default_factory=dict)  # environment variables that the config reads
    variables: dict = field(default_factory=dict)  # variables of the config to set, as in a config that inherits it
    changes: dict = field(default_factory=dict)  # settings of the config to override, as --cfg-options
    seconds: float = 0  # CPU seconds for the small encoder, including its part of the extraction; 0 if unknown
    arguments: tuple = ()  # for how='direction', which has no config: arguments of ``twlv visualize direction``

    def read(self, encoder, embeddings):
        """Parse the config of the task for an encoder, with embeddings below a folder.

        Raises:
            FileNotFoundError: if a file that parsing needs is missing, such as the class names.
            ValueError: if that file or a variable is invalid.
        """
        cfg = encoder.read(self.config, self.variables, EMBEDDINGS=embeddings, **self.environment)
        cfg.merge_from_dict(self.changes)
        return cfg

    def missing(self, cfg, embeddings):
        """The first missing file or folder that the task needs, or None.

        Args:
            cfg (Config | None): From :meth:`read`.
            embeddings (str): Folder of all embeddings; what is below it is made by the evaluation itself.
        """
        needed = [path for extraction in self.extractions for path in extraction.needs]
        names = ('train_dataloader', 'test_dataloader', 'test_evaluator', 'model') if cfg else ()
        needed += [path for path in _paths([cfg.get(name) for name in names]) if not path.startswith(f'{embeddings}/')]
        return next((path for path in needed if not os.path.exists(path)), None)


def paper_tasks():
    """The tasks on the paper's datasets, at the paths of their configs, whether or not the data are there."""
    tasks = [task for name in ('k400', 'ssv2', 'mit', 'diving48', 'ek100') for task in _recognition(name)]
    tasks += [_task(f'twlv/in1k_{probe}') for probe in ('linear', 'attentive')]
    for name in ('thumos14', 'activitynet'):
        tasks += [_on_clips(f'{name}_tal{kind}', name, f'{name}_tal') for kind in ('', '_external')]
    for name, folder in (('salads50', '50salads'), ('gtea', 'gtea'), ('breakfast', 'breakfast')):
        tasks.append(_on_clips(f'{name}_tas', folder, f'{name}_tas', how='folds'))
    return [*tasks, _task('twlv/ava_stal'), _task('twlv/ava_roi'), _direction_of_ssv2()]


def generated_tasks(data):
    """The tasks on generated videos: recognition of appearance and motion, localization, segmentation, detection.

    Args:
        data (str | Path): The folder that ``twlv synthetic`` has written.
    """
    # Starting a worker process takes longer than decoding such videos.
    small = ('--batch-size', '32', '--workers', '0')
    uniform = ('--sampling', 'uniform', *small)
    train = Extraction('trimmed', (('train', f'{data}/trimmed/train_both.txt', None),), uniform)
    test = Extraction('trimmed', (('test', f'{data}/trimmed/test_both.txt', None),), (*uniform, *BOTH_WAYS))
    untrimmed = Extraction(
        'untrimmed',
        tuple((split, f'{data}/untrimmed/videos/{split}', None) for split in ('train', 'test')),
        ('--clip-seconds', '2.0', '--stride-seconds', '0.25', *small),
    )
    options = dict(environment=dict(SYNTHETIC=str(data)))
    tasks = []
    for label in ('appearance', 'motion'):
        tasks += [
            _task(f'synthetic/{label}_linear', seconds=55, **options),
            _task(f'synthetic/{label}_attentive', seconds=60, **options),
            _task(f'synthetic/{label}_knn', how='test', seconds=35, extractions=[train, test], **options),
        ]
    options['extractions'] = [untrimmed]
    no_extraction = dict(extraction=None)  # a step of its own, which both tasks share
    tasks += [
        _task('synthetic/untrimmed_tal', seconds=60, changes=no_extraction, **options),
        # One fold is enough here and stands for both.
        _task('synthetic/untrimmed_tas', seconds=75, changes=dict(no_extraction, folds=[1]), **options),
        _task('synthetic/ava_roi', seconds=150, environment=options['environment']),
    ]
    names = ('--ann-file', f'{data}/trimmed/test_motion.txt', '--class-names', f'{data}/trimmed/classes_motion.txt')
    arguments = ('uniform/test', *names, '--dataset', 'synthetic_trimmed')
    tasks.append(Task('direction', None, 'direction', [test], arguments=arguments, seconds=10))
    return tasks


def generated_views(data):
    """The embeddings of generated videos that a report draws.

    Args:
        data (str | Path): As for :func:`generated_tasks`.

    Returns:
        list[dict]: title, folder (relative to the folder of all embeddings), ann_file, class_names.
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
    """The embeddings of K400 and SSv2 that a report draws (paper Figures 6 and 7), as :func:`generated_views`."""
    return [
        dict(title=title, folder=f'{name}/uniform/val', ann_file=None, class_names=f'{data}/label_map_videos.txt')
        for title, name, data in (('K400', 'k400', 'data/kinetics400'), ('SSv2', 'ssv2', 'data/ssv2'))
    ]


def _task(config, name=None, **options):
    return Task(name or config.rpartition('/')[2], CONFIGS / f'{config}.py', **options)


def _recognition(name):
    """Probes on live video and tasks on embeddings, for a dataset that has a list of its videos."""
    cfg = read_config(CONFIGS / f'twlv/{name}_linear.py')
    lists = tuple(
        (split, loader.dataset.ann_file, loader.dataset.data_prefix.video)
        for split, loader in (('train', cfg.train_dataloader), ('val', cfg.test_dataloader))
    )
    clips = Extraction(name, lists, ('--clip-seconds', '2.0'))
    uniform = Extraction(name, lists, ('--sampling', 'uniform'))
    probes = [_task(f'twlv/{name}_{probe}') for probe in ('linear', 'attentive')]
    offline = _task(f'twlv/{name}_linear_offline', extractions=[clips])
    columns = dict(uniform=uniform, clip=clips, video=clips)  # of Table 6
    knn = [
        _task(
            f'twlv/{name}_knn',
            f'{name}_knn_{column}',
            how='test',
            extractions=[extraction],
            environment=dict(KNN_COLUMN=column),
        )
        for column, extraction in columns.items()
    ]
    return [*probes, offline, *knn]


def _direction_of_ssv2():
    """Direction of motion on the classes of the paper's Figures 8 and 9."""
    dataset = read_config(CONFIGS / 'twlv/ssv2_linear.py').test_dataloader.dataset
    splits = (('val', dataset.ann_file, dataset.data_prefix.video),)
    names = ('--class-names', 'data/ssv2/label_map_videos.txt', '--dataset', 'ssv2')
    arguments = ('uniform/val', '--only', 'Moving something up', 'Moving something down', *names)
    extraction = Extraction('ssv2', splits, ('--sampling', 'uniform', *BOTH_WAYS))
    return Task('ssv2_direction', None, 'direction', [extraction], arguments=arguments)


def _on_clips(config, folder, source, **options):
    """A task on the embeddings that the ``_video`` config of a dataset asks for."""
    return _task(f'twlv/{config}', extractions=[_wanted_embeddings(folder, source)], **options)


@cache
def _wanted_embeddings(folder, source):
    wanted = read_config(CONFIGS / f'twlv/{source}_video.py').extraction
    options = ('--clip-seconds', str(wanted.clip_seconds), '--stride-seconds', str(wanted.stride_seconds))
    return Extraction(folder, tuple((split, source, None) for split, source in wanted.splits.items()), options)


def _paths(part):
    """The paths in a part of a config that must exist."""
    if isinstance(part, list | tuple):
        for value in part:
            yield from _paths(value)
    if not isinstance(part, dict):
        return
    root = part.get('data_root')
    for key, value in part.items():
        if key == 'ann_file' and isinstance(value, str):
            value = value.replace('{fold}', str(part.get('fold')))
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
