"""What a path given to tools/extract.py stands for."""

import json
from pathlib import Path

import pytest

from twlv_mm.embeddings import Video, find_videos


@pytest.fixture
def folder(tmp_path):
    for name in ('a.mp4', 'sub/b.MKV', 'sub/c d.mp4', 'v_xyz.webm', 'notes.doc'):
        (tmp_path / 'videos' / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / 'videos' / name).touch()
    return tmp_path / 'videos'


def test_folder_is_searched_with_its_sub_folders(folder):
    assert [video.video_id for video in find_videos(folder)] == ['a', 'sub/b', 'sub/c d', 'v_xyz']


def test_hidden_files_and_folders_are_passed_over(folder):
    for name in ('._a.mp4', '.trash/a.mp4', 'sub/._b.MKV'):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    for source in (folder, f'{folder}/**/*'):
        assert [video.video_id for video in find_videos(source)] == ['a', 'sub/b', 'sub/c d', 'v_xyz']


def test_root_and_subset_are_refused_where_there_is_nothing_to_choose(folder):
    (folder / 'list.txt').write_text('a.mp4 0\n')
    for source in (folder, folder / 'a.mp4', f'{folder}/*.mp4'):
        with pytest.raises(ValueError, match='is not a list: leave root out'):
            find_videos(source, root=folder)
    for source in (folder, folder / 'a.mp4', folder / 'list.txt'):
        with pytest.raises(ValueError, match='is not one: leave subset out'):
            find_videos(source, subset='val')


def test_file_is_taken_whatever_its_name(folder):
    assert find_videos(folder / 'notes.doc') == [Video('notes', str(folder / 'notes.doc'))]


def test_pattern_gives_ids_below_its_fixed_part(folder):
    assert find_videos(f'{folder}/*/*.mp4') == [Video('sub/c d', f'{folder}/sub/c d.mp4')]
    assert [video.video_id for video in find_videos(f'{folder}/**/*')] == ['a', 'sub/b', 'sub/c d', 'v_xyz']


def test_segments_of_a_list_are_told_apart_by_their_times(folder):
    lines = ['sub/c d.mp4 0.500 2.000 4', 'a.mp4 10.0 12.5 1', 'a.mp4 10.000 12.500 3', 'a.mp4 9.0 10.0', 'a.mp4 9']
    (folder / 'list.txt').write_text('\n'.join(lines))
    assert find_videos(folder / 'list.txt') == [
        Video('a', f'{folder}/a.mp4', 9),
        Video('a_10.000_12.500', f'{folder}/a.mp4', 1, (10.0, 12.5)),
        Video('a_10.000_12.500_2', f'{folder}/a.mp4', 3, (10.0, 12.5)),
        Video('a_9.000_10.000', f'{folder}/a.mp4', None, (9.0, 10.0)),
        Video('sub/c d_0.500_2.000', f'{folder}/sub/c d.mp4', 4, (0.5, 2.0)),
    ]


def test_segment_that_ends_before_it_starts_is_refused(folder):
    (folder / 'list.txt').write_text('a.mp4 2.0 2.0 1\n')
    with pytest.raises(ValueError, match=r"list\.txt, line 1: 'a\.mp4 2\.0 2\.0 1' has no valid segment: it must end"):
        find_videos(folder / 'list.txt')


def test_mmaction2_list_brings_classes(folder):
    (folder / 'list.txt').write_text('a.mp4 3\nsub/c d.mp4 1 4\n\nsub/b.MKV 0\nsub/b.MKV 2\nnone.mp4 5\nv_xyz.webm\n')
    assert find_videos(folder / 'list.txt') == [
        Video('a', f'{folder}/a.mp4', 3),
        Video('none', f'{folder}/none.mp4', 5),
        Video('sub/b', f'{folder}/sub/b.MKV', [0, 2]),
        Video('sub/c d', f'{folder}/sub/c d.mp4', [1, 4]),
        Video('v_xyz', f'{folder}/v_xyz.webm', None),
    ]


def test_activitynet_json_finds_files_by_id_and_chooses_a_subset(folder, tmp_path):
    subsets = dict(a='training', xyz='validation', b='validation', gone='validation')
    database = {name: dict(subset=subset, annotations=[]) for name, subset in subsets.items()}
    (tmp_path / 'list.json').write_text(json.dumps(dict(database=database)))
    assert find_videos(tmp_path / 'list.json', folder, 'validation') == [
        Video('b', f'{folder}/sub/b.MKV'),
        Video('gone', f'{folder}/gone.mp4'),
        Video('xyz', f'{folder}/v_xyz.webm'),
    ]
    with pytest.raises(ValueError, match="list.json has no subset 'test'; choose from training, validation"):
        find_videos(tmp_path / 'list.json', folder, 'test')


def test_ava_csv_names_each_video_once(folder, tmp_path):
    (tmp_path / 'ava.csv').write_text('a,0902,0.1,0.1,0.2,0.2,12,0\na,0903,0.1,0.1,0.2,0.2,12,0\nb,0902,,,,,,\n')
    assert [video.path for video in find_videos(tmp_path / 'ava.csv', folder)] == [
        f'{folder}/a.mp4',
        f'{folder}/sub/b.MKV',
    ]


def test_two_videos_of_one_name_are_refused(folder):
    (folder / 'a.avi').touch()
    with pytest.raises(ValueError, match=r'a\.avi and .*a\.mp4 both have the id a|a\.mp4 and .*a\.avi'):
        find_videos(folder)


def test_nothing_to_embed_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match='no videos in'):
        find_videos(tmp_path)
    with pytest.raises(FileNotFoundError, match='no videos match'):
        find_videos(f'{tmp_path}/*.mp4')
    with pytest.raises(FileNotFoundError, match='file or folder .* does not exist'):
        find_videos(tmp_path / 'none')
    for content in ('[1, 2]', '{"a": {"subset": "train", "annotations": []}}'):
        (tmp_path / 'list.json').write_text(content)
        with pytest.raises(ValueError, match=r'list\.json is not an annotation list.* has no "database"'):
            find_videos(tmp_path / 'list.json')


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('list.txt', '../elsewhere.mp4 0\n'),
        ('list.txt', '/elsewhere.mp4 0\n'),
        ('list.csv', '../elsewhere,1,0,0,1,1,1,0\n'),
    ],
)
def test_list_cannot_have_files_written_outside_of_their_folder(folder, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match='outside the video folder'):
        find_videos(tmp_path / name, folder)


def test_every_video_extension_counts_and_other_files_are_reported(tmp_path, monkeypatch):
    endings = ('mts', 'M2TS', 'ts', 'vob', 'asf', 'gif', 'ogv', 'wmv', 'flv', '3gp', 'mpg', 'mxf', 'm4v', '264', 'y4m')
    names = [f'{number:02}.{ending}' for number, ending in enumerate(endings)]
    for name in (*names, 'x.txt', 'y.txt', 'z.jpg', 'sound.m4a', 'README'):
        (tmp_path / name).touch()
    said = []
    monkeypatch.setattr('twlv_mm.embeddings.video_sources.print_log', lambda text, logger: said.append(text))
    assert [Path(video.path).name for video in find_videos(tmp_path)] == names
    assert len(said) == 1
    counts = said[0].removeprefix(f'{tmp_path}: passed over 5 files that are not videos: ').split(', ')
    assert sorted(counts) == ['.jpg 1', '.m4a 1', '.txt 2', 'no ending 1']


def test_linked_folders_are_searched_once(folder, tmp_path):
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'elsewhere/d.mp4').touch()
    (folder / 'linked').symlink_to(tmp_path / 'elsewhere')
    (folder / 'linked_again').symlink_to(tmp_path / 'elsewhere')
    (folder / 'asub').symlink_to(folder / 'sub')
    (tmp_path / 'elsewhere/back').symlink_to(folder)
    ids = ['a', 'linked/d', 'sub/b', 'sub/c d', 'v_xyz']
    assert [video.video_id for video in find_videos(folder)] == ids


@pytest.mark.parametrize('extra', ['other/b.mp4', 'v_b.webm', 'sub/b.mp4'])
def test_id_that_fits_two_files_is_refused_with_both(folder, tmp_path, extra):
    (folder / extra).parent.mkdir(exist_ok=True)
    (folder / extra).touch()
    (tmp_path / 'ava.csv').write_text('b,0902,0.1,0.1,0.2,0.2,12,0\n')
    with pytest.raises(ValueError, match=r'lists b, which matches .*b\.\w+ and .*b\.\w+'):
        find_videos(tmp_path / 'ava.csv', folder)


def test_absolute_paths_need_no_root(folder, tmp_path):
    (tmp_path / 'list.csv').write_text(f'{folder}/a.mp4 0\n{folder}/sub/b.MKV 1\n')
    assert find_videos(tmp_path / 'list.csv') == [
        Video('a', f'{folder}/a.mp4', 0),
        Video('sub/b', f'{folder}/sub/b.MKV', 1),
    ]
