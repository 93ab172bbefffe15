# Masked pretraining on generated clips: like pretrain_video_teacher.py, with a teacher that was trained on motion
# only. `python tools/make_small.py --pretrain motion_teacher` trains the teacher, or set it with
# --cfg-options model.teachers.video.weights=PATH
_base_ = './pretrain_video_teacher.py'

model = dict(teachers=dict(video=dict(weights='work_dirs/small/motion.pth')))
