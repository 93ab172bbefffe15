import json
import re
import shutil

import numpy as np
import pytest

from twlv_mm.embeddings import write_embeddings
from twlv_mm.report import make_report
from twlv_mm.report.embedding_panels import DIRECTIONS, View, embedding_panels
from twlv_mm.report.overview import overview
from twlv_mm.report.tables import fill_tables
from twlv_mm.segmentation.predictions import video_entry, write_predictions

from .records import TAL, record, write, write_results

FRAMES = [0] * 40 + [1] * 40


def write_segmentation(folder, name, predicted, videos=('a', 'b', 'c')):
    path = write(folder, name, record('segmentation', 'gtea', dict(mF1=80.0), encoder=dict(label=name)))
    entries = {video: video_entry(15.0, np.array(FRAMES), np.array(predicted)) for video in videos}
    write_predictions(path.with_name('predictions.json'), ['cut', 'stir <b>'], [], entries)
    return path.with_name('predictions.json')


def texts(picture):
    """What can be read in a figure."""
    return re.findall(r'<text[^>]*>([^<]*)</text>', picture.element)


def test_segmentations_of_encoders_are_drawn_above_one_another(tmp_path):
    write_segmentation(tmp_path, 'one', FRAMES)
    write_segmentation(tmp_path, 'two', FRAMES[::-1])
    (picture,) = make_report(tmp_path).segmentation
    assert picture.title == 'Segmentation of GTEA'
    assert [text for text in texts(picture) if text in ('ground truth', 'one', 'two')] == ['ground truth', 'one', 'two']
    assert 'stir &lt;b&gt;' in texts(picture)
    assert picture.element.startswith('<svg ')
    assert 'width=' not in picture.element.partition('>')[0]


def test_predictions_that_cannot_be_drawn_are_listed(tmp_path):
    write_segmentation(tmp_path, 'one', FRAMES)
    write_segmentation(tmp_path, 'two', FRAMES).write_text('{"version": 1, "videos": []}')
    path = write(tmp_path, 'tal', record('localization', 'thumos14', dict(mAP=50.0), protocol=TAL))
    path.with_name('predictions.json').write_text('{"results": {"a": [3]}, "external_data": {"truth": {"a": 4}}}')
    report = make_report(tmp_path)
    assert report.segmentation == report.localization == []
    assert [problem.partition(' is not drawn')[0] for problem in report.problems] == [
        'segmentation of gtea',
        'localization of thumos14',
    ]


def test_predictions_of_a_video_whose_id_leads_elsewhere_write_nothing(tmp_path):
    write_segmentation(tmp_path / 'runs', 'one', FRAMES, [f'{tmp_path}/evil'])
    (problem,) = make_report(tmp_path / 'runs').problems
    assert 'leads out of' in problem
    assert not list(tmp_path.glob('evil*'))


def test_actions_are_drawn_in_time_beneath_the_annotated_ones(tmp_path):
    action = dict(label='jump', segment=[2.0, 6.5])
    content = dict(
        results={'v': [action | dict(score=0.9), dict(label='run', segment=[1.0, 9.0], score=0.01)]},
        external_data=dict(truth={'v': [action]}),
    )
    for label in ('one', 'two'):
        path = write(tmp_path, label, record('localization', 'thumos14', {}, protocol=TAL, encoder=dict(label=label)))
        path.with_name('predictions.json').write_text(json.dumps(content))
    pictures = make_report(tmp_path).localization
    assert [picture.title for picture in pictures] == ['THUMOS14, one', 'THUMOS14, two']
    assert 'jump' in texts(pictures[0])
    assert 'run' not in texts(pictures[0])  # too unlikely to be drawn


def test_encoders_that_do_not_fit_the_picture_are_named(tmp_path):
    action = dict(label='jump', segment=[2.0, 6.5])
    content = dict(results={'v': [action | dict(score=0.9)]}, external_data=dict(truth={'v': [action]}))
    scores = {f'mAP@{threshold:.2f}': 50.0 for threshold in (0.5, 0.75, 0.95)} | {'mAP': 50.0}
    for number in range(12):
        encoder = dict(label=f'encoder {number:02d}')
        for dataset, task in (('kinetics400', 'recognition_linear'), ('ssv2', 'recognition_linear')):
            write(tmp_path, f'{dataset} {number:02d}', record(task, dataset, {'acc/top1': 50.0}, encoder=encoder))
        path = write(
            tmp_path, f'{number:02d}', record('localization', 'activitynet', scores, protocol=TAL, encoder=encoder)
        )
        path.with_name('predictions.json').write_text(json.dumps(content))
    report = make_report(tmp_path)
    radar = next(picture for picture in report.overview if picture.title.startswith('All tasks, sets of the paper'))
    assert radar.caption.endswith('Not drawn: encoder 10, encoder 11, TWLV-I, ViT-L (paper), best other ViT-L (paper).')
    assert len(report.localization) == 4
    assert 'Not drawn: encoder 04, encoder 05, ' in report.localization[0].caption


def test_the_overview_has_all_tasks_and_appearance_against_motion(tmp_path):
    write_results(tmp_path)
    titles = [picture.title for picture in make_report(tmp_path).overview]
    assert titles[:2] == ['All tasks, generated videos', 'Appearance against motion, generated videos']
    first, second, third, *_ = make_report(tmp_path).overview
    assert {'untrained', 'trained', 'frame-wise', 'segmentation', 'detection'} <= set(texts(first))
    assert {'linear', 'attentive', 'kNN', 'appearance, top-1 in %'} <= set(texts(second))
    assert {'TWLV-I, ViT-L (paper)', 'best other ViT-L (paper)', 'twlv_base'} <= set(texts(third))


def test_the_papers_figures_are_drawn_of_all_its_tables_with_daggers():
    tables = fill_tables([])
    figure_1, figure_2 = overview(tables)
    axes = {'K400 linear', 'IN-1K attentive', 'SSv2 Clip kNN', 'THUMOS14 localization', 'AVA detection'}
    axes |= {'ActivityNet ext. classifier localization', 'Breakfast segmentation'}
    shown = ' '.join(texts(figure_1))
    assert all(axis in shown for axis in axes)
    # On SSv2 the best other ViT-L is V-JEPA, which saw it: linear, attentive and three ways of kNN.
    assert texts(figure_1).count('†') == 5
    assert {'linear', 'attentive', 'kNN', 'DFN, ViT-H (paper)'} <= set(texts(figure_2))
    # Those on SSv2 of Tables 3, 5 and 6, and InternVideo2's on MiT too.
    marked = [row for table in tables.paper[:3] for row in table.rows if any(cell.dagger for cell in row.cells)]
    assert texts(figure_2).count('†') == len(marked) == 12


@pytest.fixture
def embeddings(tmp_path):
    """Videos of two classes, which an encoder tells apart, in either direction."""
    for view, sign in (('uniform', 1), ('uniform-reversed', -1)):
        folder = tmp_path / view / 'test'
        folder.mkdir(parents=True)
        for number in range(24):
            vector = np.random.default_rng(number).normal(0, 0.1, 6).astype(np.float32)
            vector[number % 2] += 3
            vector[4] += sign
            info = dict(annotation=number % 2, duration=2.0, num_frames=16)
            write_embeddings(str(folder), f'v{number:02d}', vector[None], np.array([[0.0, 2.0]]), info)
    return str(tmp_path / 'uniform/test')


def test_embeddings_stand_side_by_side_and_reversed_ones_beside_forward_ones(embeddings, tmp_path):
    (tmp_path / 'names.txt').write_text('Moving up\nMoving down\n')
    views = [View(name, 'SSv2', embeddings, class_names=str(tmp_path / 'names.txt')) for name in ('one', 'two')]
    pictures, problems = embedding_panels(views)
    assert problems == []
    assert [picture.title for picture in pictures] == [
        'SSv2, t-SNE',
        'SSv2, LDA',
        "SSv2 'Moving up', forward and reversed, LDA",
        "SSv2 'Moving down', forward and reversed, LDA",
    ]
    assert pictures[0].caption == (
        "All 24 videos of all 2 classes. The paper's Figure 7 shows half of the videos, all classes."
    )
    assert pictures[2].caption == "As the paper's Figure 8, which shows 'Moving something up' of SSv2."
    assert all('"one"' in picture.element and '"two"' in picture.element for picture in pictures)


def test_figures_8_and_9_are_of_the_classes_that_the_paper_shows(embeddings, tmp_path):
    # In alphabetical order, other classes with these words come first.
    names = ['Lifting something up completely', 'Letting something roll down', *DIRECTIONS]
    (tmp_path / 'names.txt').write_text('\n'.join(names))
    lines = [f'v{number:02d}.mp4 {number % 4}' for number in range(24)]
    (tmp_path / 'list.txt').write_text('\n'.join(lines))
    view = View('one', 'SSv2', embeddings, str(tmp_path / 'list.txt'), str(tmp_path / 'names.txt'))
    pictures, problems = embedding_panels([view])
    assert problems == []
    assert [(picture.title, picture.caption) for picture in pictures[2:]] == [
        ("SSv2 'Moving something up', forward and reversed, LDA", "As the paper's Figure 8."),
        ("SSv2 'Moving something down', forward and reversed, LDA", "As the paper's Figure 9."),
    ]


def test_encoders_whose_weights_have_seen_the_set_have_a_dagger_in_its_pictures(tmp_path):
    for name, sets in (('one', ['kinetics710']), ('two', ['kinetics710', 'ssv2']), ('three', 'ssv2')):
        for number in range(8):
            vector = np.random.default_rng(number).normal(size=6).astype(np.float32)
            info = dict(annotation=number % 2, duration=2.0, num_frames=16, pretraining_sets=sets)
            write_embeddings(str(tmp_path / name), f'v{number}', vector[None], np.array([[0.0, 2.0]]), info)
    (picture, _), _ = embedding_panels([View(name, 'SSv2', str(tmp_path / name)) for name in ('one', 'two', 'three')])
    shown = picture.element.replace('\\u2020', '†')
    assert '"one"' in shown
    assert '"two†"' in shown
    assert '"three"' in shown


def test_what_is_drawn_of_many_videos_is_reported(tmp_path):
    for number in range(100):
        vector = np.random.default_rng(number).normal(size=6).astype(np.float32)
        info = dict(annotation=number % 25, duration=2.0, num_frames=16)
        write_embeddings(str(tmp_path / 'val'), f'v{number:02d}', vector[None], np.array([[0.0, 2.0]]), info)
    (picture, _), _ = embedding_panels([View('one', 'K400', str(tmp_path / 'val'))])
    assert picture.caption.startswith('80 of 100 videos and 20 of 25 classes, chosen at random with seed 0')
    assert picture.caption.endswith("The paper's Figure 6 shows all videos of all classes.")


def test_evaluations_of_one_name_are_told_apart_by_their_folders(embeddings, tmp_path):
    view = dict(title='SSv2', folder='embeddings', ann_file=None, class_names=None)
    task = dict(task='ssv2_knn', status='finished', reason='')
    for name in ('small-random', 'small-abababab', 'other-random'):
        shutil.copytree(embeddings, tmp_path / 'out' / name / 'embeddings')
        said = dict(encoder=name.partition('-')[0], tasks=[task], views=[view])
        (tmp_path / 'out' / name / 'evaluation.json').write_text(json.dumps(said))
    report = make_report(tmp_path / 'out')
    names = ['other', 'small-abababab', 'small-random']
    assert [one['encoder'] for one in report.evaluations] == names
    assert all(f'"{name}"' in report.embeddings[0].element for name in names)


def test_neighbours_are_as_many_as_the_videos_that_are_left_of_many_classes_allow(tmp_path):
    for number in range(100):
        vector = np.random.default_rng(number).normal(size=6).astype(np.float32)
        info = dict(annotation=number, duration=2.0, num_frames=16)
        write_embeddings(str(tmp_path / 'val'), f'v{number:02d}', vector[None], np.array([[0.0, 2.0]]), info)
    pictures, (problem,) = embedding_panels([View('one', 'K400', str(tmp_path / 'val'))])
    assert [picture.title for picture in pictures] == ['K400, t-SNE']
    assert '20 classes have a single video' in problem  # for lda


def test_embeddings_that_are_not_there_are_listed(tmp_path):
    pictures, problems = embedding_panels([View('one', 'K400', str(tmp_path / 'nowhere'))])
    assert pictures == []
    assert 'the embeddings of K400 are not drawn' in problems[0]
