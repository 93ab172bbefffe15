# Attentive probe on the verbs of EPIC-KITCHENS-100 (paper 2.2.2, Table 5): frozen encoder, V-JEPA's probe on the tokens
# of all segments of a video. Otherwise as ek100_linear.py.
_base_ = './ek100_linear.py'

# As many segments as in the test, one crop: V-JEPA's code.
train_pipeline = [
    dict(type='twlv_mm.SegmentSample', num_frames=16, clip_seconds=64 / 30, num_clips=2),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='twlv_mm.RandAugment', num_ops=4, magnitude=7),
    dict(type='RandomResizedCrop', area_range=(0.08, 1.0)),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='twlv_mm.RandomErasing', prob=0.25),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'num_clips')),
]
model = dict(
    type='twlv_mm.ProbeRecognizer',
    features='tokens',
    cls_head=dict(_delete_=True, type='twlv_mm.AttentiveHead', num_classes=97, in_channels=768, num_heads=12),
)
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
default_hooks = dict(results=dict(task='recognition_attentive'))
