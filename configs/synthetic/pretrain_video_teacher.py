# Masked pretraining on generated clips: tokens and the pooled vector of a teacher of clips, the small encoder that was
# trained on appearance and motion. Made by `python tools/make_small.py`, or given with
# --cfg-options model.teachers.video.weights=PATH
_base_ = './pretrain_pixels.py'

model = dict(
    teachers=dict(video=dict(source='twlv_small_synthetic', weights='work_dirs/small/encoder.pth')),
    targets=dict(
        _delete_=True,
        tokens=dict(type='twlv_mm.TeacherTokens', teacher='video'),
        clip=dict(type='twlv_mm.TeacherClip', teacher='video'),
    ),
)
# Four minutes of a CPU core.
max_iters = 1300
