# As untrimmed_tal.py, on an encoder without time: an embedding is that of a clip's middle frame. Give the encoder of
# both_single_frame.py with --cfg-options encoder_weights=work_dirs/both_single_frame/epoch_8.pth.
_base_ = './untrimmed_tal.py'

encoder_overrides = dict(num_frames=1, tubelet_size=1)
embeddings = f'{_base_.embeddings}_frames'
extraction = dict(out=embeddings)
train_dataloader = dict(dataset=dict(folder=f'{embeddings}/multi-clip/train'))
val_dataloader = dict(dataset=dict(folder=f'{embeddings}/multi-clip/test'))
test_dataloader = dict(dataset=dict(folder=f'{embeddings}/multi-clip/test'))
