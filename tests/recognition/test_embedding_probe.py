"""kNN and the linear probe on embedding files, through the configs and mmengine."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import mmengine
import numpy as np
import pytest
import torch
from mmengine.config import Config
from packaging.version import Version

from twlv_mm.embeddings import extraction_note, write_embeddings
from twlv_mm.embeddings.claims import Claims
from twlv_mm.engine import launch
from twlv_mm.recognition import EmbeddingLinearProbe, LabelledEmbeddings, knn_votes
from twlv_mm.recognition.predictions import read_predictions

from ..commands import run_together
from ..written import read_results

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'
DIMS, NUM_CLASSES = 8, 3
MADE_WITH = dict(model='twlv_base', weights_sha256='ab' * 32, clip_seconds=2.0, pretraining_sets=['ssv2'])
CENTERS = np.random.default_rng(0).standard_normal((NUM_CLASSES, DIMS))


def write_split(folder, count, seed, *, dims=DIMS, labels=None, **info):
    """Videos of 1 to 4 clips around the centre of their class, in the published layout."""
    random = np.random.default_rng(seed)
    for number in range(count):
        label = number % NUM_CLASSES
        clips = CENTERS[label, :dims] + 0.8 * random.standard_normal((1 + number % 4, dims))
        times = np.arange(len(clips))[:, None] * 2.0 + [0, 2]
        annotation = {} if labels == {} else dict(annotation=(labels or {}).get(number, label))
        write_embeddings(folder, f'v{number:03d}', clips.astype('f4'), times, MADE_WITH | annotation | info)


@pytest.fixture(scope='session')
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp('embeddings')
    for sampling in ('uniform', 'multi-clip'):
        for seed, (split, count) in enumerate(dict(train=60, val=26).items()):
            write_split(root / sampling / split, count, seed, sampling=sampling)
    return root


@pytest.fixture
def root(written, tmp_path):
    """Folder of embeddings: 60 training and 26 validation videos, in both samplings."""
    return shutil.copytree(written, tmp_path / 'embeddings')


def config(root, name, **options):
    """Arguments of a small run of a config on the fixture's embeddings."""
    options = {
        'test_dataloader.dataset.data_root': root,
        'test_dataloader.batch_size': 7,
        'model.num_classes': NUM_CLASSES,
        'test_evaluator.0.metric_options.top_k_accuracy.topk': '(1,2)',
        'work_dir': f'{root}/work_dir',
    } | options
    if name == 'k400_knn':
        options = {'model.bank.data_root': root, 'model.k': 10} | options
    else:
        options = {
            'model.in_channels': DIMS,
            'train_dataloader.dataset.data_root': root,
            'train_dataloader.batch_size': 16,
            'val_dataloader.dataset.data_root': root,
            'val_evaluator.metric_options.top_k_accuracy.topk': '(1,2)',
            'train_cfg.max_epochs': 30,
        } | options
    return [
        str(CONFIGS / 'twlv' / f'{name}.py'),
        '--cfg-options',
        *(f'{key}={value}' for key, value in options.items()),
    ]


def log(root):
    (path,) = Path(root, 'work_dir').glob('*/*.log')
    return path.read_text()


def accuracy(scores):
    return 100 * (scores.argmax(dim=1) == torch.arange(len(scores)) % NUM_CLASSES).double().mean().item()


@pytest.mark.parametrize('column', ['uniform', 'video', 'clip'])
def test_config_computes_each_column_of_table_6(root, column, monkeypatch):
    monkeypatch.setenv('KNN_COLUMN', column)
    dump = f'{root}/scores.pkl'
    launch.main_test([*config(root, 'k400_knn'), '--dump', dump])
    _, kept = read_predictions(next(Path(root, 'work_dir').glob('*/predictions.json')))
    assert [(one.video_id, one.truth) for one in kept] == [
        (f'v{place:03d}', place % NUM_CLASSES) for place in range(26)
    ]

    ending = 'c' if column == 'clip' else 'v'
    sampling = 'uniform' if column == 'uniform' else 'multi-clip'
    bank, bank_labels, videos = [], [], []
    for number in range(60):
        rows = np.atleast_2d(np.load(root / sampling / 'train' / f'v{number:03d}_{ending}.npy'))
        bank.append(rows)
        bank_labels += [number % NUM_CLASSES] * len(rows)
    for number in range(26):
        rows = np.atleast_2d(np.load(root / sampling / 'val' / f'v{number:03d}_{ending}.npy'))
        votes = knn_votes(torch.from_numpy(rows), np.concatenate(bank), torch.tensor(bank_labels), NUM_CLASSES, k=10)
        videos.append((votes.sum(dim=0) / votes.sum()).float())
    scores = torch.stack([sample['pred_score'] for sample in mmengine.load(dump)])
    torch.testing.assert_close(scores, torch.stack(videos), rtol=1e-4, atol=1e-6)

    record = read_results(root / 'work_dir')
    assert record['task'] == 'recognition_knn'
    assert record['protocol']['column'] == column
    assert record['metrics']['acc/top1'] == pytest.approx(accuracy(scores))
    assert {'acc/top1', 'acc/top2', 'class/mean_accuracy'} == set(record['metrics'])


def test_results_name_the_encoder_of_the_embeddings(root):
    launch.main_test(config(root, 'k400_knn'))
    encoder = read_results(root / 'work_dir')['encoder']
    assert (encoder['name'], encoder['weights_sha256']) == ('twlv_base', 'ab' * 32)
    assert encoder['params'] == pytest.approx(86e6, rel=0.02)
    assert encoder['pretraining_sets'] == ['ssv2']  # of the weights, not of the architecture


def test_knn_imports_neither_models_of_live_video_nor_compilers(root, imported_by):
    imported = imported_by('main_test', config(root, 'k400_knn'))
    assert 'twlv_mm.recognition' in imported
    late = {'mmdet', 'mmaction.models', 'mmaction.datasets'}
    if Version(torch.__version__) >= Version('2.7'):  # torch 2.6 itself imports it with mmengine's runner
        late.add('torch._dynamo')
    assert not imported & late


def test_unknown_column_is_an_error(monkeypatch):
    monkeypatch.setenv('KNN_COLUMN', 'clips')
    with pytest.raises(ValueError, match="unknown column 'clips' .* uniform, video, clip"):
        Config.fromfile(CONFIGS / 'twlv' / 'k400_knn.py')


def test_two_processes_test_every_video_once(root):
    launch.main_test([*config(root, 'k400_knn'), '--dump', f'{root}/one.pkl'])
    arguments = [*config(root, 'k400_knn', work_dir=f'{root}/two'), '--dump', f'{root}/two.pkl']
    for ended in run_together(2, launch.main_test, [*arguments, '--launcher', 'pytorch']):
        assert ended.returncode == 0, ended.stderr
    one, two = (mmengine.load(f'{root}/{name}.pkl') for name in ('one', 'two'))
    assert len(one) == len(two) == 26
    assert [sample['gt_label'].item() for sample in one] == [number % NUM_CLASSES for number in range(26)]
    for sample, other in zip(one, two, strict=True):
        assert sample['gt_label'].equal(other['gt_label'])
        torch.testing.assert_close(sample['pred_score'], other['pred_score'])


def test_linear_probe_learns_and_tests_on_the_mean_probability_of_the_clips(root):
    runner = launch.main_train(config(root, 'k400_linear_offline', **{'optim_wrapper.optimizer.lr': 0.05}))
    dump = f'{root}/scores.pkl'
    checkpoint = f'{root}/work_dir/epoch_30.pth'
    cfg, *options = config(root, 'k400_linear_offline', work_dir=f'{root}/test/work_dir')
    launch.main_test([cfg, checkpoint, *options, '--dump', dump])

    scores = torch.stack([sample['pred_score'] for sample in mmengine.load(dump)])
    for number in range(26):
        clips = torch.from_numpy(np.load(root / 'multi-clip' / 'val' / f'v{number:03d}_c.npy'))
        torch.testing.assert_close(scores[number], runner.model.fc(clips).softmax(dim=1).mean(dim=0))
    record = read_results(root / 'test/work_dir')
    assert record['task'] == 'recognition_linear'
    assert record['encoder']['name'] == 'twlv_base'
    assert record['metrics']['acc/top1'] == pytest.approx(accuracy(scores))
    assert record['metrics']['acc/top1'] > 70


def test_resumed_linear_probe_equals_the_uninterrupted_one(root):
    whole = launch.main_train([*config(root, 'k400_linear_offline', work_dir=f'{root}/whole'), '--seed', '3'])
    start = [f'load_from={root}/whole/epoch_10.pth', 'resume=True']
    resumed = launch.main_train([*config(root, 'k400_linear_offline', work_dir=f'{root}/resumed'), *start])
    assert resumed.iter == whole.iter
    torch.testing.assert_close(resumed.model.state_dict(), whole.model.state_dict(), rtol=0, atol=0)


def test_learning_rate_warms_up_for_10_epochs_and_falls_to_0(root):
    launch.main_train(config(root, 'k400_linear_offline', **{'train_cfg.max_epochs': 150}))
    (path,) = Path(root, 'work_dir').glob('*/vis_data/scalars.json')
    lines = map(json.loads, path.read_text().splitlines())
    rates = {line['epoch']: line['lr'] for line in lines if 'lr' in line}  # the last of each epoch
    assert len(rates) == 150
    assert max(rates, key=rates.get) in (10, 11)
    assert max(rates.values()) == pytest.approx(1e-3, rel=1e-2)
    assert rates[1] < 2e-4
    assert rates[150] < 1e-6


def test_batch_has_all_clips_of_its_videos_or_a_random_one(root):
    folder = f'{root}/multi-clip/val'
    stored = [np.load(f'{folder}/v{number:03d}_c.npy') for number in range(26)]
    (batch,) = LabelledEmbeddings(folder, 'clip').__getitems__([3, 0, 5])
    np.testing.assert_array_equal(batch['inputs'], np.concatenate([stored[3], stored[0], stored[5]]))
    assert batch['num_clips'].tolist() == [4, 1, 2]
    assert batch['labels'].tolist() == [0, 0, 2]

    dataset = LabelledEmbeddings(folder, 'random_clip')
    drawn = torch.stack([dataset.__getitems__([3, 0, 5])[0]['inputs'] for _ in range(80)])
    for column, number in enumerate([3, 0, 5]):
        assert set(map(bytes, drawn[:, column].numpy())) == set(map(bytes, stored[number]))
    torch.manual_seed(1)
    first = dataset.__getitems__(range(26))[0]['inputs']
    torch.manual_seed(1)
    assert first.equal(dataset.__getitems__(range(26))[0]['inputs'])


def test_loss_of_videos_with_all_their_clips_is_the_mean_over_the_clips(root):
    probe = EmbeddingLinearProbe(DIMS, NUM_CLASSES)
    (batch,) = LabelledEmbeddings(f'{root}/multi-clip/val', 'clip').__getitems__([3, 1])
    scores = probe.fc(batch['inputs']).log_softmax(dim=1)
    expected = -scores[range(6), [0, 0, 0, 0, 1, 1]].mean()  # video 3 has four clips, video 1 has two
    assert batch.pop('video_ids') == 'v003\nv001'
    torch.testing.assert_close(probe.loss(**batch)['loss'], expected)


def test_labels_come_from_a_list_where_embeddings_have_none(root):
    write_split(root / 'bare', 6, 0, labels={})
    with pytest.raises(ValueError, match=r'6 of 6 videos in .*bare have no class index .*v000, v001, v002\. Set ann_f'):
        LabelledEmbeddings(root / 'bare', 'video')
    lines = [f'v{number:03d}.mp4 {number % 2}\n' for number in range(6)]
    (root / 'list.txt').write_text(''.join(lines))
    assert LabelledEmbeddings(root / 'bare', 'video', f'{root}/list.txt').labels.tolist() == [0, 1, 0, 1, 0, 1]

    (root / 'list.txt').write_text(''.join(lines[:-1]))
    with pytest.raises(ValueError, match=r'1 of 6 videos .*list\.txt \(but NoneType\): v005'):
        LabelledEmbeddings(root / 'bare', 'video', f'{root}/list.txt')


def test_videos_without_embeddings_are_named_in_the_log(root):
    failure = dict(video_id='broken', path='broken.mp4', stage='open', reason='no video stream')
    (root / 'multi-clip' / 'val' / 'failures.jsonl').write_text(json.dumps(failure) + '\n')
    lines = [f'v{number:03d}.mp4 {number % NUM_CLASSES}\n' for number in range(61)]
    (root / 'list.txt').write_text(''.join(lines))
    launch.main_test(config(root, 'k400_knn', **{'model.bank.ann_file': f'{root}/list.txt'}))
    assert 'train and are left out, such as v060' in log(root)
    assert 'val and are left out, such as broken' in log(root)


def test_split_that_is_being_extracted_gives_what_is_finished_and_says_so(root):
    folder = root / 'multi-clip/val'
    video_ids = sorted(path.stem for path in folder.glob('*.json'))
    (folder / 'manifest.json').write_text(json.dumps(dict(settings=[], videos=[*video_ids, 'later'])))
    (folder / f'{video_ids[3]}.json').unlink()  # which is written last
    pid = os.fork()
    if not pid:
        Claims(folder).take(video_ids[3])
        (root / 'ready').touch()
        time.sleep(60)
        os._exit(0)
    try:
        while not (root / 'ready').exists():
            time.sleep(0.01)
        launch.main_test(config(root, 'k400_knn'))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert (
        f'2 videos of the split have no embeddings in {folder} and are left out, such as later, {video_ids[3]}. '
        'An extraction into the folder is running.'
    ) in log(root)
    assert not extraction_note(folder)


def replace_split(folder, **changes):
    for path in folder.iterdir():
        path.unlink()
    write_split(folder, 12, 9, sampling='multi-clip', **changes)


WRONG = {
    'weights_sha256': (dict(weights_sha256='cd' * 32), r"train and .*val cannot be compared; .*weights_sha256 \('abab"),
    'model': (dict(model='twlv_large'), r"differ in model \('twlv_base' and 'twlv_large'\)"),
    'clip_seconds': (dict(clip_seconds=0.5), r'clip_seconds \(2\.0 and 0\.5\)'),
    'dims': (dict(dims=4), r'dims \(8 and 4\)'),
    'label': (dict(labels={4: 3}), r'1 of 12 videos in .*val have labels outside 0 \.\.\. 2 .*v004 has 3\. .*is 3'),
}


@pytest.mark.parametrize('name', ['k400_knn', 'k400_linear_offline'])
@pytest.mark.parametrize('kind', WRONG)
def test_embeddings_that_do_not_fit_are_refused_before_the_run(root, name, kind, monkeypatch):
    changes, message = WRONG[kind]
    replace_split(root / 'multi-clip' / 'val', **changes)
    monkeypatch.setattr('twlv_mm.recognition.embedding_probe.EmbeddingClassifier.forward', lambda *_, **__: 1 / 0)
    main = launch.main_test if name == 'k400_knn' else launch.main_train
    with pytest.raises(ValueError, match=message):
        main(config(root, name))


def test_checkpoint_is_not_tested_on_embeddings_of_another_encoder(root):
    launch.main_train(config(root, 'k400_linear_offline', **{'train_cfg.max_epochs': 11}))
    replace_split(root / 'multi-clip' / 'val', weights_sha256='cd' * 32)
    cfg, *options = config(root, 'k400_linear_offline')
    with pytest.raises(ValueError, match=r'train and .*val cannot be compared; .*weights_sha256'):
        launch.main_test([cfg, f'{root}/work_dir/epoch_10.pth', *options])


def test_checkpoint_of_a_model_on_video_is_refused(root, tmp_path, refused):
    torch.save(dict(state_dict={'cls_head.fc_cls.weight': torch.zeros(4, DIMS)}), tmp_path / 'video.pth')
    cfg, *options = config(root, 'k400_knn')
    assert 'video.pth does not hold the weights' in refused(launch.main_test, [cfg, f'{tmp_path}/video.pth', *options])


def test_width_of_the_probe_must_be_that_of_the_embeddings(root):
    with pytest.raises(ValueError, match='but the model expects 768: set model.in_channels=8'):
        launch.main_train(config(root, 'k400_linear_offline', **{'model.in_channels': 768}))


def test_classes_without_training_videos_are_counted(root):
    launch.main_test(config(root, 'k400_knn', **{'model.num_classes': 5}))
    assert '2 of the 5 classes have no video in' in log(root)


def test_split_of_two_encoders_is_refused(root):
    write_split(root / 'multi-clip' / 'val', 3, 0, sampling='multi-clip', weights_sha256='cd' * 32)
    with pytest.raises(
        ValueError, match=r'val holds embeddings made with 2 different settings: v000 and v003 differ in weights_sha256'
    ):
        LabelledEmbeddings(root / 'multi-clip' / 'val', 'clip')


def test_video_with_nan_is_refused_by_name(root):
    clips = np.load(root / 'multi-clip' / 'val' / 'v007_c.npy')
    clips[1, 2] = np.nan
    np.save(root / 'multi-clip' / 'val' / 'v007_c.npy', clips)
    with pytest.raises(ValueError, match=r'v007 in .* contains NaN or Inf'):
        LabelledEmbeddings(root / 'multi-clip' / 'val', 'clip')


def test_empty_and_missing_splits_and_scopes_are_refused(root):
    (root / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='no embeddings in .*empty'):
        LabelledEmbeddings(root / 'empty', 'clip')
    with pytest.raises(FileNotFoundError, match='folder .*nowhere does not exist'):
        LabelledEmbeddings(root / 'nowhere', 'clip')
    with pytest.raises(ValueError, match="unknown scope 'clips'; choose from 'video', 'clip', 'random_clip'"):
        LabelledEmbeddings(root / 'multi-clip' / 'val', 'clips')
