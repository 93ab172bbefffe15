import io
import json
import os
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from twlv_mm.pretraining import FileListDataset, MixtureDataset, SampleKey, ShardDataset, index_shards
from twlv_mm.pretraining.shards import index_path
from twlv_mm.registry import TRANSFORMS
from twlv_mm.video.unreadable_samples import UnreadableError

VIDEO_PIPELINE = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.SampleClips', num_frames=8, frame_interval=1, num_clips=1),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(32, 32), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
IMAGE_PIPELINE = [
    dict(type='twlv_mm.ImageDecode'),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(32, 32), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='twlv_mm.StillVideo', num_frames=2),
    dict(type='PackActionInputs'),
]


def write_tar(path, members):
    with tarfile.open(path, 'w') as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def image(shade):
    return cv2.imencode('.png', np.full((40, 48, 3), shade, np.uint8))[1].tobytes()


@pytest.fixture(autouse=True)
def _scope():
    with DefaultScope.overwrite_default_scope('mmaction'):
        yield


@pytest.fixture
def shards(tmp_path):
    """Two shards of 5 and 3 images with captions, indexed. The image of number n is of shade 20 n."""
    for shard, numbers in (('00000', range(5)), ('00001', range(5, 8))):
        members = []
        for number in numbers:
            members += [(f'{number:03d}.json', b'{}'), (f'{number:03d}.png', image(20 * number))]
        write_tar(tmp_path / f'{shard}.tar', members)
    assert index_shards([str(tmp_path / '*.tar')]) == 0
    return tmp_path


def video_list(tiny_videos, tmp_path, names=None):
    path = tmp_path / 'videos.txt'
    path.write_text(''.join(f'{name}\n' for name in names or [f'train_{number}.mp4' for number in range(12)]))
    return dict(
        type='twlv_mm.FileListDataset',
        ann_file=str(path),
        data_prefix=dict(video=tiny_videos.folder),
        pipeline=VIDEO_PIPELINE,
    )


def mixture(**datasets):
    kinds = dict(videos='video', images='image')
    return MixtureDataset({name: dict(kind=kinds[name], weight=1, dataset=d) for name, d in datasets.items()})


def test_videos_of_a_list_and_images_of_shards_become_clips(tiny_videos, shards):
    images = dict(type='twlv_mm.ShardDataset', shards=str(shards / '*.tar'), pipeline=IMAGE_PIPELINE)
    made = mixture(videos=video_list(tiny_videos, shards), images=images)
    (video,) = made[[SampleKey(0, 11, 5)]]
    stills = made[[SampleKey(1, number, 5) for number in range(8)]]
    assert len(made) == 20
    assert video['inputs'].shape == (1, 3, 8, 32, 32)
    assert [still['inputs'].float().mean().item() for still in stills] == [20 * number for number in range(8)]
    assert stills[0]['inputs'].shape == (1, 3, 2, 32, 32)
    source = stills[6]['data_samples'].source
    assert (source['set'], source['index'], source['replaced']) == ('images', 6, 0)
    assert '00001.tar/006.png' in source['file']


def test_what_is_drawn_at_random_follows_from_the_key(tiny_videos, tmp_path):
    made = mixture(videos=video_list(tiny_videos, tmp_path))
    first, second, other = (made[[SampleKey(0, 3, seed)]][0]['inputs'] for seed in (5, 5, 6))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_videos_are_read_from_shards(tiny_videos, tmp_path):
    content = (Path(tiny_videos.folder) / 'train_0.mp4').read_bytes()
    write_tar(tmp_path / 'a.tar', [('000.txt', b'a caption'), ('000.mp4', content)])
    assert index_shards([str(tmp_path / 'a.tar')]) == 0
    dataset = dict(type='twlv_mm.ShardDataset', shards=str(tmp_path / 'a.tar'), pipeline=VIDEO_PIPELINE)
    from_shard = mixture(videos=dataset)[[SampleKey(0, 0, 1)]][0]['inputs']
    from_file = mixture(videos=video_list(tiny_videos, tmp_path))[[SampleKey(0, 0, 1)]][0]['inputs']
    assert torch.equal(from_shard, from_file)


def test_damaged_sample_is_listed_and_replaced_by_another_of_its_set(tiny_videos, tmp_path):
    (tmp_path / 'broken.mp4').write_bytes(b'no video' * 100)
    names = [str(tmp_path / 'broken.mp4'), 'not there.mp4', 'train_0.mp4', 'train_1.mp4']
    made = mixture(videos=video_list(tiny_videos, tmp_path, names))
    made.replacing.file = str(tmp_path / 'failures.jsonl')
    samples = made[[SampleKey(0, index, seed) for index in (0, 1) for seed in (1, 2, 3)]]
    assert {sample['data_samples'].source['index'] for sample in samples} <= {2, 3}
    assert all(sample['data_samples'].source['replaced'] > 0 for sample in samples)
    failures = [json.loads(line) for line in Path(made.replacing.file).read_text().splitlines()]
    assert len(failures) == sum(sample['data_samples'].source['replaced'] for sample in samples)
    assert {failure['index'] for failure in failures} == {0, 1}
    assert all(failure['set'] == 'videos' and failure['error'] for failure in failures)


def test_sample_that_a_transform_refuses_is_replaced(tiny_videos, tmp_path):
    @TRANSFORMS.register_module(force=True)
    class RefusesFirst(BaseTransform):
        def transform(self, results):
            return None if results['filename'].endswith('train_0.mp4') else results

    videos = video_list(tiny_videos, tmp_path, ['train_0.mp4', 'train_1.mp4'])
    made = mixture(videos=dict(videos, pipeline=[dict(type='twlv_mm.RefusesFirst'), *VIDEO_PIPELINE]))
    with pytest.warns(UserWarning, match='a transform gave no sample'):
        (sample,) = made[[SampleKey(0, 0, 1)]]
    assert sample['data_samples'].source['index'] == 1


def test_set_of_which_nothing_can_be_read_ends_the_run(tiny_videos, tmp_path):
    broken = video_list(tiny_videos, tmp_path)
    broken['pipeline'] = broken['pipeline'][:1] + broken['pipeline'][2:]
    made = mixture(videos=broken)
    made.replacing.file = str(tmp_path / 'failures.jsonl')
    with pytest.raises(UnreadableError, match='10 samples of the set videos in a row .*frame_inds.*failures.jsonl'):
        made[[SampleKey(0, 0, 1)]]


@pytest.mark.parametrize(
    ('sets', 'message'),
    [
        ({}, 'by name'),
        ([dict(name='a', kind='video', weight=1)], 'by name'),
        (dict(a=dict(kind='sound', weight=1, dataset={})), "'sound'"),
        (dict(a=dict(kind='video', weight=0, dataset={})), 'weight of the set a is 0'),
        (dict(a=dict(kind='video', weight=1, wieght=2, dataset={})), 'set a must have .* it has .*wieght'),
        (dict(a=dict(kind='video', weight=1)), 'set a must have exactly dataset, kind, weight'),
        (dict(a=None), 'set a must have .* it has None'),
    ],
)
def test_mixture_of_invalid_sets_is_refused(sets, message):
    with pytest.raises(ValueError, match=message):
        MixtureDataset(sets)


def test_failures_are_warned_of_until_the_run_says_where_to_list_them(tiny_videos, tmp_path):
    made = mixture(videos=video_list(tiny_videos, tmp_path, ['train_0.mp4', 'not there.mp4']))
    with pytest.warns(UserWarning, match='not there.mp4'):
        assert made[[SampleKey(0, 1, 1)]][0]['data_samples'].source['index'] == 0


def test_configs_have_the_sets_of_the_paper():
    configs = Path(__file__).parents[2] / 'configs/twlv'
    plain, ssv2 = (Config.fromfile(configs / f'pretrain_large{suffix}.py').train_dataloader for suffix in ('', '_ssv2'))
    images = {name: entry for name, entry in plain.dataset.sets.items() if entry.kind == 'image'}
    assert images.keys() == {'coco', 'visual_genome', 'sbu', 'cc3m', 'cc12m'}
    assert sum(entry.weight for entry in images.values()) == pytest.approx(15, abs=0.1)
    assert plain.dataset.sets.keys() - images == {'kinetics710', 'howto360k', 'webvid10m'}
    assert ssv2.dataset.sets.keys() - plain.dataset.sets.keys() == {'ssv2'}
    for entry in ssv2.dataset.sets.values():
        frames = [step.get('clip_len') or step.get('num_frames') for step in entry.dataset.pipeline]
        assert {16: 'video', 2: 'image'}[next(filter(None, frames))] == entry.kind
        Compose(entry.dataset.pipeline)


def test_shard_that_is_cut_off_is_named_and_read_up_to_the_damage(shards, capsys):
    path = shards / '00000.tar'
    index = np.load(index_path(path))
    os.truncate(path, index['offset'][3] + 10)
    with pytest.raises(ValueError, match='00000.tar is shorter than its index says'):
        ShardDataset(str(shards / '*.tar'), [])
    capsys.readouterr()
    assert index_shards([str(shards / '*.tar')]) == 1
    printed = capsys.readouterr().out
    assert '6 samples in 2 tar files' in printed
    assert f'{path}: unexpected end of data; 3 samples are indexed' in printed
    assert len(ShardDataset(str(shards / '*.tar'), [])) == 6


def test_damaged_member_of_a_shard_is_replaced(shards):
    path = shards / '00000.tar'
    index = np.load(index_path(path))
    with open(path, 'r+b') as file:
        file.seek(index['offset'][2])
        file.write(b'\0' * 60)
    images = dict(type='twlv_mm.ShardDataset', shards=str(shards / '*.tar'), pipeline=IMAGE_PIPELINE)
    made = mixture(images=images)
    made.replacing.file = str(shards / 'failures.jsonl')
    assert made[[SampleKey(0, 2, 1)]][0]['data_samples'].source['replaced'] == 1
    assert '00000.tar/002.png' in Path(made.replacing.file).read_text()


def test_shards_without_an_index_say_how_to_make_one(tmp_path):
    write_tar(tmp_path / 'a.tar', [('0.png', image(0))])
    with pytest.raises(FileNotFoundError, match=r'index_shards.py .*\*.tar'):
        ShardDataset(str(tmp_path / '*.tar'), [])


def test_any_number_of_shards_leaves_no_file_open(shards):
    before = len(os.listdir('/proc/self/fd'))
    dataset = ShardDataset(str(shards / '*.tar'), [])
    assert dataset.get_data_info(7)['filename'].startswith(f'tar://{shards}/00001.tar/007.png?')
    assert len(os.listdir('/proc/self/fd')) <= before


def test_file_names_that_are_not_utf8_are_read(tmp_path):
    name = os.fsdecode(b'caf\xe9.png')
    (tmp_path / name).write_bytes(image(40))
    write_tar(tmp_path / 'a.tar', [(name, image(40))])
    (tmp_path / 'list.txt').write_bytes(os.fsencode(name) + b'\n')
    assert index_shards([str(tmp_path / 'a.tar')]) == 0
    listed = dict(
        type='twlv_mm.FileListDataset', ann_file=str(tmp_path / 'list.txt'), data_prefix=dict(video=str(tmp_path))
    )
    for dataset in (listed, dict(type='twlv_mm.ShardDataset', shards=str(tmp_path / 'a.tar'))):
        (sample,) = mixture(images=dict(dataset, pipeline=IMAGE_PIPELINE))[[SampleKey(0, 0, 1)]]
        assert sample['data_samples'].source['replaced'] == 0
        assert sample['inputs'].float().mean() == 40


def test_shard_of_another_ending_is_refused_before_it_is_trained_on(tmp_path, refused):
    write_tar(tmp_path / 'a.tar.1', [('0.png', image(0))])
    assert 'a.tar.1 must be named *.tar' in refused(index_shards, [str(tmp_path / 'a.tar.1')])


def test_shard_of_images_and_videos_asks_which_are_samples(tmp_path, refused):
    write_tar(tmp_path / 'a.tar', [('0.png', image(0)), ('0.mp4', b'video')])
    assert 'both images and videos' in refused(index_shards, [str(tmp_path / 'a.tar')])
    assert index_shards([str(tmp_path / 'a.tar'), '--suffixes', '.mp4']) == 0


@pytest.mark.parametrize(
    ('text', 'message'), [('', 'lists nothing'), ('train_0.mp4\n\ntrain_1.mp4\n', 'line 2 is empty')]
)
def test_list_without_a_path_in_a_line_is_refused(tiny_videos, tmp_path, text, message):
    (tmp_path / 'list.txt').write_text(text)
    with pytest.raises(ValueError, match=message):
        FileListDataset(str(tmp_path / 'list.txt'), [], dict(video=tiny_videos.folder))


def test_list_whose_folder_is_not_there_is_refused(tiny_videos, tmp_path):
    with pytest.raises(FileNotFoundError, match='data_prefix'):
        FileListDataset(video_list(tiny_videos, tmp_path)['ann_file'], [], dict(video='nowhere'))
