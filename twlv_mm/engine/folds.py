"""Cross-validation: trains and tests on each fold of a dataset, and resumes where it was stopped."""

import copy
import difflib
import gc
import os
import os.path as osp
from statistics import fmean, stdev

from mmengine.dist import barrier, is_main_process
from mmengine.logging import print_log
from rich.console import Console
from rich.table import Table

from twlv_mm.records import checks, locked, parsing, read_json, write_json
from twlv_mm.records.results import RESULTS

from .launch import UsageError, build_runner, one_line_errors, train_config, training_parser
from .results_hook import ResultsHook
from .work_dir import WorkDirError

FINISHED = 'folds.json'
# Entries of the config that may differ between commands that share a work dir.
HOW_IT_RUNS = ('work_dir', 'resume', 'launcher')


class FoldError(RuntimeError):
    """The run of a fold failed; the cause is the error of the run, ``advice`` says what to do next."""

    def __init__(self, what, advice):
        super().__init__(f'{what}\n{advice}')
        self.advice = advice


def main_folds(argv=None):
    """Cross-validate as ``tools/run_folds.py`` does; see :func:`run_folds`."""
    parser = training_parser(
        'Train and test on each fold of a dataset, and average. The same command resumes after an interruption.'
    )
    parser.add_argument('--folds', type=int, nargs='+', metavar='FOLD', help="only these of the config's folds")
    parser.set_defaults(resume='auto')
    args = parser.parse_args(argv)

    with one_line_errors(parser):
        record = run_folds(train_config(args), args.folds)
    if is_main_process():
        _print_table(record)
    return record


def run_folds(cfg, folds=None):
    """Train and test on each fold, always the last epoch, and average.

    The config lists its ``folds`` as numbers; every ``fold`` in it is set to the number of the run. Runs are in
    ``<work_dir>/fold<number>``. ``<work_dir>/folds.json`` has the results of finished folds, which are not run again;
    with ``resume='auto'``, an interrupted fold continues from its latest checkpoint. Commands for one fold each may run
    side by side; one for all folds then averages.

    ``<work_dir>/results.json`` is what ResultsHook writes, with these differences: metrics are the means over the folds
    (null where a fold has null), ``spread`` their standard deviations (null for a single fold), ``folds`` has those of
    each, the protocol lists the folds, checkpoint is null, so is the seed where the folds' differ, and wall_seconds is
    the sum. All other entries are the last fold's.

    Args:
        cfg (Config): From :func:`twlv_mm.engine.launch.train_config`.
        folds (list[int], optional): Some of the config's folds; all if None.

    Returns:
        dict: the record in results.json.

    Raises:
        FoldError: if the run of a fold fails.
        UsageError: if a fold is unknown, the config has no folds, or the work dir belongs to another config.
    """
    _check_config(cfg)
    chosen = _choose(cfg, folds)
    path, text = osp.join(cfg.work_dir, FINISHED), _text(cfg)
    before = [fold for fold in chosen if fold in _read_finished(path, text)]
    if before:
        print_log(f'Finished earlier, according to {path}: fold {", ".join(map(str, before))}', logger='current')
    elif not osp.isfile(path):
        # Marks the checkpoints beside it as this config's.
        os.makedirs(cfg.work_dir, exist_ok=True)
        _add_finished(path, text, {})
    for fold in chosen:
        if fold not in before:
            _run(cfg, fold, path, text)

    barrier()
    finished = _read_finished(path, text)
    record = _average(cfg, {fold: finished[fold] for fold in chosen})
    if is_main_process():
        write_json(osp.join(cfg.work_dir, RESULTS), record)
    return record


def fold_config(cfg, fold):
    """A copy of a config for one fold: every ``fold`` is set, and the work dir is its own."""
    cfg = copy.deepcopy(cfg)
    cfg.work_dir = osp.join(cfg.work_dir, f'fold{fold}')
    if not osp.isdir(cfg.work_dir):
        cfg.resume = False  # nothing to resume, and no warning about it
    # mmengine keeps loggers, message hubs and visualizers by name, for as long as the process lives.
    cfg.experiment_name = cfg.work_dir
    (cfg.get('visualizer') or {}).pop('name', None)
    for place in _with_fold(cfg._cfg_dict):
        place['fold'] = fold
    return cfg


def _run(cfg, fold, path, text):
    """Train and test on a fold, and record its results."""
    advice = f'Finished folds are in {path}; the same command goes on from there.'
    try:
        runner = build_runner(fold_config(cfg, fold))
        runner.logger.info(f'fold {fold} of {len(cfg.folds)}')
        if cfg.get('train_dataloader') is not None:
            runner.train()
        runner.test()
    except WorkDirError:
        raise
    except Exception as error:
        raise FoldError(f'fold {fold} failed with {type(error).__name__}: {error}', advice) from error
    except KeyboardInterrupt as error:
        error.advice = advice
        raise
    if is_main_process():
        record = read_json(osp.join(runner.log_dir, RESULTS), dict)
        del record['config']  # the same for every fold but for its number, and as long as all the rest
        _add_finished(path, text, {fold: record})
    # A runner and its loops refer to each other: the model would stay on the GPU, and workers alive.
    del runner
    gc.collect()


def _check_config(cfg):
    if not cfg.get('folds'):
        raise UsageError(f'{cfg.filename} does not list its folds: add folds = [1, 2, 3, 4], say, to it')
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        needed = name == 'test_dataloader' or cfg.get(name) is not None  # kNN learns from the bank of its model
        if needed and not any(_with_fold(cfg.get(name))):
            raise UsageError(
                f'{cfg.filename} has no dataset with a fold in its {name}: every fold would see the same videos. '
                'Add fold=1, say, to the dataset'
            )
    if _results_hook(cfg) is None:
        raise UsageError(
            f'{cfg.filename} has no ResultsHook, whose records are averaged: add '
            "default_hooks = dict(results=dict(type='twlv_mm.ResultsHook', ...)) to it"
        )


def _choose(cfg, folds):
    if folds is None:
        return list(cfg.folds)
    unknown = [fold for fold in folds if fold not in cfg.folds]
    if unknown:
        known = ', '.join(map(str, cfg.folds))
        raise UsageError(f'unknown fold {unknown[0]} (--folds): {cfg.filename} has {known}')
    return sorted(set(folds), key=cfg.folds.index)


def _with_fold(part):
    """The dicts inside a part of a config that have a fold."""
    if isinstance(part, dict):
        if 'fold' in part:
            yield part
        part = list(part.values())
    if isinstance(part, list | tuple):
        for value in part:
            yield from _with_fold(value)


def _results_hook(cfg):
    hooks = [*(cfg.get('default_hooks') or {}).values(), *(cfg.get('custom_hooks') or [])]
    for hook in filter(None, hooks):
        kind = hook.get('type', '')
        if (kind if isinstance(kind, str) else kind.__name__).split('.')[-1] == ResultsHook.__name__:
            return hook
    return None


def _text(cfg):
    cfg = copy.deepcopy(cfg)
    for name in HOW_IT_RUNS:
        cfg.pop(name, None)
    return cfg.pretty_text


def _read_finished(path, text):
    """The records of the finished folds by number; refuses those of another config."""
    if not osp.isfile(path):
        return {}
    try:
        with parsing(path):
            content = read_json(path, dict)
            theirs = checks.instance(content['config'], str, 'its config')
            finished = {checks.count_in(fold, 'a fold'): _finished(one) for fold, one in content['folds'].items()}
    except ValueError as error:
        raise UsageError(
            f'{path} is not a record of finished folds ({error}): choose another --work-dir, or remove the file and '
            'the folders beside it to run every fold again'
        ) from error
    if theirs != text:
        lines = difflib.unified_diff(theirs.splitlines(), text.splitlines(), n=0, lineterm='')
        changed = [line for line in lines if line[:1] in '+-' and line[:3] not in ('---', '+++')]
        shown = '\n  '.join(changed[:6] + ['...'] * (len(changed) > 6))
        raise UsageError(
            f'{osp.dirname(path)} has the folds of another config: choose another --work-dir. What differs (- there, '
            f'+ now):\n  {shown}'
        )
    return finished


def _finished(record):
    """The record of a fold, checked as far as averaging needs it."""
    for name, kind in dict(metrics=dict, protocol=dict).items():
        checks.instance(record[name], kind, f'its {name}')
    for name, value in record['metrics'].items():
        if value is not None:
            checks.number(value, f'its {name}')
    checks.number(record['wall_seconds'], 'its wall_seconds', least=0)
    return record


def _add_finished(path, text, records):
    # Read again under the lock: other commands may have finished folds since this one started.
    with locked(f'{path}.lock'):
        finished = _read_finished(path, text) | records
        write_json(path, dict(config=text, folds={str(fold): finished[fold] for fold in sorted(finished)}))


def _average(cfg, records):
    *_, last = records.values()
    metrics = {fold: record['metrics'] for fold, record in records.items()}
    seeds = {record['seed'] for record in records.values()}
    protocol = {name: value for name, value in last['protocol'].items() if name != 'fold'}
    return {
        **last,
        'protocol': {**protocol, 'folds': list(records)},
        'metrics': {name: _mean([one.get(name) for one in metrics.values()]) for name in last['metrics']},
        'spread': {name: _spread([one.get(name) for one in metrics.values()]) for name in last['metrics']},
        'folds': {str(fold): one for fold, one in metrics.items()},
        'checkpoint': None,
        'seed': seeds.pop() if len(seeds) == 1 else None,
        'config': dict(path=cfg.filename, dump=cfg.pretty_text),
        'wall_seconds': round(sum(record['wall_seconds'] for record in records.values()), 3),
    }


def _mean(values):
    return None if None in values else fmean(values)


def _spread(values):
    return None if None in values or len(values) < 2 else stdev(values)


def _print_table(record):
    table = Table('%', *(f'fold {fold}' for fold in record['folds']), 'mean', '+-')
    for column in table.columns[1:]:
        column.justify = 'right'
    for name, mean in record['metrics'].items():
        values = [*(one.get(name) for one in record['folds'].values()), mean, record['spread'][name]]
        table.add_row(checks.printable(name), *('' if value is None else f'{value:.2f}' for value in values))
    # An explicit width, because a log has none and rich would cut the numbers.
    Console(width=40 + 10 * len(table.columns), markup=False).print(table)
