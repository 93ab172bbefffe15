"""Official annotation files become lists, and lists are checked before training."""

import json
import os
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope

from twlv_mm.recognition import datasets
from twlv_mm.recognition.datasets import (
    DIVING48,
    EPIC_KITCHENS100,
    HMDB51,
    IMAGENET1K,
    KINETICS400,
    KINETICS600,
    MIT,
    SSV2,
    Sample,
    main,
    missing_files,
    prepare,
    read_list,
    write_list,
)
from twlv_mm.recognition.datasets.prepare import _index
from twlv_mm.recognition.datasets.video_list_dataset import VideoListDataset
from twlv_mm.registry import DATASETS

from ..commands import run_tool

ROOT = Path(__file__).resolve().parents[2]
EPIC_HEADER = (
    'narration_id,participant_id,video_id,narration_timestamp,start_timestamp,stop_timestamp,start_frame,stop_frame,'
    'narration,verb,verb_class,noun,noun_class,all_nouns,all_noun_classes\n'
)


@pytest.fixture
def given(tmp_path):
    """Writes files below a folder: path -> content (text, or what becomes json)."""

    def write(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return tmp_path

    return write


def run(data_set, folder, kind=None):
    """What is told, and the lists of both splits."""
    told = '\n'.join(prepare(data_set, folder / 'annotations', folder / 'videos', folder / 'out', kind))
    kind = kind or next(iter(data_set.kinds))
    lists = [folder / 'out' / f'{data_set.name}_{split}_list_{kind}.txt' for split in ('train', 'val')]
    return told, *(path.read_text().splitlines() for path in lists)


KINETICS_FILES = {
    'annotations/train.csv': 'label,youtube_id,time_start,time_end,split,is_cc\n'
    '"riding a bike",-a_1,5,15,train,0\nabseiling,b,120,130,train,0\nabseiling,gone,0,10,train,1\n',
    'annotations/validate.csv': 'label,youtube_id,time_start,time_end,split\nriding a bike,c,0,10,validate\n',
}


@pytest.mark.parametrize(
    ('train', 'val', 'line'),
    [
        ('videos_train/', 'videos_val/', '-a_1_000005_000015.mp4 1'),
        ('train/riding a bike/', 'val/', 'riding a bike/-a_1_000005_000015.mp4 1'),
        ('', '', '-a_1_000005_000015.mp4 1'),
    ],
)
def test_kinetics_videos_are_found_in_any_of_the_usual_folders(given, train, val, line):
    videos = [f'{train}-a_1_000005_000015.mp4', f'{train}b_000120_000130.mp4', f'{val}c_000000_000010.mp4']
    folder = given(KINETICS_FILES | {f'videos/{name}': 'a video' for name in videos})
    _, train_list, val_list = run(KINETICS400, folder)
    assert train_list[0] == line
    assert train_list[1].endswith('b_000120_000130.mp4 0')
    assert val_list == ['c_000000_000010.mp4 1']
    assert (folder / 'out/label_map_videos.txt').read_text() == 'abseiling\nriding_a_bike\n'


def test_what_is_missing_is_reported_counted_and_listed(given):
    videos = ['videos/train/-a_1_000005_000015.mp4', 'videos/val/c_000000_000010.mp4']
    folder = given(KINETICS_FILES | dict.fromkeys(videos, 'a video') | {'videos/train/b_000120_000130.mp4': ''})
    told, train_list, _ = run(KINETICS400, folder)
    assert 'train: 3 in the annotation files, 1 with a file; 2 files missing or empty: b_000120_000130, gone_' in told
    assert "warning: the paper's Table 2 has 235,693" in told
    assert 'warning: 2 classes, but the config has 400' in told
    assert f'ln -s {folder}/videos/train {folder}/out/videos_train' in told
    assert len(train_list) == 1
    missing = (folder / 'out/missing_videos.txt').read_text()
    assert missing == 'train b_000120_000130\ntrain gone_000000_000010\n'


def test_kinetics600_is_read_as_kinetics400(given):
    files = {name.replace('train.csv', 'kinetics-600_train.csv'): text for name, text in KINETICS_FILES.items()}
    videos = ['train/-a_1_000005_000015.mp4', 'train/b_000120_000130.mp4', 'val/c_000000_000010.mp4']
    told, train_list, _ = run(KINETICS600, given(files | {f'videos/{name}': 'a video' for name in videos}))
    assert len(train_list) == 2
    assert 'warning: Carreira et al. 2018 has 392,622' in told


HMDB51_FILES = {
    'annotations/climb_stairs_test_split2.txt': 'up_the stairs!.avi 1 \ndown.avi 2 \nunused.avi 0 \n',
    'annotations/climb_test_split2.txt': 'rock.avi 2\n',
    'annotations/climb_test_split1.txt': 'rock.avi 1\n',
}


def test_hmdb51_classes_are_numbered_by_their_own_names(given):
    # climb_stairs_test_split2.txt comes before climb_test_split2.txt, the class climb before climb_stairs.
    videos = ['climb_stairs/up_the stairs!.avi', 'climb_stairs/down.avi', 'climb/rock.avi']
    folder = given(HMDB51_FILES | {f'videos/{name}': 'v' for name in videos})
    prepare(HMDB51, folder / 'annotations', folder / 'videos', folder / 'out', 'split_2')
    lists = [read_list(folder / f'out/hmdb51_{part}_split_2_videos.txt') for part in ('train', 'val')]
    assert lists == [
        [Sample('climb_stairs/up_the stairs!.avi', 1)],
        [Sample('climb/rock.avi', 0), Sample('climb_stairs/down.avi', 1)],
    ]
    given({'annotations/climb_test_split2.txt': 'rock.avi 3\n'})
    with pytest.raises(ValueError, match=r'climb_test_split2\.txt, line 1, .rock\.avi 3.'):
        prepare(HMDB51, folder / 'annotations', folder / 'videos', folder / 'out', 'split_2')


@pytest.mark.skipif('TWLV_SHARED' not in os.environ, reason='TWLV_SHARED names no folder with annotations/video_lists')
def test_hmdb51_lists_have_the_labels_of_those_that_everybody_uses(given, tmp_path):
    lists = {
        part: read_list(Path(os.environ['TWLV_SHARED'], f'annotations/video_lists/hmdb51_{part}_split_1_videos.txt'))
        for part in ('train', 'val')
    }
    files = {f'videos/{sample.file}': 'v' for samples in lists.values() for sample in samples}
    for number, samples in enumerate(lists.values(), 1):
        for sample in samples:
            name, file = sample.file.split('/')
            path = f'annotations/{name}_test_split1.txt'
            files[path] = files.get(path, '') + f'{file} {number} \n'
    folder = given(files)
    told = prepare(HMDB51, folder / 'annotations', folder / 'videos', folder / 'out')
    assert 'as many as in Kuehne et al. 2011' in told[0]
    for part, samples in lists.items():
        assert sorted(read_list(folder / f'out/hmdb51_{part}_split_1_videos.txt')) == sorted(samples)


def test_ssv2_templates_are_matched_without_brackets(given):
    labels = {'Holding something next to something': '1', 'Closing something': '0'}
    train = [dict(id='78687', label='holding a cup', template='Holding [something] next to [something]')]
    val = [dict(id='3', label='closing a door', template='Closing [something]', placeholders=['a door'])]
    files = {'labels.json': labels, 'train.json': train, 'something-something-v2-validation.json': val}
    folder = given({f'annotations/{name}': content for name, content in files.items()})
    given({'videos/78687.webm': 'v', 'videos/3.webm': 'v'})
    assert run(SSV2, folder)[1:] == (['78687.webm 1'], ['3.webm 0'])

    val[0]['template'] = 'Dropping [something]'
    given({'annotations/something-something-v2-validation.json': val})
    with pytest.raises(ValueError, match=r'validation.json, entry 1, .*Dropping something'):
        run(SSV2, folder)


def test_moments_with_the_same_name_in_two_categories_are_two_videos(given):
    folder = given(
        {
            'annotations/moments_categories.txt': 'clapping,0\nadult+male+singing,1\n',
            'annotations/trainingSet.csv': 'clapping/x_1.mp4,clapping,3,0\n'
            'adult+male+singing/x_1.mp4,adult+male+singing,3,1\n',
            'annotations/validationSet.csv': 'clapping/x_1.mp4,clapping,4,0\n',
            'videos/training/clapping/x_1.mp4': 'v',
            'videos/training/adult+male+singing/x_1.mp4': 'v',
            'videos/validation/clapping/x_1.mp4': 'v',
        }
    )
    _, train_list, val_list = run(MIT, folder)
    assert train_list == ['training/clapping/x_1.mp4 0', 'training/adult+male+singing/x_1.mp4 1']
    assert val_list == ['validation/clapping/x_1.mp4 0']


def test_diving48_test_part_is_the_validation(given):
    dive = dict(start_frame=0, end_frame=48)
    folder = given(
        {
            'annotations/Diving48_V2_train.json': [dict(vid_name='-mm_00155', label=1, **dive)],
            'annotations/Diving48_V2_test.json': [dict(vid_name='xy_00001', label=0, **dive)],
            'annotations/Diving48_vocab.json': [
                ['Back', '15som', '05Twis', 'FREE'],
                ['Back', '15som', '15Twis', 'FREE'],
            ],
            'videos/-mm_00155.mp4': 'v',
            'videos/xy_00001.mp4': 'v',
        }
    )
    assert run(DIVING48, folder)[1:] == (['-mm_00155.mp4 1'], ['xy_00001.mp4 0'])
    assert (folder / 'out/label_map_videos.txt').read_text().startswith('Back_15som_05Twis_FREE\n')

    given({'annotations/Diving48_V2_test.json': [dict(vid_name='xy_00001', label=2, **dive)]})
    with pytest.raises(ValueError, match='val: xy_00001 has label 2, but there are 2 classes'):
        run(DIVING48, folder)


@pytest.fixture
def epic(given):
    rows = [
        "P01_01_0,P01,P01_01,00:00:01.089,00:00:00.14,00:00:03.37,8,202,open door,open,1,door,2,['door'],[2]\n",
        "P22_107_1,P22,P22_107,01:02:03.000,01:02:03.50,01:02:05.00,1,2,take cup,take,0,cup,0,['cup'],[0]\n",
    ]
    return given(
        {
            'annotations/EPIC_100_train.csv': EPIC_HEADER + ''.join(rows),
            'annotations/EPIC_100_validation.csv': EPIC_HEADER + rows[0].replace('P01_01', 'P01_11'),
            'annotations/EPIC_100_verb_classes.csv': 'id,key,instances,category\n0,take,"[]",a\n1,open,"[]",b\n',
            'annotations/EPIC_100_noun_classes.csv': 'id,key,instances,category\n0,cup,[],a\n1,tap,[],b\n2,door,[],c\n',
            'videos/P01/P01_01.MP4': 'v',
            'videos/P01/P01_01.tar': 'frames',
            'videos/P01/videos/P01_11.MP4': 'v',
            'videos/P22_107.MP4': 'v',
        }
    )


@pytest.mark.parametrize(
    ('kind', 'labels', 'names'),
    [('verb', '10', 'take open'), ('noun', '20', 'cup tap door'), ('action', '10', 'take cup,open door')],
)
def test_epic_segments_have_seconds_and_the_label_that_is_asked_for(epic, kind, labels, names):
    _, train_list, val_list = run(EPIC_KITCHENS100, epic, kind)
    assert train_list == [f'P01/P01_01.MP4 0.140 3.370 {labels[0]}', f'P22_107.MP4 3723.500 3725.000 {labels[1]}']
    assert val_list == [f'P01/videos/P01_11.MP4 0.140 3.370 {labels[0]}']
    names = names.split(',' if kind == 'action' else ' ')
    assert (epic / f'out/label_map_{kind}.txt').read_text().splitlines() == names


@pytest.mark.parametrize(
    ('old', 'new', 'error'),
    [
        ('00:00:03.37', '00:00:00.14', 'entry 1, .*stops at 0.14 s and starts at 0.14 s'),
        ('00:00:03.37', 'soon', 'EPIC_100_validation.csv, entry 1'),
        (',1,door', ',97,door', 'there are 2 verbs and 3 nouns'),
        ('verb_class', 'verbs', 'has no column verb_class; its columns: narration_id'),
    ],
)
def test_broken_annotation_is_named_with_its_file_and_entry(epic, old, new, error):
    path = epic / 'annotations/EPIC_100_validation.csv'
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=error):
        run(EPIC_KITCHENS100, epic)


def test_imagenet_validation_comes_from_folders_or_from_the_csv(given):
    train = ['videos/train/n02/n02_1.JPEG', 'videos/train/n01/n01_7.JPEG', 'videos/train/n01/n01_8.JPEG']
    folder = given(dict.fromkeys([*train, 'videos/val/ILSVRC2012_val_00000001.JPEG'], 'an image'))
    solution = 'ImageId,PredictionString\nILSVRC2012_val_00000001,n02 1 1 2 2 n02 3 3 4 4 \n'
    given({'annotations/LOC_val_solution.csv': solution})
    _, train_list, val_list = run(IMAGENET1K, folder)
    assert train_list == ['train/n01/n01_7.JPEG 0', 'train/n01/n01_8.JPEG 0', 'train/n02/n02_1.JPEG 1']
    assert val_list == ['val/ILSVRC2012_val_00000001.JPEG 1']

    given({'videos/val/n01/ILSVRC2012_val_00000001.JPEG': 'an image'})
    assert run(IMAGENET1K, folder)[2] == ['val/n01/ILSVRC2012_val_00000001.JPEG 0']


def test_file_that_is_there_twice_is_an_error(given):
    folder = given(KINETICS_FILES)
    given(dict.fromkeys(['videos/a/c_000000_000010.mp4', 'videos/c_000000_000010.mp4'], 'v'))
    given(dict.fromkeys(['videos/-a_1_000005_000015.mp4', 'videos/b_000120_000130.mp4'], 'v'))
    with pytest.raises(ValueError, match=r'val: c_000000_000010 is .* and .*: remove one'):
        run(KINETICS400, folder)


def test_linked_folders_are_looked_through_once(tmp_path):
    (tmp_path / 'files').mkdir()
    (tmp_path / 'files/a.mp4').touch()
    (tmp_path / 'files/back').symlink_to(tmp_path / 'files')
    assert _index(tmp_path / 'files', ('.mp4',)) == {'a': ['a.mp4']}


@pytest.mark.parametrize(
    ('files', 'error'),
    [
        ({}, r'folder .*annotations does not exist'),
        ({'annotations/val.csv': ''}, r'annotations has no train.csv and no kinetics_train.csv'),
        (KINETICS_FILES | {'annotations/train.csv': 'label,id\n'}, 'has no column youtube_id, time_start, time_end'),
        (KINETICS_FILES | {'videos/other.mp4': 'v'}, r'none of the 3 listed files, such as -a_1_000005_000015'),
    ],
)
def test_command_ends_with_one_line_and_code_2_where_nothing_can_be_written(given, files, error, refused):
    folder = given({'videos/x.txt': ''} | files)
    out = ['--out', str(folder / 'out')]
    message = refused(main, KINETICS400, [str(folder / 'annotations'), str(folder / 'videos'), *out])
    assert not (folder / 'out').exists()
    assert message.startswith('error: ')
    assert message.count('\n') == 1
    assert re.search(error, message), message


def test_prepare_command_runs(epic, monkeypatch, capsys):
    monkeypatch.chdir(epic)
    assert run_tool('data/epic_kitchens100/prepare.py', 'annotations', 'videos', '--label', 'noun') == 0
    assert 'EPIC-KITCHENS-100' in capsys.readouterr().out
    assert (epic / 'data/epic_kitchens100/epic_kitchens100_val_list_noun.txt').is_file()


def test_every_data_set_has_a_command_of_its_own():
    for name, data_set in vars(datasets).items():
        if isinstance(data_set, datasets.DataSet):
            assert f'main({name})' in (ROOT / 'tools/data' / data_set.name / 'prepare.py').read_text()


@pytest.mark.parametrize('name', ['k400', 'ssv2', 'mit', 'diving48', 'ek100', 'in1k'])
def test_config_reads_the_lists_that_prepare_writes_and_has_their_classes(name):
    from mmengine.config import Config

    titles = dict(k400=KINETICS400, ssv2=SSV2, mit=MIT, diving48=DIVING48, ek100=EPIC_KITCHENS100, in1k=IMAGENET1K)
    data_set = titles[name]
    kind, num_classes = next(iter(data_set.kinds.items()))
    cfg = Config.fromfile(ROOT / f'configs/twlv/{name}_linear.py')
    assert cfg.model.cls_head.num_classes == num_classes
    for loader, split in ((cfg.train_dataloader, 'train'), (cfg.val_dataloader, 'val'), (cfg.test_dataloader, 'val')):
        assert loader.dataset.ann_file == f'data/{data_set.name}/{data_set.name}_{split}_list_{kind}.txt'


def test_list_is_read_as_it_was_written(tmp_path):
    videos = [Sample('a b/c.mp4', 3), Sample('d.mp4', 0)]
    segments = [Sample('a b.mp4', 2, (0.25, 3725.125)), Sample('a b.mp4', 0, (0.0, 1.0))]
    write_list(tmp_path / 'videos.txt', videos)
    write_list(tmp_path / 'segments.txt', segments)
    assert read_list(tmp_path / 'videos.txt') == videos
    assert read_list(tmp_path / 'segments.txt', segments=True) == segments


def test_list_whose_writing_was_interrupted_is_not_left_behind(tmp_path):
    def killed():
        yield Sample('a.mp4', 3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_list(tmp_path / 'videos.txt', killed())
    assert not (tmp_path / 'videos.txt').exists()


@pytest.mark.parametrize(
    ('text', 'segments', 'error'),
    [
        ('a.mp4 0\nb.mp4\n', False, "line 2: 'b.mp4' is not of the form 'file label'"),
        ('a.mp4 cat\n', False, 'line 1'),
        ('\na.mp4 -1\n', False, 'line 2: label -1 is negative'),
        ('a.mp4 0\n', True, "is not of the form 'file start end label'"),
        ('a.mp4 3 2 0\n', True, 'has no valid segment'),
        ('a.mp4 1 0\n', True, "is not of the form 'file start end label'"),
        ('a.mp4 0 nan 0\n', True, "end: 'nan' is not a number"),
        ('\n', False, 'lists nothing'),
    ],
)
def test_broken_list_is_named_with_its_line(tmp_path, text, segments, error):
    (tmp_path / 'list.txt').write_text(text)
    with pytest.raises(ValueError, match=error):
        read_list(tmp_path / 'list.txt', segments)


def test_missing_files_are_found_with_one_listing_a_folder(tmp_path, monkeypatch):
    for name in ('a/1', 'a/2', 'b/3'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    listed, listdir = [], os.listdir
    monkeypatch.setattr(os, 'listdir', lambda path: listed.append(path) or listdir(path))
    paths = [str(tmp_path / name) for name in ('a/1', 'a/x', 'b/3', 'none/4', 'a/2', 'a/x')]
    assert missing_files(paths) == [str(tmp_path / 'a/x'), str(tmp_path / 'none/4')]
    assert len(listed) == 2


def test_dataset_finds_missing_files_before_training(tmp_path):
    init_default_scope('mmaction')
    for name in ('a b.mp4', 'c.mp4'):
        (tmp_path / name).touch()
    (tmp_path / 'list.txt').write_text('a b.mp4 1\nc.mp4 0\n')
    cfg = dict(
        type='twlv_mm.VideoListDataset',
        data_root=str(tmp_path),
        ann_file='list.txt',
        data_prefix=dict(video=''),
        pipeline=[],
    )
    dataset = DATASETS.build(cfg)
    assert isinstance(dataset, VideoListDataset)
    assert dataset[0]['filename'] == str(tmp_path / 'a b.mp4')
    assert [dataset[index]['label'] for index in range(2)] == [1, 0]

    (tmp_path / 'c.mp4').unlink()
    with pytest.raises(FileNotFoundError, match=r'1 of the files listed in .*list.txt do not exist: .*c.mp4'):
        DATASETS.build(cfg)
    with pytest.raises(FileNotFoundError, match='list .*other.txt does not exist'):
        DATASETS.build(cfg | dict(ann_file='other.txt'))


@pytest.fixture
def one_of_three_damaged(tmp_path):
    """Builds a dataset of two sound videos and a damaged one, the first."""
    from tests.video.faults import good

    init_default_scope('mmaction')
    names = ['broken.mp4', *(path.name for path in good(tmp_path, 2))]
    (tmp_path / 'list.txt').write_text(''.join(f'{name} {label}\n' for label, name in enumerate(names)))

    def build(content, **kwargs):
        (tmp_path / 'broken.mp4').write_bytes(content)
        pipeline = [dict(type='twlv_mm.OpenVideo'), dict(type='twlv_mm.SampleClips'), dict(type='twlv_mm.DecodeVideo')]
        folder = dict(video=str(tmp_path))
        return VideoListDataset(str(tmp_path / 'list.txt'), pipeline=pipeline, data_prefix=folder, **kwargs)

    return build


@pytest.mark.parametrize('content', [b'', b'no video'])
def test_training_replaces_a_damaged_video_and_lists_it_and_a_test_names_it(one_of_three_damaged, content, tmp_path):
    from twlv_mm.video import VideoError

    dataset = one_of_three_damaged(content)
    dataset.replacing.file = str(tmp_path / 'unreadable_samples.jsonl')  # as the runner does
    with pytest.warns(UserWarning, match=r'an unreadable sample is replaced .*broken\.mp4'):
        samples = [dataset[0] for _ in range(3)]
    assert {sample['label'] for sample in samples} <= {1, 2}
    listed = [json.loads(line) for line in (tmp_path / 'unreadable_samples.jsonl').read_text().splitlines()]
    assert len(listed) >= 3
    assert {Path(one['file']).name for one in listed} == {'broken.mp4'}
    with pytest.raises(VideoError, match=r'broken\.mp4 (cannot be decoded|is empty)'):
        one_of_three_damaged(content, test_mode=True)[0]


def test_training_on_videos_of_which_none_can_be_read_ends(one_of_three_damaged, tmp_path):
    from twlv_mm.video.unreadable_samples import UnreadableError

    for path in tmp_path.glob('*.mp4'):
        path.write_bytes(b'no video')
    dataset = one_of_three_damaged(b'no video')
    with (
        pytest.warns(UserWarning, match='broken'),
        pytest.raises(UnreadableError, match=r'10 samples .*list\.txt in a'),
    ):
        dataset[0]


def test_image_becomes_a_still_video_that_takes_no_memory(tmp_path):
    from mmengine.config import Config
    from mmengine.dataset import Compose

    init_default_scope('mmaction')
    picture = np.zeros((300, 400, 3), np.uint8)
    picture[..., 2] = 200  # OpenCV's red
    cv2.imwrite(str(tmp_path / 'red.png'), picture)
    cfg = Config.fromfile(ROOT / 'configs/twlv/in1k_linear.py')
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        sample = dict(filename=str(tmp_path / 'red.png'), label=3, start_index=0, modality='RGB')
        packed = Compose(loader.dataset.pipeline)(sample)
        assert packed['inputs'].shape == (1, 3, 16, 224, 224)
        assert packed['inputs'].untyped_storage().nbytes() == 3 * 224 * 224
        assert packed['inputs'][0, :, 15, 100, 100].tolist() == [200, 0, 0]
        assert packed['data_samples'].gt_label.item() == 3


def test_broken_image_is_named(tmp_path):
    from twlv_mm.recognition import ImageDecode
    from twlv_mm.video import VideoError

    for content in (b'', b'no image'):
        (tmp_path / 'x.JPEG').write_bytes(content)
        with pytest.raises(VideoError, match=r'x.JPEG is not a readable image'):
            ImageDecode()(dict(filename=str(tmp_path / 'x.JPEG')))


def test_clips_in_place_of_images_are_a_clear_error():
    from twlv_mm.recognition import StillVideo

    with pytest.raises(ValueError, match='put ImageDecode first'):
        StillVideo()(dict(imgs=np.zeros((1, 3, 8, 4, 4), np.uint8)))
