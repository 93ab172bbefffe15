"""The model of a finished training run: its config and checkpoint, ready for use."""

import copy
import os

import torch
from mmengine.registry import MODELS, init_default_scope

from twlv_mm.encoders import file_sha256, read_checkpoint
from twlv_mm.engine import CheckpointError, check_encoder, provenance


def load_model(cfg, checkpoint, device=None):
    """Build the model of a config and give it the weights of a run.

    Args:
        cfg (Config): The config.
        checkpoint (str | Path): What a training run of it has written.
        device (str, optional): Where to compute; a GPU if there is one.

    Returns:
        tuple[nn.Module, dict]: the model, in evaluation; the checkpoint's meta, empty where it has none.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        CheckpointError: if it is another model's.
        EncoderError: if the config contradicts its encoder.
        ValueError: if it cannot be read.
    """
    if not os.path.isfile(checkpoint):
        raise FileNotFoundError(f'there is no checkpoint {checkpoint}')
    check_encoder(cfg)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    model = copy.deepcopy(cfg.model)
    for part in (model, *model.values()):
        if isinstance(part, dict) and isinstance(part.get('weights'), str):
            part.weights = None  # the checkpoint holds all, and the file of the part may be gone
    model = MODELS.build(model)
    saved = read_checkpoint(checkpoint)
    try:
        model.load_state_dict(saved.get('state_dict', saved))
    except RuntimeError as error:
        reason = str(error) if len(str(error)) < 600 else f'{str(error)[:600]}…'
        raise CheckpointError(
            f"{checkpoint} does not hold the weights of {cfg.filename}'s model: give the config of the run that wrote "
            f'it. {reason}'
        ) from None
    meta = saved.get('meta')
    device = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
    return model.to(device).eval(), meta if isinstance(meta, dict) else {}


def made_with(cfg, checkpoint):
    """What every result says of its origin.

    Args:
        cfg (Config): The config.
        checkpoint (str | Path): The checkpoint.

    Returns:
        dict: config (path), checkpoint (path, sha256), versions.
    """
    return dict(
        config=cfg.filename,
        checkpoint=dict(path=os.fspath(checkpoint), sha256=file_sha256(checkpoint)),
        versions=provenance.versions(),
    )
