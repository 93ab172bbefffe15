"""Names that come out of files stay below their folder."""

import pytest

from twlv_mm.records import PathError, path_below


@pytest.mark.parametrize('name', ['v0.mp4', 'P03/cam01/a..b.png', 'a b', '…'])
def test_name_below_the_folder_is_taken(name, tmp_path):
    assert path_below(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize('name', ['../x', 'a/../../x', 'a/../x', '/etc/passwd', '', ' ', '.', 'a\0b', None, 3])
def test_name_that_leads_elsewhere_is_refused(name, tmp_path):
    with pytest.raises(PathError):
        path_below(tmp_path / 'folder', name)


def test_link_that_leads_out_is_refused_and_one_within_is_not(tmp_path):
    folder = tmp_path / 'received'
    (folder / 'real').mkdir(parents=True)
    (folder / 'out').symlink_to(tmp_path)
    (folder / 'within').symlink_to(folder / 'real')
    (folder / 'loop').symlink_to(folder / 'loop')
    assert path_below(folder, 'within/v0_c.npy')
    for name in ('out/v0_c.npy', 'out'):
        with pytest.raises(PathError, match='leads out of .*received, by a link'):
            path_below(folder, name)
    with pytest.raises(PathError):
        path_below(folder, 'loop/v0')


def test_folder_may_itself_be_a_link(tmp_path):
    (tmp_path / 'disk').mkdir()
    (tmp_path / 'embeddings').symlink_to(tmp_path / 'disk')
    assert path_below(tmp_path / 'embeddings', 'v0') == tmp_path / 'embeddings/v0'
