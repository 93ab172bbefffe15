# Masked pretraining on generated clips: tokens of a teacher that was trained on appearance in single frames, for
# the middle frame of each tubelet. `python tools/make_small.py --pretrain teacher` trains the teacher, or set it with
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
# Four minutes on one CPU core.
max_iters = 1300
