"""The keyframe is the right frame, and boxes stay on what they are around."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import torch
from mmaction.datasets.transforms import SampleAVAFrames
from mmengine.dataset import Compose
from mmengine.registry import MODELS, init_default_scope

from tests.detection.ava_files import HEIGHT, WIDTH, build, rectangle_at, row, write_set
from tests.video.conftest import grey_of, write_numbered
from twlv_mm.detection.transforms import SampleKeyframeClip
from twlv_mm.video import DecodeVideo

DECODE = [dict(type='twlv_mm.SampleKeyframeClip', clip_len=8, seconds=2.0), dict(type='twlv_mm.DecodeVideo')]
PACK = [dict(type='FormatShape', input_format='NCTHW', collapse=True), dict(type='twlv_mm.PackDetection')]
AUGMENT = [
    dict(type='RandomRescale', scale_range=(100, 140)),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='ColorJitter', brightness=0.2, contrast=0.2, saturation=0.2, hue=0.05),
]


def frames_of(path, timestamp, offset=0, clip_len=8, seconds=2.0):
    item = dict(filename=path, timestamp=timestamp, offset_seconds=offset)
    results = DecodeVideo()(SampleKeyframeClip(clip_len, seconds)(item))
    return [grey_of(image) for image in results['imgs']], results['key_frame']


@pytest.mark.parametrize('fps', [12, 25, Fraction(30000, 1001)])
def test_keyframe_is_the_frame_nearest_to_its_time(tmp_path, fps):
    path = write_numbered(tmp_path / 'film.mp4', np.arange(62) / float(fps), rate=fps)
    for timestamp in (900, 901, 901.4, 902):
        frames, place = frames_of(path, timestamp, offset=900)
        assert place == 4
        assert frames[place] == round(float(fps) * (timestamp - 900))


def test_frames_are_at_equal_distances_in_time_and_repeat_at_the_ends(tmp_path):
    path = write_numbered(tmp_path / 'film.mkv', np.arange(50) / 25, rate=25)
    assert frames_of(path, 1)[0] == [0, 6, 13, 19, 25, 31, 38, 44]
    assert frames_of(path, 0)[0] == [0, 0, 0, 0, 0, 6, 13, 19]
    assert frames_of(path, 2)[0][4:] == [49, 49, 49, 49]


def test_frames_are_those_of_mmaction2_at_30_frames_a_second():
    item = dict(frame_dir='x', fps=30, total_frames=27000, timestamp=905, timestamp_start=900, offset_seconds=900)
    theirs = SampleAVAFrames(clip_len=16, frame_interval=4, test_mode=True)(dict(item, start_index=0))
    ours = SampleKeyframeClip(clip_len=16, seconds=16 * 4 / 30)(dict(item, start_index=0))
    assert ours['frame_inds'].tolist() == theirs['frame_inds'].tolist()
    assert ours['key_frame'] == 8


@pytest.mark.parametrize('timestamp', [2, 905])
def test_keyframe_outside_of_its_file_is_an_error_that_names_the_offset(tmp_path, timestamp):
    path = write_numbered(tmp_path / 'film.mp4', np.arange(50) / 25, rate=25)
    with pytest.raises(
        ValueError, match=rf'lasts from 900 to 902 s .*keyframe is at {timestamp} s: set offset_seconds'
    ):
        frames_of(path, timestamp, offset=900)


def test_keyframe_after_the_pictures_but_within_the_sound_is_an_error(tmp_path):
    silent, path = write_numbered(tmp_path / 'silent.mkv', np.arange(50) / 25, rate=25), tmp_path / 'sound.mkv'
    with av.open(silent) as source, av.open(str(path), 'w') as container:
        video = container.add_stream_from_template(source.streams.video[0])
        sound = container.add_stream('pcm_s16le', rate=8000, layout='mono')
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 4 * 8000), np.int16), 's16', 'mono')
        samples.sample_rate = 8000
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = video
                container.mux(packet)
        container.mux([*sound.encode(samples), *sound.encode(None)])
    assert frames_of(str(path), 2)[0][4] == 49
    with pytest.raises(ValueError, match=r'sound\.mkv lasts from 900 to 902 s .*keyframe is at 903 s'):
        frames_of(str(path), 903, offset=900)


def test_a_video_opened_by_decord_is_an_error():
    with pytest.raises(TypeError, match='remove OpenVideo or DecordInit'):
        SampleKeyframeClip()(dict(video_reader=None))


def edges(image):
    """Box of the bright rectangle, in pixels: where the brightness passes its middle."""
    grey = np.asarray(image, np.float32).mean(axis=-1)
    middle = (grey.max() + grey.min()) / 2
    rows, columns = (np.flatnonzero(grey.max(axis=axis) > middle) for axis in (1, 0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


@pytest.fixture(scope='module')
def rectangles(tmp_path_factory):
    """Two videos with boxes, proposals, and tubes that end at 4.5 s."""
    folder = tmp_path_factory.mktemp('rectangles')
    share = [WIDTH, HEIGHT, WIDTH, HEIGHT]
    proposals = {
        f'{video},{second:04d}': [[*(rectangle_at(12 * (second - 900)) / share), 0.95]]
        for video in 'ab'
        for second in (902, 905)
    }
    tubes = [
        f'{video},{900 + index / 12:.3f},' + ','.join(f'{x:.4f}' for x in rectangle_at(index) / share) + ',-1,0'
        for video in 'ab'
        for index in range(54)
    ]
    rows = [row(video, second, 1) for video in 'ab' for second in (902, 905)]
    write_set(folder, rows, proposals=proposals)
    (folder / 'tubes.csv').write_text('\n'.join(tubes))
    return folder


def test_boxes_are_around_what_they_were_around_through_the_whole_pipeline(rectangles):
    np.random.seed(0)
    dataset = build(rectangles, pipeline=DECODE + AUGMENT + PACK, proposal_file=str(rectangles / 'proposals.json'))
    seen = set()
    for _ in range(4):
        for packed in dataset:
            sample, clip = packed['data_samples'], packed['inputs']
            assert clip.shape == (3, 8, *sample.img_shape)
            found = edges(clip[:, sample.key_frame].permute(1, 2, 0))
            np.testing.assert_allclose(sample.gt_instances.bboxes[0], found, atol=1.5)
            np.testing.assert_allclose(sample.proposals.bboxes[0], found, atol=1.5)
            assert sample.gt_instances.labels.tolist() == [[0, 1, 0, 0, 0]]
            seen.add((sample.img_shape, found[0] > sample.img_shape[1] / 2))
    assert len(seen) > 6  # scales, and flipped ones


def test_tubes_are_around_what_they_are_around_in_every_frame_that_is_labelled(rectangles):
    np.random.seed(1)
    dataset = build(rectangles, pipeline=DECODE + AUGMENT + PACK, tube_file=str(rectangles / 'tubes.csv'))
    for packed in dataset:
        instances, clip = packed['data_samples'].gt_instances, packed['inputs']
        assert instances.tubes.shape == (1, 8, 4)
        found = np.array([edges(clip[:, frame].permute(1, 2, 0)) for frame in range(8)])
        valid = instances.tube_valid[0].numpy()
        late = packed['data_samples'].timestamp == 905
        assert valid.tolist() == [True, True] + [not late] * 6
        np.testing.assert_allclose(instances.tubes[0][valid], found[valid], atol=1.5)
        np.testing.assert_allclose(instances.bboxes[0], found[packed['data_samples'].key_frame], atol=1.5)


def test_frames_as_pictures_give_what_the_video_gives(rectangles, tmp_path):
    for video in 'ab':
        with_video = DecodeVideo()(
            dict(filename=str(rectangles / f'videos/{video}.mp4'), instants=(np.arange(120) + 0.5) / 12)
        )
        (tmp_path / video).mkdir()
        for number, image in enumerate(with_video['imgs'], 1):
            cv2.imwrite(str(tmp_path / video / f'img_{number:05}.jpg'), image[..., ::-1])
    from_video = build(rectangles, pipeline=DECODE + PACK)
    raw = [DECODE[0], dict(type='RawFrameDecode'), *PACK]
    from_frames = build(rectangles, pipeline=raw, use_frames=True, fps=12, data_prefix=dict(img=str(tmp_path)))
    for video, frames in zip(from_video, from_frames, strict=True):
        difference = (video['inputs'].float() - frames['inputs'].float()).abs().mean()
        assert difference < 3
        assert torch.equal(video['data_samples'].gt_instances.bboxes, frames['data_samples'].gt_instances.bboxes)


def test_boxes_are_cut_to_the_picture_and_left_out_where_nothing_is_left():
    pack = Compose([dict(type='twlv_mm.PackDetection')])
    boxes = np.array([[-5, 10, 30, 45], [60, 0, 80, 20], [10, 10, 20, 20]], np.float32)
    labels = np.eye(3, dtype=np.float32)
    imgs = np.zeros((3, 2, 40, 50), np.uint8)
    sample = pack(dict(imgs=imgs, img_shape=(40, 50), gt_bboxes=boxes, gt_labels=labels))['data_samples']
    assert sample.gt_instances.bboxes.tolist() == [[0, 10, 30, 40], [10, 10, 20, 20]]
    assert sample.gt_instances.labels.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_a_batch_of_several_sizes_is_padded_to_whole_patches_that_an_encoder_takes():
    init_default_scope('mmaction')
    pack = Compose([dict(type='twlv_mm.PackDetection')])
    random = np.random.default_rng(0)
    sizes = [(32, 50), (40, 33)]
    packed = [pack(dict(imgs=random.integers(0, 256, (3, 2, *size), dtype=np.uint8), img_shape=size)) for size in sizes]
    data = {key: [one[key] for one in packed] for key in packed[0]}
    mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    batch = MODELS.build(dict(type='twlv_mm.DetectionPreprocessor', mean=mean, std=std))(data)
    assert batch['inputs'].shape == (2, 3, 2, 48, 64)
    for clip, one, (height, width) in zip(batch['inputs'], packed, sizes, strict=True):
        normal = (one['inputs'].float() - torch.tensor(mean)[:, None, None, None]) / torch.tensor(std)[
            :, None, None, None
        ]
        torch.testing.assert_close(clip[..., :height, :width], normal)
        assert not clip[..., height:, :].any()
        assert not clip[..., width:].any()
    assert [sample.batch_input_shape for sample in batch['data_samples']] == [(48, 64)] * 2
    encoder = dict(type='twlv_mm.VideoViT', arch='twlv_base', img_size=64, patch_size=16, num_frames=2)
    encoder = MODELS.build(encoder | dict(embed_dims=48, depth=1, num_heads=4))
    assert encoder(batch['inputs']).shape == (2, 48, 1, 3, 4)
