"""Whether the encoder of a model learns, measured on what was built, whatever the config says."""

from torch.nn.modules.batchnorm import _NormBase

from twlv_mm.encoders import EncoderError

PROBES = ('recognition_linear', 'recognition_attentive', 'recognition_knn')  # the paper's tasks on frozen encoders


def is_frozen(model, optimizer=None):
    """Whether training leaves an encoder as it is: its parameters, and what its layers of normalisation count.

    Args:
        model (nn.Module): With the encoder as ``backbone``.
        optimizer (torch.optim.Optimizer, optional): Parameters that are not in it, or have a rate of 0, do not learn.

    Returns:
        bool | None: None if the model has no encoder.
    """
    backbone = getattr(model, 'backbone', None)
    if backbone is None:
        return None
    # Of stored embeddings, the encoder that made them is there without its weights.
    learning = [one for one in backbone.parameters() if one.requires_grad and one.device.type != 'meta']
    if optimizer is not None:
        rates = {}
        for group in optimizer.param_groups:
            rates |= dict.fromkeys(map(id, group['params']), group.get('initial_lr', group['lr']))
        learning = [one for one in learning if rates.get(id(one))]
    counting = [
        module
        for module in backbone.modules()
        if isinstance(module, _NormBase) and module.training and module.track_running_stats
    ]
    return not learning and not (optimizer is not None and counting)


def check_probe(task, frozen, why):
    """Refuse a probe whose encoder learns.

    Args:
        task (str): Of the ResultsHook.
        frozen (bool | None): From :func:`is_frozen`.
        why (str): What was measured, to begin the message with.

    Raises:
        EncoderError: if the task is that of a frozen encoder, and this one is not.
    """
    if task in PROBES and frozen is False:
        raise EncoderError(
            f'{why}, and the task of its ResultsHook, {task}, is one of frozen encoders. Freeze it (frozen=True of '
            "twlv_mm.Encoder, which takes mmaction2's networks as source='mmaction:CONFIG'), or say what it is: "
            "default_hooks.results.task='recognition_finetune'"
        )
