"""Label files call videos by names that are not always their paths."""

from twlv_mm.embeddings import find_videos, ids_by_alias, second_views

from ..segmentation.label_files import needs_shared, unpack


def test_video_is_found_by_its_id_its_name_and_its_name_with_folders():
    names = ids_by_alias(['P03/cam01/P03_cereals', 'S1_Tea_C1'])
    assert names == {
        'P03/cam01/P03_cereals': 'P03/cam01/P03_cereals',
        'P03_cam01_P03_cereals': 'P03/cam01/P03_cereals',
        'cam01_P03_cereals': 'P03/cam01/P03_cereals',
        'P03_cereals': 'P03/cam01/P03_cereals',
        'S1_Tea_C1': 'S1_Tea_C1',
    }


def test_ambiguous_name_finds_no_video_unless_it_is_an_id():
    assert 'tea' not in ids_by_alias(['cam01/tea', 'cam02/tea'])
    assert ids_by_alias(['cam01/tea', 'tea'])['tea'] == 'tea'
    assert 'abc' not in ids_by_alias(['a/v_abc', 'b/v_abc'])


def test_of_a_stereo_camera_the_first_file_that_is_there_counts():
    files = [f'P0{person}/stereo/P0{person}_tea_ch{lens}' for person, lens in ((3, 1), (3, 0), (4, 1))]
    names = ids_by_alias(files)
    assert names['P03_stereo01_P03_tea'] == 'P03/stereo/P03_tea_ch0'
    assert names['P04_stereo01_P04_tea'] == 'P04/stereo/P04_tea_ch1'
    assert second_views(files) == ['P03/stereo/P03_tea_ch1']


@needs_shared
def test_every_label_file_of_breakfast_finds_its_video(tmp_path):
    labelled = [path.stem for path in (unpack('Breakfast', tmp_path) / 'groundTruth').glob('*.txt')]
    files = set()
    for name in labelled:
        person, camera, activity = name.split('_', 2)
        if camera == 'stereo01':
            files |= {f'{person}/stereo/{activity}_ch{lens}.avi' for lens in (0, 1)}
        else:
            files.add(f'{person}/{camera}/{activity}.avi')
    found = find_laid_out(tmp_path / 'videos', (f'BreakfastII_15fps_qvga_sync/{file}' for file in files))
    assert len(found) == 1712 + 304
    names = ids_by_alias(found)
    assert sum(name in names for name in labelled) == 1712
    assert len({names[name] for name in labelled}) == 1712
    assert len(second_views(found)) == 304


@needs_shared
def test_every_label_file_of_50salads_and_gtea_finds_its_video(tmp_path):
    for dataset, pattern, count in (('50Salads', 'rgb/{}.avi', 50), ('GTEA', '{}.mp4', 28)):
        labelled = [path.stem for path in (unpack(dataset, tmp_path) / 'groundTruth').glob('*.txt')]
        names = ids_by_alias(find_laid_out(tmp_path / dataset / 'videos', map(pattern.format, labelled)))
        assert sum(name in names for name in labelled) == len(labelled) == count


def find_laid_out(root, files):
    """Ids of empty video files that are written below a folder."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return [video.video_id for video in find_videos(root)]
