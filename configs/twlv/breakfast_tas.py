# Temporal action segmentation on Breakfast (paper 2.6, Table 12): ASFormer on embeddings of clips.
# tools/run_folds.py runs all folds, tools/train.py the first.
_base_ = [
    '../_base_/models/asformer.py',
    '../_base_/datasets/breakfast_embeddings.py',
    '../_base_/schedules/asformer_120e.py',
    '../_base_/runtime.py',
]

folds = [1, 2, 3, 4]
model = dict(num_classes=48, in_channels=_base_.spec.embedding_dims, window='full')
optim_wrapper = dict(optimizer=dict(lr=1e-4))
default_hooks = dict(
    checkpoint=dict(
        interval=10, save_best=None, max_keep_ckpts=2, save_param_scheduler=False
    ),  # the last epoch is tested
    data=dict(type='twlv_mm.CheckEmbeddedVideosHook'),
    visualization=dict(type='twlv_mm.SegmentationVisualizationHook', videos=None),  # folder of videos, to draw frames
    results=dict(
        type='twlv_mm.ResultsHook',
        task='segmentation',
        dataset='breakfast',
    ),
)
