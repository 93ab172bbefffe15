# TWLV-I as an mmaction2 backbone, fine-tuned on Something-Something v2 by VideoMAE's recipe (its published command for
# ViT-B: 50 epochs, 5e-4 for 256 clips, frames over the whole video, no flip). Otherwise like k400_finetune.py.
_base_ = './k400_finetune.py'

data_root = 'data/ssv2'
train_list = dict(ann_file=f'{data_root}/ssv2_train_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
val_list = dict(ann_file=f'{data_root}/ssv2_val_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))

# VideoMAE samples each frame at random within its segment and tests two such clips; here one clip of middle frames.
whole = [_base_.open_video, dict(type='twlv_mm.EmbeddingSample', num_frames=_base_.frames, sampling='uniform')]
train_pipeline = [*whole, *(step for step in _base_.train_pipeline[2:] if step['type'] != 'Flip')]
num_classes = 174
max_epochs = 50
warmup_epochs = max_epochs * 5 / 50
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **train_list))
val_dataloader = dict(dataset=dict(pipeline=[*whole, *_base_.one_view, _base_.pack], **val_list))
test_dataloader = dict(batch_size=8, dataset=dict(pipeline=[*whole, *_base_.three_views, _base_.pack], **val_list))
default_hooks = dict(
    results=dict(
        dataset='ssv2',
    )
)
