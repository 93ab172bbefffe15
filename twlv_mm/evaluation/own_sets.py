"""Data sets of one's own to evaluate an encoder on, as a YAML file names them."""

import os

from twlv_mm.records import checks, read_yaml

from .tasks import CONFIGS, Task

# Kind of a set -> its configs, which are its tasks, and how they are run.
KINDS = dict(
    recognition=dict(linear='train', knn='test', attentive='train'),
    localization=dict(tal='train'),
    segmentation=dict(tas='folds'),
    detection=dict(stal='train'),
)


def own_tasks(path):
    """The tasks on the sets that a file names.

    ::

        dances:                       # what reports call the set
          task: recognition           # or localization, segmentation, detection
          data_root: lists/dances     # and other variables of configs/own/*.py, such as num_folds, max_epochs, fps
          video_root: videos/dances
          configs: [linear, knn]      # only these; or with variables that others do not have:
                                      # {linear: {max_epochs: 50}, knn: {k: 3}}

    Paths are those of where the command runs.

    Args:
        path (str | Path): A YAML file.

    Returns:
        tuple[list[Task], list[dict]]: the tasks, ``<set>_<config>``, whether their data are there or not; and what of
        the embeddings a report shows, as :func:`~.evaluation_tasks.generated_views`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not of that form.
    """
    tasks, views = [], []
    for name, entry in read_yaml(path, dict).items():
        where = f'{path}, {name}'
        checks.name(name, where)
        if not set('/=*?[]').isdisjoint(name):
            raise ValueError(f'{where}: the name of a set becomes that of a folder, without any of / = * ? [ ]')
        variables = dict(checks.instance(entry, dict, where))
        kind = variables.pop('task', None)
        if kind not in KINDS:
            raise ValueError(f'{where}, task: {checks.shown(kind)} is none of {", ".join(KINDS)}')
        configs = variables.pop('configs', list(KINDS[kind]))
        if not isinstance(configs, dict):
            configs = dict.fromkeys(checks.instance(configs, list, f'{where}, configs'))
        if 'data_root' not in variables:
            raise ValueError(f'{where}: data_root is missing, the folder of the lists or annotations')
        for config, theirs in configs.items():
            if config not in KINDS[kind]:
                raise ValueError(f'{where}, configs: {checks.shown(config)} is none of {", ".join(KINDS[kind])}')
            theirs = checks.instance({} if theirs is None else theirs, dict, f'{where}, configs, {config}')
            theirs = variables | theirs | dict(dataset_name=name)
            how = 'folds' if theirs.get('num_folds') else KINDS[kind][config]
            tasks.append(Task(f'{name}_{config}', CONFIGS / f'own/{config}.py', how, variables=theirs))
        if kind == 'recognition':
            classes = os.path.join(checks.name(variables['data_root'], f'{where}, data_root'), 'classes.txt')
            views.append(dict(title=name, folder=f'{name}/multi-clip/all', ann_file=None, class_names=classes))
    if not tasks:
        raise ValueError(f'{path} names no set')
    return tasks, views
