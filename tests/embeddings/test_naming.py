"""Label files call videos by names that are not always their paths."""

from twlv_mm.embeddings import other_names


def test_a_video_goes_by_its_id_its_folders_joined_and_its_own_name():
    names = other_names(['P03/cam01/P03_cereals', 'S1_Tea_C1'])
    assert names == {
        'P03/cam01/P03_cereals': 'P03/cam01/P03_cereals',
        'P03_cam01_P03_cereals': 'P03/cam01/P03_cereals',
        'P03_cereals': 'P03/cam01/P03_cereals',
        'S1_Tea_C1': 'S1_Tea_C1',
    }


def test_a_name_of_two_videos_is_none_unless_it_is_an_id():
    assert 'tea' not in other_names(['cam01/tea', 'cam02/tea'])
    assert other_names(['cam01/tea', 'tea'])['tea'] == 'tea'
