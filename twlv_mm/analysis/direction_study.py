"""Direction of motion by class and encoder: table, plots and results.json (paper Figures 8 and 9)."""

import json
import re
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.progress import Progress

from twlv_mm.embeddings import encoder_of
from twlv_mm.records import provenance, write_json, write_table, write_text
from twlv_mm.records.results import RESULTS, result_record

from .direction import CONFIDENCE, FOLDS, MIN_VIDEOS, REPEATS, mean_score, score_direction
from .direction_pairs import DIRECTIONS, common_pairs
from .scatter import panel, scatter_png
from .scatter_page import scatter_html

MEAN = 'mean over classes'
COLUMNS = ('videos', 'accuracy', 'low', 'high', 'paired', 'permuted', 'permuted_high', 'p_value')


class DirectionStudy(NamedTuple):
    """Direction scores by class and encoder."""

    pairs: dict  # encoder -> DirectionPairs of the videos that all encoders have in both directions
    scores: dict  # class -> encoder -> DirectionScore; the mean over classes comes last
    too_few: dict[str, int]  # classes that were not measured -> their number of videos
    left_out: dict[str, int]  # encoder -> number of its videos that others lack, if any
    seconds: dict[str, float]  # encoder -> duration of its measurement
    settings: dict  # seed and permutations


def study_direction(pairs, classes=None, *, permutations=200, seed=0):
    """Score every class with every encoder, on the same videos.

    Args:
        pairs (dict[str, DirectionPairs]): Name of an encoder -> its embeddings, from :func:`load_pairs`.
        classes (Sequence[str], optional): Names of the classes to measure; all if None.
        permutations, seed: See :func:`score_direction`.

    Raises:
        ValueError: if the encoders have no videos in common, or a requested class (or each class) has fewer than ten.
    """
    for encoder in pairs:
        if Path(encoder).name != encoder:
            raise ValueError(f'{encoder!r} is not a valid folder name: give the encoder another name')
    pairs, left_out = common_pairs(pairs)
    points = next(iter(pairs.values())).forward
    counts = dict(zip(points.classes, np.bincount(points.labels).tolist(), strict=True))
    foreign = [name for name in classes or () if name not in counts]
    if foreign:
        shown = ', '.join(points.classes[:5]) + (', …' if len(counts) > 5 else '')
        raise ValueError(f'unknown class {foreign[0]!r}; it is not among the {len(counts)}: {shown}')
    wanted = list(dict.fromkeys(classes or counts))
    too_few = {name: counts[name] for name in wanted if counts[name] < MIN_VIDEOS}
    if too_few and (classes or len(too_few) == len(wanted)):
        listed = ', '.join(f'{name} ({count})' for name, count in list(too_few.items())[:5])
        raise ValueError(f'{len(too_few)} classes have fewer than {MIN_VIDEOS} videos in both directions: {listed}')
    scores, seconds = {}, dict.fromkeys(pairs, 0.0)
    measured = [name for name in wanted if name not in too_few]
    with Progress() as progress:
        task = progress.add_task('direction', total=len(measured) * len(pairs))
        for name in measured:
            scores[name] = {}
            for encoder, its in pairs.items():
                start = time.perf_counter()
                rows = its.forward.labels == its.forward.classes.index(name)
                scores[name][encoder] = score_direction(
                    its.forward.vectors[rows], its.backward[rows], permutations=permutations, seed=seed
                )
                seconds[encoder] += time.perf_counter() - start
                progress.advance(task)
    scores[MEAN] = {encoder: mean_score([scores[name][encoder] for name in measured]) for encoder in pairs}
    return DirectionStudy(pairs, scores, too_few, left_out, seconds, dict(seed=seed, permutations=permutations))


def write_tables(study, out):
    """Write ``direction.csv``, a row per class and encoder, and ``direction.md``, a column per encoder (returned)."""
    rows = [
        [name, encoder, *(f'{getattr(score, column):.6g}' for column in COLUMNS)]
        for name, of_class in study.scores.items()
        for encoder, score in of_class.items()
    ]
    write_table(out / 'direction.csv', ['class', 'encoder', *COLUMNS], rows)
    encoders = list(study.pairs)
    lines = [
        f'| class | videos | {" | ".join(encoders)} | directions swapped |',
        f'|---|---|{"---|" * len(encoders)}---|',
    ]
    for name, of_class in study.scores.items():
        cells = [f'{score.accuracy:.1f} ({score.low:.1f} to {score.high:.1f})' for score in of_class.values()]
        highest = max(score.permuted_high for score in of_class.values())
        videos = of_class[encoders[0]].videos
        lines.append(f'| {_escaped(name)} | {videos} | {" | ".join(cells)} | at most {highest:.1f} |')
    lines += [
        '',
        f'Forward against reversed: cross-validated balanced accuracy in % ({CONFIDENCE} % confidence interval). '
        f'Last column: the {CONFIDENCE}th percentile of the accuracy with directions swapped at random, for the '
        'encoder with the highest one.',
    ]
    lines += [f'Not measured, too few videos: {_escaped(name)} ({count}).' for name, count in study.too_few.items()]
    text = '\n'.join(lines) + '\n'
    write_text(out / 'direction.md', text)
    return text


def draw_direction(study, out, *, thumbnails=None, fit_drawn=False):
    """Draw ``<number>_<class>.png`` and ``.html`` for each class, a panel per encoder; returns the .png files.

    ``thumbnails`` is as for :func:`scatter_html`, ``fit_drawn`` as for :func:`project`.
    """
    pictures = []
    for name, of_class in study.scores.items():
        if name == MEAN:
            continue
        panels = [
            panel(
                f'{encoder}: {score.accuracy:.1f} % ({score.low:.1f} to {score.high:.1f})',
                study.pairs[encoder].of_class(name),
                'lda',
                seed=study.settings['seed'],
                fit_drawn=fit_drawn,
            )
            for encoder, score in of_class.items()
        ]
        # Numbered, because two names may differ only in characters that file names cannot have.
        word = re.sub(r'[^\w-]+', '_', name).strip('_')
        stem = out / f'{len(pictures):03d}_{word}'
        scatter_png(f'{stem}.png', panels, DIRECTIONS, title=name)
        page = scatter_html(panels, DIRECTIONS, title=f'{name}: forward and reversed', thumbnails=thumbnails)
        write_text(f'{stem}.html', page)
        pictures.append(Path(f'{stem}.png'))
    return pictures


def write_results(study, out, dataset, arguments):
    """Write ``<out>/<encoder>/results.json`` for each encoder, as test runs do, and return the files.

    Metrics: direction/accuracy (mean over classes), direction/low, direction/high, direction/paired,
        direction/permuted, direction/permuted_high, and direction/class/<name> for each class.
    """
    paths = []
    for name, pairs in study.pairs.items():
        mean = study.scores[MEAN][name]
        metrics = {f'direction/{column}': getattr(mean, column) for column in COLUMNS[1:-1]}
        measured = [kind for kind in study.scores if kind != MEAN]
        metrics |= {f'direction/class/{kind}': study.scores[kind][name].accuracy for kind in measured}
        backbone = encoder_of(pairs.settings)
        decoder, _, version = (pairs.decoder or '').partition(' ')
        record = result_record(
            'direction',
            dataset,
            dict(
                classifier='ridge regression on +1 and -1, Ledoit-Wolf shrinkage',
                folds=FOLDS,
                repeats=REPEATS,
                permutations=study.settings['permutations'],
                confidence=CONFIDENCE,
                classes=measured,
                videos=mean.videos,
                **{key: pairs.settings[key] for key in ('sampling', 'clip_seconds', 'stride_seconds')},
                frames=pairs.settings['frames_per_clip'],
            ),
            metrics,
            encoder=provenance.encoder(backbone) | dict(label=name),
            checkpoint=None,
            seed=study.settings['seed'],
            config=dict(path=None, dump=json.dumps(arguments | dict(embeddings=str(pairs.folder)), indent=2)),
            decoder=dict(name=decoder, version=version or None) if decoder else None,
            wall_seconds=study.seconds[name],
        )
        path = Path(out, name, RESULTS)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(str(path), record)
        paths.append(path)
    return paths


def _escaped(name):
    return name.replace('|', '\\|')
