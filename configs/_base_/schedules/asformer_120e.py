# ASFormer's schedule (paper Table 7): 120 epochs of single videos in random order.
max_epochs = 120
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs)
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # bf16 with --amp
    optimizer=dict(type='Adam', lr=5e-4, weight_decay=1e-4, fused=True),  # TWLV-I's code: weight decay 1e-5
)
# For DistributedDataParallel: in windows of one step, queries and keys have no gradient.
find_unused_parameters = True
custom_hooks = [dict(type='twlv_mm.ReduceLROnPlateauHook', factor=0.5, patience=3)]  # on the training loss of an epoch
