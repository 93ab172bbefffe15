# Masked pretraining on generated clips: as pretrain_video_teacher.py, and the teacher was trained on motions and on
# nothing else. Made by `python tools/make_small.py --pretrain motion_teacher`, or given with
# --cfg-options model.teachers.video.weights=PATH
_base_ = './pretrain_video_teacher.py'

model = dict(teachers=dict(video=dict(weights='work_dirs/small/motion.pth')))
