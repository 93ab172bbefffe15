"""A user's own datasets to evaluate an encoder on, listed in a YAML file."""

import os

from twlv_mm.records import checks, read_yaml

from .tasks import CONFIGS, Task

# Task of a dataset -> its configs, and how each is run.
KINDS = dict(
    recognition=dict(linear='train', knn='test', attentive='train'),
    localization=dict(tal='train'),
    segmentation=dict(tas='folds'),
    detection=dict(stal='train'),
)


def own_tasks(path):
    """The tasks on the datasets of a YAML file.

    ::

        dances:                       # name of the dataset in reports
          task: recognition           # or localization, segmentation, detection
          data_root: lists/dances     # and other variables of configs/own/*.py, such as num_folds, max_epochs, fps
          video_root: videos/dances
          configs: [linear, knn]      # only these; or with variables of their own:
                                      # {linear: {max_epochs: 50}, knn: {k: 3}}

    Returns:
        tuple[list[Task], list[dict]]: the tasks, ``<set>_<config>``, whether or not their data are there; the
        embeddings that a report draws, see :func:`~.tasks.generated_views`.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it has another form.
    """
    tasks, views = [], []
    for name, entry in read_yaml(path, dict).items():
        where = f'{path}, {name}'
        checks.name(name, where)
        if not set('/=*?[]').isdisjoint(name):
            raise ValueError(f'{where}: the name becomes the name of a folder and must not contain / = * ? [ ]')
        variables = dict(checks.instance(entry, dict, where))
        kind = variables.pop('task', None)
        if kind not in KINDS:
            raise ValueError(f'{where}, task: {checks.shown(kind)} is not one of {", ".join(KINDS)}')
        configs = variables.pop('configs', list(KINDS[kind]))
        if not isinstance(configs, dict):
            configs = dict.fromkeys(checks.instance(configs, list, f'{where}, configs'))
        if 'data_root' not in variables:
            raise ValueError(f'{where}: data_root, the folder of the lists or annotations, is missing')
        for config, theirs in configs.items():
            if config not in KINDS[kind]:
                raise ValueError(f'{where}, configs: {checks.shown(config)} is not one of {", ".join(KINDS[kind])}')
            theirs = checks.instance({} if theirs is None else theirs, dict, f'{where}, configs, {config}')
            theirs = variables | theirs | dict(dataset_name=name)
            how = 'folds' if theirs.get('num_folds') else KINDS[kind][config]
            tasks.append(Task(f'{name}_{config}', CONFIGS / f'own/{config}.py', how, variables=theirs))
        if kind == 'recognition':
            classes = os.path.join(checks.name(variables['data_root'], f'{where}, data_root'), 'classes.txt')
            views.append(dict(title=name, folder=f'{name}/multi-clip/all', ann_file=None, class_names=classes))
    if not tasks:
        raise ValueError(f'{path} lists no dataset')
    return tasks, views
