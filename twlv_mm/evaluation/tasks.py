"""Which tasks there are to evaluate an encoder on, what they need, and the commands that do them."""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from twlv_mm.encoders import read_config

CONFIGS = Path(__file__).parents[1] / '.mim/configs'
BOTH_WAYS = ('--views', 'forward,reversed')
# Keys of configs whose values are files or folders that have to be there.
_FILES = ('exclude_file', 'label_file', 'proposal_file')


@dataclass(frozen=True)
class Extraction:
    """Embeddings that tasks read: those of a data set's videos.

    Attributes:
        name (str): Of the data set, with which the name of the folder of embeddings begins.
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
        config (Path | None): The config to run.
        how (str): 'train' (and test), 'test', 'folds', or 'direction'.
        extractions (list[Extraction]): Whose embeddings it reads.
        environment (dict[str, str]): Variables that the config reads.
        variables (dict): Variables of the config to set, as a config that inherits it would.
        changes (dict): Settings of the config to override, as --cfg-options.
        seconds (float): What it takes a core for the small encoder, with its part of the extraction; 0 where not known.
        arguments (tuple[str]): Of tools/visualize.py direction, for how='direction', which has no config.
    """

    name: str
    config: Path | None
    how: str = 'train'
    extractions: list = field(default_factory=list)
    environment: dict = field(default_factory=dict)
    variables: dict = field(default_factory=dict)
    changes: dict = field(default_factory=dict)
    seconds: float = 0
    arguments: tuple = ()

    def read(self, encoder, embeddings):
        """Its config for an encoder.

        Args:
            encoder (Encoder): From :func:`~twlv_mm.evaluation.encoder.find_encoder`.
            embeddings (str): Folder of all embeddings.

        Returns:
            Config: the config.

        Raises:
            FileNotFoundError: if it needs a file for being parsed, such as the names of classes.
            ValueError: if that file or a variable is wrong.
        """
        cfg = encoder.read(self.config, self.variables, EMBEDDINGS=embeddings, **self.environment)
        cfg.merge_from_dict(self.changes)
        return cfg

    def missing(self, cfg, embeddings):
        """The first file or folder that it needs and is not there; None if all are.

        Args:
            cfg (Config | None): From :meth:`read`.
            embeddings (str): As for that; what is in there is made.

        Returns:
            str | None: a path.
        """
        needed = [path for extraction in self.extractions for path in extraction.needs]
        names = ('train_dataloader', 'test_dataloader', 'test_evaluator', 'model') if cfg else ()
        needed += [path for path in _paths([cfg.get(name) for name in names]) if not path.startswith(f'{embeddings}/')]
        return next((path for path in needed if not os.path.exists(path)), None)


def paper_tasks():
    """The tasks on the paper's sets, where their configs expect them.

    Returns:
        list[Task]: all of them, whether their data are there or not.
    """
    tasks = [*_recognition('k400'), *_recognition('ssv2'), *_recognition('mit'), *_recognition('diving48')]
    for name in ('ek100', 'in1k'):
        tasks += [_task(f'twlv/{name}_{probe}') for probe in ('linear', 'attentive')]
    for name in ('thumos14', 'activitynet'):
        tasks += [_on_clips(f'{name}_tal{kind}', name, f'{name}_tal') for kind in ('', '_external')]
    for name, folder in (('salads50', '50salads'), ('gtea', 'gtea'), ('breakfast', 'breakfast')):
        tasks.append(_on_clips(f'{name}_tas', folder, f'{name}_tas', how='folds'))
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
    # The data of 80 videos that untrimmed_tas.py asks for are those of the folder, however many they are.
    options = dict(environment=dict(SYNTHETIC=str(data)))
    tasks = []
    for label in ('appearance', 'motion'):
        tasks += [
            _task(f'synthetic/{label}_linear', seconds=55, **options),
            _task(f'synthetic/{label}_attentive', seconds=60, **options),
            _task(f'synthetic/{label}_knn', how='test', seconds=35, extractions=[train, test], **options),
        ]
    options['extractions'] = [untrimmed]
    apart = dict(extraction=None)  # is a step of its own, which both share
    tasks += [
        _task('synthetic/untrimmed_tal', seconds=60, changes=apart, **options),
        # One way round is enough, and counts as the whole.
        _task('synthetic/untrimmed_tas', seconds=75, changes=dict(apart, folds=[1]), **options),
        _task('synthetic/ava_roi', seconds=150, environment=options['environment']),
    ]
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


def _task(config, name=None, **options):
    return Task(name or config.rpartition('/')[2], CONFIGS / f'{config}.py', **options)


def _recognition(name):
    """Probes on live video, and what is done on embeddings, of a set that has a list of its videos."""
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
    """The classes of the paper's Figures 8 and 9."""
    dataset = read_config(CONFIGS / 'twlv/ssv2_linear.py').test_dataloader.dataset
    splits = (('val', dataset.ann_file, dataset.data_prefix.video),)
    names = ('--class-names', 'data/ssv2/label_map_videos.txt', '--dataset', 'ssv2')
    arguments = ('uniform/val', '--only', 'Moving something up', 'Moving something down', *names)
    extraction = Extraction('ssv2', splits, ('--sampling', 'uniform', *BOTH_WAYS))
    return Task('ssv2_direction', None, 'direction', [extraction], arguments=arguments)


def _on_clips(config, folder, source, **options):
    """A task on the embeddings that the ``_video`` config of a set asks for."""
    return _task(f'twlv/{config}', extractions=[_wanted_embeddings(folder, source)], **options)


@cache
def _wanted_embeddings(folder, source):
    wanted = read_config(CONFIGS / f'twlv/{source}_video.py').extraction
    options = ('--clip-seconds', str(wanted.clip_seconds), '--stride-seconds', str(wanted.stride_seconds))
    return Extraction(folder, tuple((split, source, None) for split, source in wanted.splits.items()), options)


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
