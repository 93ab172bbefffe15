"""The model of a finished training run, loaded from its config and checkpoint."""

import copy
import os

import torch
from mmengine.registry import MODELS, init_default_scope

from twlv_mm.encoders import file_sha256, read_checkpoint
from twlv_mm.engine import CheckpointError, check_encoder
from twlv_mm.records import provenance


def load_model(cfg, checkpoint, device=None):
    """Build the model of a config, in evaluation mode, and load weights from a run of that config.

    Returns the model, on a GPU if there is one and no ``device``, and the checkpoint's meta, {} if it has none. Raises
    CheckpointError if the checkpoint is another model's, EncoderError if the config contradicts its encoder.
    """
    if not os.path.isfile(checkpoint):
        raise FileNotFoundError(f'checkpoint {checkpoint} does not exist')
    check_encoder(cfg)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    model = copy.deepcopy(cfg.model)
    for part in (model, *model.values()):
        if isinstance(part, dict) and isinstance(part.get('weights'), str):
            part.weights = None  # the checkpoint has all weights, and the part's own file may be gone
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
    """The provenance that every result records: config (path), checkpoint (path, sha256), versions."""
    return dict(
        config=cfg.filename,
        checkpoint=dict(path=os.fspath(checkpoint), sha256=file_sha256(checkpoint)),
        versions=provenance.versions(),
    )
