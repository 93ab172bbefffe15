# The objective of TWLV-I's pretraining (paper 2.1). The paper only says that masked modelling is the baseline and
# that its targets are diversified to combine it with distillation. Masks, targets and weights are assumed, from the
# methods that it names:
# - masks: V-JEPA's short- and long-range blocks, about 90 % of a clip; each clip is encoded with both;
# - motion: the encoder's own moving average, as in V-JEPA;
# - appearance: tokens of a frozen CLIP ViT-L/14, frame by frame, on the visible patches, as in UMT;
# - pixels of the masked patches, as in VideoMAE, with a small weight: the only target that is not a network's output.
# Set the teacher with --cfg-options model.teachers.image.weights=PATH (a visual tower in open_clip's layout). The
# moving average needs the hook twlv_mm.MomentumScheduleHook. The config sets the encoder.
model = dict(
    type='twlv_mm.MaskedPretrainer',
    masks=[
        dict(type='twlv_mm.MultiBlockMask', blocks=8, spatial=(0.15, 0.15)),
        dict(type='twlv_mm.MultiBlockMask', blocks=2, spatial=(0.7, 0.7)),
    ],
    predictor=dict(dims=384, depth=12),  # V-JEPA's
    teachers=dict(image=dict(source='clip_large', weights='weights/clip_vit_large_patch14.pth')),
    targets=dict(
        latent=dict(type='twlv_mm.LatentTarget'),
        image=dict(type='twlv_mm.TeacherTokens', teacher='image'),
        pixels=dict(type='twlv_mm.PixelTarget', weight=0.1),
    ),
)
