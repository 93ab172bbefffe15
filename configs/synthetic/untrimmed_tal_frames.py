# Like untrimmed_tal.py, with an encoder without time: the embedding of a clip is that of its middle frame. Set the
# encoder of both_single_frame.py with --cfg-options encoder_weights=work_dirs/both_single_frame/epoch_8.pth.
_base_ = './untrimmed_tal.py'

encoder_overrides = dict(num_frames=1, tubelet_size=1)
embeddings = f'{_base_.embeddings}_frames'
extraction = dict(out=embeddings)
train_dataloader = dict(dataset=dict(folder=f'{embeddings}/multi-clip/train'))
val_dataloader = dict(dataset=dict(folder=f'{embeddings}/multi-clip/test'))
test_dataloader = dict(dataset=dict(folder=f'{embeddings}/multi-clip/test'))
