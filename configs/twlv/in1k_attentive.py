# Attentive probe on ImageNet-1K (paper 2.3, Tables 4 and 5): frozen encoder,
# V-JEPA's probe on the tokens of a still video.
_base_ = [
    '../_base_/datasets/in1k_images.py',
    '../_base_/schedules/attentive_probe.py',
    '../_base_/runtime.py',
]

model = dict(
    type='twlv_mm.ProbeRecognizer',
    features='tokens',
    data_preprocessor=_base_.preprocessor,
    backbone=_base_.backbone,
    cls_head=dict(
        type='twlv_mm.AttentiveHead',
        num_classes=1000,
        in_channels=_base_.spec.embed_dims,
        num_heads=_base_.spec.num_heads,
        across_clips=False,  # probabilities averaged over the views (paper 2.2); one clip in training (Table 4)
    ),
)
# Table 4: batch 512, weight decay 0.001.
batch_size = min(64, 512 // _base_.gpus)  # per GPU
optim_wrapper = dict(optimizer=dict(weight_decay=0.001), accumulative_counts=max(1, 512 // (batch_size * _base_.gpus)))
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=_base_.attentive_pipeline))
default_hooks = dict(
    labels=dict(type='twlv_mm.CheckLabelsHook'),  # before the first step
    results=dict(
        type='twlv_mm.ResultsHook',  # writes results.json
        task='recognition_attentive',
        dataset='imagenet1k',
    ),
)
