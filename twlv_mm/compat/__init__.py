"""One file per defect of the OpenMMLab stack on today's Python; each is a no-op where upstream is sound."""

# torch before anything that imports decord: the other way round, the process can hang.
import torch  # noqa: F401  isort: skip

from . import lazy_transformers  # isort: skip

lazy_transformers.apply()  # before mmengine, which the others import

from . import (  # noqa: E402
    bf16_heads,
    checkpoint_order,
    checkpoints,
    color_jitter,
    config_base,
    config_text,
    config_variables,
    drn_stub,
    early_stopping,
    ema_steps,
    lr_schedule,
    mmcv_ext,
    multimodal,
    numpy_names,
    pickles,
    resume_config,
    scoped_names,
    tsn_head,
    video_backend,
    weights_only,
    yaml_configs,
)

DEFECTS = (
    weights_only,
    checkpoints,
    checkpoint_order,
    resume_config,
    pickles,
    yaml_configs,
    config_base,
    config_text,
    config_variables,
    drn_stub,
    mmcv_ext,
    multimodal,
    numpy_names,
    color_jitter,
    tsn_head,
    bf16_heads,
    video_backend,
    early_stopping,
    ema_steps,
    lr_schedule,
    scoped_names,
)


def apply():
    """Apply all fixes. Called by ``import twlv_mm``; a second call changes nothing."""
    for defect in DEFECTS:
        defect.apply()
