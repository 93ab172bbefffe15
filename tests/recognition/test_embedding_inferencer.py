"""Classifiers of embeddings name further videos, and score them as their test does."""

import json
from pathlib import Path

import mmengine
import numpy as np
import pytest
import torch
from mmengine.config import Config

from twlv_mm.embeddings import extract_splits
from twlv_mm.engine import launch
from twlv_mm.recognition import EmbeddingInferencer, EmbeddingKNN, LabelledEmbeddings
from twlv_mm.synthetic import item_rng, render_clip, write_video

from ..commands import run_tool

ROOT = Path(__file__).resolve().parents[2]
SMALL = dict(source='twlv_small_synthetic', weights='official')
SAMPLINGS = dict(uniform={}, clip=dict(clip_seconds=1.0, stride_seconds=0.5))


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Eight videos with labels of two classes, embedded in both samplings."""
    root = tmp_path_factory.mktemp('own')
    for index in range(8):
        frames, *_ = render_clip(item_rng(0, 'test', index), 'test', num_frames=16)
        write_video(str(root / f'{index}.mp4'), frames, fps=8)
    (root / 'all.txt').write_text(''.join(f'{index}.mp4 {index % 2}\n' for index in range(8)))
    for column, clips in SAMPLINGS.items():
        sampling = 'multi-clip' if clips else column
        splits = dict(train=str(root / 'all.txt'), val=str(root / 'all.txt'))
        extract_splits(SMALL, splits, str(root / 'embeddings'), workers=0, sampling=sampling, **clips)
    return root


def knn_config(root, column):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('KNN_COLUMN', column)
        cfg = Config.fromfile(ROOT / 'configs/twlv/k400_knn.py')
    cfg.merge_from_dict({'model.bank.data_root': f'{root}/embeddings', 'model.num_classes': 2})
    return cfg


def run_config(cfg, name, root, *arguments, run=launch.main_test):
    """A config and a run of it; returns its path and the results."""
    path, work_dir = root / f'{name}.py', root / f'work_{name}'
    cfg.dump(path)
    options = [f'test_dataloader.dataset.data_root={root}/embeddings']
    options += ['test_evaluator.0.metric_options.top_k_accuracy.topk=(1,)']
    run([str(path), '--work-dir', str(work_dir), *map(str, arguments), '--cfg-options', *options])
    return path, [json.loads(path.read_text()) for path in work_dir.glob('*/results.json')]


@pytest.mark.parametrize('column', ['uniform', 'video', 'clip'])
def test_knn_scores_a_video_as_its_test_does(column, root):
    dump = root / 'scores.pkl'
    config, (record,) = run_config(knn_config(root, column), f'knn_{column}', root, '--dump', dump)
    bank = root / 'embeddings' / ('uniform' if column == 'uniform' else 'multi-clip') / 'train'
    inferencer = EmbeddingInferencer(config, bank, device='cpu', classes=['a', 'b'])
    for index, sample in enumerate(mmengine.load(dump)):
        result = inferencer(root / f'{index}.mp4')
        scores = {one['index']: one['score'] for one in result['predictions']}
        np.testing.assert_allclose([scores[0], scores[1]], sample['pred_score'], atol=1e-6)
        assert result['predictions'][0]['label'] in 'ab'
    assert result['bank'] == dict(
        folder=str(bank), vectors=len(inferencer.model.bank.vectors), k=record['protocol']['k']
    )
    assert result['encoder']['name'] == result['model']['encoder'] == 'twlv_small_synthetic'


def test_a_list_chooses_among_the_embeddings_of_a_folder(root):
    for fold, places in ((1, (0, 3, 6)), (2, (1, 2))):
        (root / f'val_fold{fold}.txt').write_text(''.join(f'{index}.mp4 {index % 2}\n' for index in places))
    folder = f'{root}/embeddings/multi-clip/train'
    everything = LabelledEmbeddings(folder, 'clip')
    for fold, places in ((1, [0, 3, 6]), (2, [1, 2])):
        ann_file = f'{root}/val_fold{{fold}}.txt'
        part = LabelledEmbeddings(folder, 'clip', ann_file, listed_only=True, fold=fold)
        assert part.video_ids == [str(place) for place in places]
        assert part.labels.tolist() == [place % 2 for place in places]
        assert part.missing == []
        for place, video in enumerate(places):
            expected = everything.vectors[everything.video_index.numpy() == video]
            np.testing.assert_array_equal(part.__getitems__([place])[0]['inputs'], expected)
    (root / 'other.txt').write_text('x.mp4 0\n0.mp4 0\n')
    assert LabelledEmbeddings(folder, 'clip', f'{root}/other.txt', listed_only=True).missing == ['x']
    with pytest.raises(ValueError, match='have no class index as label'):
        LabelledEmbeddings(folder, 'clip', f'{root}/val_fold1.txt')
    (root / 'none.txt').write_text('x.mp4 0\n')
    with pytest.raises(FileNotFoundError, match=r'none of the 1 videos of .*none\.txt'):
        LabelledEmbeddings(folder, 'clip', f'{root}/none.txt', listed_only=True)


def test_bank_smaller_than_k_votes_as_a_whole_and_that_is_reported_once_and_recorded(root, capsys):
    bank = dict(type='twlv_mm.LabelledEmbeddings', folder=f'{root}/embeddings/uniform/train', scope='video')
    model = EmbeddingKNN(bank, 2, k=200)
    for vector in torch.from_numpy(np.array(model.bank.vectors)).split(1):
        votes = model.scores(vector)
    assert ''.join(capsys.readouterr()).count('fewer than k=200') == 1
    assert model.choices['k'] == 8
    expected = EmbeddingKNN(bank, 2, k=8).scores(vector)
    torch.testing.assert_close(votes, expected)


def test_probe_of_embeddings_names_videos_from_the_command_line(root):
    cfg = Config.fromfile(ROOT / 'configs/twlv/k400_linear_offline.py')
    changes = {'model.in_channels': 128, 'model.num_classes': 2, 'train_cfg': dict(type='EpochBasedTrainLoop')}
    changes['train_cfg']['max_epochs'] = 12
    for part in ('train', 'val', 'test'):
        changes[f'{part}_dataloader.dataset.data_root'] = f'{root}/embeddings'
    cfg.merge_from_dict(changes | dict(class_names=['even', 'odd']))
    config, _ = run_config(cfg, 'offline', root, '--no-validate', '--test', run=launch.main_train)
    checkpoint = (root / 'work_offline/last_checkpoint').read_text()
    assert run_tool('infer.py', config, checkpoint, root / '0.mp4', '--out', root / 'labels') == 0
    result = json.loads((root / 'labels/0.json').read_text())
    assert {one['label'] for one in result['predictions']} == {'even', 'odd'}
    assert (root / 'labels/0.png').stat().st_size > 0


def test_another_encoder_than_that_of_the_bank_is_refused(root, tmp_path):
    from twlv_mm import get_model

    torch.save(get_model('twlv_small_synthetic').state_dict(), tmp_path / 'other.pth')
    bank = root / 'embeddings/uniform/train'
    with pytest.raises(ValueError, match='weights_sha256'):
        EmbeddingInferencer(knn_config(root, 'uniform'), bank, 'cpu', encoder_weights=str(tmp_path / 'other.pth'))


def test_knn_requires_a_folder_in_place_of_a_checkpoint(root):
    with pytest.raises(FileNotFoundError, match='the folder of the memory bank'):
        EmbeddingInferencer(knn_config(root, 'uniform'), root / 'epoch_1.pth', 'cpu')
