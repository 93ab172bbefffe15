"""What a training does to its encoder: whether it learns, and which datasets its weights have seen."""

import logging
import os

from mmengine.logging import print_log
from torch.nn.modules.batchnorm import _NormBase

from twlv_mm.encoders import UNKNOWN, Encoder, EncoderError, file_sha256, sets_of
from twlv_mm.records import checks
from twlv_mm.records.results import FROZEN_TASKS

from .wrappers import unwrapped

ENCODER_SHA256 = 'encoder_sha256'  # in the meta of a checkpoint


def is_frozen(encoder, optimizer=None):
    """Whether training leaves an encoder as it is: its parameters, and the running statistics of its norms.

    Parameters that are not in the optimizer, if given, or have a rate of 0, do not learn. None without an encoder.
    """
    if encoder is None:
        return None
    # The encoder of stored embeddings has no weights: it is on the meta device.
    learning = [one for one in encoder.parameters() if one.requires_grad and one.device.type != 'meta']
    if optimizer is not None:
        rates = {}
        for group in optimizer.param_groups:
            rates |= dict.fromkeys(map(id, group['params']), group.get('initial_lr', group['lr']))
        learning = [one for one in learning if rates.get(id(one))]
    counting = [
        module
        for module in encoder.modules()
        if isinstance(module, _NormBase) and module.training and module.track_running_stats
    ]
    return not learning and not (optimizer is not None and counting)


def check_probe(task, frozen, why):
    """Raise EncoderError if the task of a ResultsHook is one of frozen encoders, and this one learns.

    ``frozen`` is that of :func:`is_frozen`; the message begins with the finding, ``why``.
    """
    if task in FROZEN_TASKS and frozen is False:
        raise EncoderError(
            f'{why}, but the task of its ResultsHook, {task}, requires a frozen encoder. Freeze it (frozen=True of '
            "twlv_mm.Encoder, which takes mmaction2's networks as source='mmaction:CONFIG'), or declare it as "
            "fine-tuning: default_hooks.results.task='recognition_finetune'"
        )


def training_sets(runner):
    """What a checkpoint records about the data that its encoder was trained on; it decides the daggers of the report.

    Returns:
        dict[str, list[str]]: pretraining_sets, those of the weights that the encoder started from ('unknown' where they
        do not say), and trained_on, unless it is frozen: the sets of the run's mixture, or the set that its config
        names for results.json. Empty lists are left out; so are both if the model has no encoder as ``backbone``.
    """
    encoder = _encoder(unwrapped(runner.model))
    if encoder is None:
        return {}
    before, trained_on = encoder.pretraining_sets, ()
    started_from = None if runner._resume else runner.cfg.get('load_from')
    if before is None and (encoder.weights_sha256 is not None or started_from is not None):
        before = [UNKNOWN]
    if not encoder.frozen:
        trained_on = getattr(runner.train_dataloader.dataset, 'names', None)  # of a mixture
        hook = (runner.cfg.get('default_hooks') or {}).get('results') or {}
        trained_on = trained_on or [hook.get('dataset') or UNKNOWN]
    found = dict(pretraining_sets=before, trained_on=trained_on)
    return {name: list(sets) for name, sets in found.items() if sets}


def note_weights(model, checkpoint, path, same_run):
    """Give an encoder the origin of the weights that a checkpoint has put into it.

    That is ``weights_sha256`` and, unless known and unchanged, the datasets that they were trained on. Weights that its
    config gave are replaced, which is a warning.

    Args:
        model (nn.Module): Perhaps with an encoder as ``backbone``.
        checkpoint (dict): As loaded.
        path (str): Its file.
        same_run (bool): Whether its run is resumed or tested, so that the data of that run was no pretraining, and the
            weights are of the file that its encoder started from.
    """
    encoder = _encoder(model)
    if encoder is None:
        return
    before = encoder.weights_sha256
    if same_run:
        recorded = (checkpoint.get('meta') or {}).get(ENCODER_SHA256, before)  # earlier checkpoints do not have it
        encoder.weights_sha256 = recorded if recorded is None else checks.name(recorded, f'{path}, {ENCODER_SHA256}')
    elif any(key.startswith('backbone.') for key in checkpoint.get('state_dict', checkpoint)) and os.path.isfile(path):
        encoder.weights_sha256 = file_sha256(path)
    replaced = before is not None and encoder.weights_sha256 != before
    if replaced:
        print_log(
            f'The encoder has the weights of {path}, not those given as encoder_weights (SHA-256 {before[:12]}…).',
            'current',
            logging.WARNING,
        )
    if replaced or encoder.pretraining_sets is None:
        keys = ('pretraining_sets',) if same_run else ('pretraining_sets', 'trained_on')
        encoder.pretraining_sets = sets_of(checkpoint, path, keys)


def weights_origin(runner):
    """What a checkpoint records about the file that its encoder started from; empty without an encoder."""
    encoder = _encoder(unwrapped(runner.model))
    return {} if encoder is None else {ENCODER_SHA256: encoder.weights_sha256}


def _encoder(model):
    encoder = dict(model.named_children()).get('backbone')
    return encoder if isinstance(encoder, Encoder) else None
