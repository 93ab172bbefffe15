# Masked pretraining on generated clips: tokens of a teacher that has learned appearance from single frames, and sees
# the middle frame of each tubelet. Made by `python tools/make_small.py --pretrain teacher`, or given with
# --cfg-options model.teachers.frames.weights=PATH
_base_ = './pretrain_pixels.py'

model = dict(
    teachers=dict(
        frames=dict(
            source='twlv_small_synthetic', num_frames=1, tubelet_size=1, weights='work_dirs/small/single_frame.pth'
        )
    ),
    targets=dict(_delete_=True, frames=dict(type='twlv_mm.TeacherTokens', teacher='frames')),
)
# Four minutes of a CPU core.
max_iters = 1300
