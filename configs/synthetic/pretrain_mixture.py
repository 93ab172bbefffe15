# Masked pretraining on generated clips, on several targets at once: a single-frame teacher of appearance, a
# clip teacher of motion, and the pixels of the masked patches. Neither teacher knows what the other does.
_base_ = './pretrain_motion_teacher.py'

model = dict(
    teachers=dict(
        frames=dict(
            source='twlv_small_synthetic', num_frames=1, tubelet_size=1, weights='work_dirs/small/single_frame.pth'
        )
    ),
    targets=dict(
        frames=dict(type='twlv_mm.TeacherTokens', teacher='frames'),
        frames_clip=dict(type='twlv_mm.TeacherClip', teacher='frames'),
        pixels=dict(type='twlv_mm.PixelTarget', per_patch=False),
    ),
)
# Six minutes on one CPU core.
max_iters = 1200
