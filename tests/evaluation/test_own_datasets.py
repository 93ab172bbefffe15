"""A user's own datasets, listed in a YAML file, in an evaluation."""

import json
import sys

import pytest

from twlv_mm.evaluation.encoder import find_encoder
from twlv_mm.evaluation.evaluation import Evaluation
from twlv_mm.evaluation.own_datasets import own_tasks
from twlv_mm.evaluation.status_file import FINISHED, NO_DATA
from twlv_mm.report import make_report, write_report
from twlv_mm.synthetic import item_rng, render_clip, write_video

SETS = """
dances:
  task: recognition
  data_root: {root}/lists
  video_root: {root}/videos
  num_folds: 2
  configs: {{knn: {{k: 3}}}}
kitchen:
  task: segmentation
  data_root: {root}/kitchen
  fps: 8
"""


@pytest.fixture
def sets(tmp_path):
    """A file of two sets, of which the first is there: eight videos of two classes."""
    (tmp_path / 'videos').mkdir()
    (tmp_path / 'lists').mkdir()
    for index in range(8):
        frames, *_ = render_clip(item_rng(0, 'test', index), 'test', num_frames=16)
        write_video(str(tmp_path / f'videos/{index}.mp4'), frames, fps=8)
    for fold in (1, 2):
        for part, places in (('train', range(8)), ('val', range(4))):
            lines = [f'{index}.mp4 {index % 2}\n' for index in places if part == 'val' or index % 4 // 2 == fold % 2]
            (tmp_path / f'lists/{part}_fold{fold}.txt').write_text(''.join(lines))
    (tmp_path / 'lists/classes.txt').write_text('even\nodd\n')
    path = tmp_path / 'own.yaml'
    path.write_text(SETS.format(root=tmp_path))
    return path


def test_own_sets_are_evaluated_and_what_is_finished_is_left_alone(sets, tmp_path):
    def build():
        tasks, views = own_tasks(sets)
        return Evaluation(find_encoder('twlv_small_synthetic', None, 'small'), tasks, tmp_path / 'out', views=views)

    states = build().run()
    assert {name: status for name, (status, _) in states.items()} == dict(dances_knn=FINISHED, kitchen_tas=NO_DATA)
    assert build().todo() == []
    (record,) = (json.loads(path.read_text()) for path in tmp_path.glob('out/*/dances_*/results.json'))
    assert (record['task'], record['dataset']) == ('recognition_knn', 'dances')
    assert (record['protocol']['folds'], record['protocol']['k']) == ([1, 2], 3)
    top1 = [fold['acc/top1'] for fold in record['folds'].values()]
    assert record['spread']['acc/top1'] == pytest.approx(abs(top1[0] - top1[1]) / 2**0.5)
    (log,) = tmp_path.glob('out/*/logs/dances_knn.txt')
    assert log.read_text().startswith(f'$ {sys.executable} -m twlv_tools folds ')
    assert {'dances'} == {picture.title.partition(',')[0] for picture in make_report(tmp_path / 'out').embeddings}
    page, _ = write_report(tmp_path / 'out')
    assert f'no data</span>: {tmp_path}/kitchen does not exist' in page.read_text()


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('dances: {task: dancing, data_root: a}', "dances, task: 'dancing' is not one of recognition"),
        ('dances: {task: recognition}', 'lists or annotations, is missing'),
        ('a/b: {task: recognition, data_root: a}', 'becomes the name of a folder'),
        ('dances: {task: detection, data_root: a, configs: [linear]}', "'linear' is not one of stal"),
        ('dances: 3', 'is not a dict'),
        ('{}', 'lists no dataset'),
    ],
)
def test_a_file_of_another_form_is_refused_with_the_place(text, message, tmp_path):
    path = tmp_path / 'own.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        own_tasks(path)
    assert str(path) in str(error.value)
