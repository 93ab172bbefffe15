"""results.json: the record of a test run, from which reports are made."""

from datetime import datetime

from . import provenance

SCHEMA_VERSION = 1
RESULTS = 'results.json'
TASKS = (
    'recognition_linear',
    'recognition_attentive',
    'recognition_knn',
    'recognition_finetune',
    'localization',
    'detection',
    'segmentation',
    'direction',
)
FROZEN_TASKS = ('recognition_linear', 'recognition_attentive', 'recognition_knn')  # on frozen encoders, in the paper


def result_record(
    task,
    dataset,
    protocol,
    metrics,
    *,
    encoder,
    checkpoint,
    seed,
    config,
    decoder,
    wall_seconds,
    training=None,
    processes=1,
):
    """The content of results.json; see :class:`~twlv_mm.engine.ResultsHook` for its entries.

    Args:
        task (str): One of ``TASKS``.
        dataset (str): Name of the dataset tested on.
        protocol (dict): All that is needed to compare the numbers.
        metrics (dict[str, float | None]): In percent.
        encoder (dict): From :func:`provenance.encoder`.
        checkpoint (dict | None): path and sha256.
        seed (int): Of the run.
        config (dict): path (None where the run has no config) and dump, its text.
        decoder (dict | None): name and version.
        wall_seconds (float): Of the test.
        training (dict | None): From :func:`run_plan`.
        processes (int): Of the run.
    """
    return dict(
        schema_version=SCHEMA_VERSION,
        task=task,
        dataset=dataset,
        protocol=protocol,
        metrics=metrics,
        encoder=encoder,
        checkpoint=checkpoint,
        training=training,
        seed=seed,
        config=config,
        versions=provenance.versions(),
        decoder=decoder,
        wall_seconds=round(wall_seconds, 3),
        hardware=provenance.hardware(processes),
        date=datetime.now().astimezone().isoformat(timespec='seconds'),
    )
