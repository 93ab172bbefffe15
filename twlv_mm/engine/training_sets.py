"""Which data sets an encoder's weights have seen, as its checkpoints say: what daggers in the report are set by."""

from twlv_mm.encoders import Encoder, sets_of

UNKNOWN = 'unknown'  # stands for what weights were trained on that do not say so


def training_sets(runner):
    """What a checkpoint says of the data that its encoder was trained on.

    Args:
        runner (Runner): Of the training.

    Returns:
        dict[str, list[str]]: pretraining_sets, those of the weights that the encoder began with ('unknown' where they
        do not say), and trained_on, unless it is frozen: the sets of the run's mixture, or the set that its config
        names for results.json. Empty lists are left out; so are both if the model has no encoder as ``backbone``.
    """
    encoder = _encoder(runner._unwrapped_model)
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


def note_sets(model, checkpoint, path, same_run):
    """Let an encoder without weights of its own have the data sets that a checkpoint was trained on.

    Args:
        model (nn.Module): Perhaps with an encoder as ``backbone``.
        checkpoint (dict): As loaded.
        path (str): Its file, for messages.
        same_run (bool): Whether its run goes on or is tested, so that what that run trained on was no pretraining.
    """
    encoder = _encoder(model)
    if encoder is not None and encoder.pretraining_sets is None:
        keys = ('pretraining_sets',) if same_run else ('pretraining_sets', 'trained_on')
        encoder.pretraining_sets = sets_of(checkpoint, path, keys)


def _encoder(model):
    encoder = dict(model.named_children()).get('backbone')
    return encoder if isinstance(encoder, Encoder) else None
