# Runtime of pretraining: steps instead of epochs, and hooks for long runs.
_base_ = './runtime.py'

default_hooks = dict(
    logger=dict(type='twlv_mm.StepLoggerHook'),  # including the last step
    checkpoint=dict(interval=1000, by_epoch=False, save_best=None),
    finite_gradient=dict(type='twlv_mm.FiniteGradientHook'),  # saves and stops before NaN reaches the weights
    clip_rate=dict(type='twlv_mm.ClipRateHook'),
)
log_processor = dict(by_epoch=False)
