"""A detector that finds what is white, for tests of what is around a detector."""

import torch
from mmengine.model import BaseModel
from mmengine.structures import InstanceData

from twlv_mm.registry import MODELS
from twlv_mm.synthetic import write_video

FPS = 8
SIZE = (96, 160)
NAMES = ('', 'stand', 'walk', 'talk')
CONFIG = """
default_scope = 'mmaction'
model = dict(type='twlv_mm.WhiteDetector', data_preprocessor=dict(
    type='twlv_mm.DetectionPreprocessor', mean=[0, 0, 0], std=[255, 255, 255]))
test_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='twlv_mm.AVAVideoDataset', ann_file='<folder>/test.csv', label_file='<folder>/actions.pbtxt',
        data_prefix=dict(img='<folder>/videos'), offset_seconds=900, test_mode=True, pipeline=[
            dict(type='twlv_mm.SampleKeyframeClip', clip_len=4, seconds=1.0),
            dict(type='twlv_mm.DecodeVideo'),
            dict(type='Resize', scale=(-1, 72)),
            dict(type='FormatShape', input_format='NCTHW', collapse=True),
            dict(type='twlv_mm.PackDetection')]))
test_evaluator = dict(type='twlv_mm.FrameMAP', ann_file='<folder>/test.csv', label_file='<folder>/actions.pbtxt')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    visualization=dict(type='twlv_mm.DetectionVisualizationHook'),
    results=dict(type='twlv_mm.ResultsHook', task='detection', dataset='tiny', protocol=dict()))
"""


@MODELS.register_module()
class WhiteDetector(BaseModel):
    """One box around the white pixels of the keyframe, if there are any, and one that is of no use.

    Args:
        num_classes (int): C.
        tubes (bool): Whether to follow the white pixels through the clip.
        data_preprocessor (dict): As every model's.
    """

    def __init__(self, num_classes=4, tubes=False, data_preprocessor=None):
        super().__init__(data_preprocessor)
        self.num_classes = num_classes
        self.tubes = tubes
        # Of a checkpoint: the score of the second action.
        self.walk = torch.nn.Parameter(torch.tensor(0.6))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        """Predict."""
        assert mode == 'predict'
        for clip, sample in zip(inputs, data_samples, strict=True):
            height, width = sample.img_shape[:2]
            boxes = [white_box(frame[:, :height, :width].mean(dim=0)) for frame in clip.unbind(1)]
            useless = clip.new_tensor([0.0, 0, 0.1, 0.1])
            tubes = torch.stack([torch.stack(boxes), useless.expand(len(boxes), 4)])
            scores = clip.new_tensor([[0, 0.9, 0, 0.1], [0, 0, 0.05, 0.1]])
            scores[0, 2] = self.walk
            found = InstanceData(bboxes=tubes[:, sample.key_frame], scores=scores)
            if self.tubes:
                found.tubes = tubes
            sample.pred_instances = found[[1, 0]]
        return data_samples


def white_box(picture):
    """Shares of a (H, W) picture."""
    rows, columns = torch.nonzero(picture > 0.75, as_tuple=True)
    height, width = picture.shape
    if not len(rows):
        return picture.new_zeros(4)
    edges = columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height
    return torch.stack(edges).to(picture)


def true_box(time):
    """Where the white square of the videos is, as shares: it moves right."""
    frame = int(time * FPS)
    left = 8 + 2 * frame
    return left / SIZE[1], 24 / SIZE[0], (left + 40) / SIZE[1], 72 / SIZE[0]


def write_square(path, num_frames=36):
    """A video of a white square that moves over grey."""
    frames = torch.full((num_frames, *SIZE, 3), 100, dtype=torch.uint8)
    for number, frame in enumerate(frames):
        left = 8 + 2 * number
        frame[24:72, left : left + 40] = 255
    write_video(path, frames.numpy(), FPS)


def write_set(folder, videos=('a', 'b')):
    """Videos, annotations of their seconds 1 to 3, and a config; its path."""
    (folder / 'videos').mkdir()
    for video in videos:
        write_square(folder / f'videos/{video}.mp4')
    rows = (
        f'{video},{900 + second:04d},{",".join(f"{edge:.3f}" for edge in true_box(second))},{action},0\n'
        for video in videos
        for second in (1, 2, 3)
        for action in (1, 2)
    )
    (folder / 'test.csv').write_text(''.join(rows))
    items = (f'item {{\n  name: "{name}"\n  id: {place}\n}}\n' for place, name in enumerate(NAMES) if name)
    (folder / 'actions.pbtxt').write_text(''.join(items))
    (folder / 'tiny.py').write_text(CONFIG.replace('<folder>', str(folder)))
    return str(folder / 'tiny.py')
