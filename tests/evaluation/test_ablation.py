"""The ablation of pretraining targets, and the small encoders that it is made of."""

import csv

import pytest
import torch

import twlv_mm
from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.evaluation import ablation
from twlv_mm.evaluation.frozen_probes import PROBES, encode_clips, frozen_scores
from twlv_mm.evaluation.trimmed_checks import read_clips
from twlv_mm.pretraining import small_encoder as small
from twlv_mm.synthetic import make_trimmed


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp('set') / 'trimmed'
    make_trimmed(folder, num_train=24, num_test=8, workers=1)
    return folder


@pytest.fixture(scope='module')
def clips(data):
    return {split: read_clips(data, split) for split in ('train', 'test')}


def test_pretraining_trains_its_teachers_first_and_leaves_an_encoder(data, tmp_path, monkeypatch):
    settings = ['train_cfg.max_iters=2', 'param_scheduler=[]', 'train_dataloader.sampler.batch_sizes.video=4']
    short = ['--cfg-options', *settings]
    monkeypatch.setattr(small, '_train', counted := Counted(small._train))
    path = small.train_small('mixture', tmp_path, data, options=short)
    assert {call[0] for call in counted.calls[:2]} == {'appearance_single_frame', 'motion_finetune'}
    assert [call[0] for call in counted.calls[2:]] == ['pretrain_mixture']
    encoder = twlv_mm.get_model('twlv_small_synthetic', path)
    trained = load_checkpoint(tmp_path / 'mixture/iter_2.pth')['state_dict']
    for key, value in encoder.state_dict().items():
        assert torch.equal(value, trained[f'backbone.{key}'])
    teacher = twlv_mm.get_model('twlv_small_synthetic', tmp_path / 'single_frame.pth', num_frames=1, tubelet_size=1)
    assert teacher.arch.num_frames == 1

    small.train_small('teacher', tmp_path, data, options=short)
    assert [call[0] for call in counted.calls[3:]] == ['pretrain_teacher']


def test_finished_cells_are_not_run_again_and_the_tables_say_what_there_is(data, tmp_path, monkeypatch):
    def pretrain(name, folder, *args):
        made.append((name, folder.name))
        if len(made) == 2:
            raise KeyboardInterrupt
        torch.save(twlv_mm.get_model('twlv_small_synthetic').state_dict(), folder / 'iter_1.pth')
        return str(folder / 'iter_1.pth')

    made = []
    monkeypatch.setattr(ablation, 'pretrain', pretrain)
    work = ablation.Ablation(tmp_path, data, tmp_path, ['pixels'], [0, 1])
    with pytest.raises(KeyboardInterrupt):
        work.run()
    work.run()
    assert made == [('pixels', 'seed_0'), *2 * [('pixels', 'seed_1')]]
    with (tmp_path / 'table.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * len(PROBES)
    for row in rows:
        assert row['seeds'] == '2'
        assert 0 <= float(row['mean']) <= 100
        assert row['target'] != 'untrained' or float(row['gain']) == 0
    assert (tmp_path / 'table.md').read_text().count('±') == len(rows)
    assert (tmp_path / 'appearance_motion.png').stat().st_size > 1000


def test_probes_read_what_is_in_the_features(clips):
    class Oracle(torch.nn.Module):
        """Its features are the labels of the clips it is given in order."""

        def __init__(self, labels):
            super().__init__()
            self.spec = twlv_mm.describe('twlv_small_synthetic')
            self.labels = torch.cat([torch.from_numpy(part) for part in labels])

        def tokens(self, video):
            now, self.labels = self.labels[: len(video)], self.labels[len(video) :]
            one_hot = [torch.nn.functional.one_hot(now[:, column], 8) for column in (0, 1)]
            return 3 * torch.cat(one_hot, 1).float().repeat(1, 8).unsqueeze(1)

        def grid(self, video):
            return 1, 1, 1

        def pool(self, tokens, grid):
            return tokens[:, 0]

    # Train on the test clips too, so that every class is known.
    both = dict.fromkeys(('train', 'test'), clips['test'])
    scores = frozen_scores(Oracle([both['train'][1], both['test'][1]]), both, epochs=60, neighbours=1)
    assert scores['appearance'] == scores['motion'] == dict.fromkeys(PROBES, 100.0)


def test_features_are_those_of_the_encoder(clips):
    encoder = twlv_mm.get_model('twlv_small_synthetic').eval()
    frames = clips['test'][0]
    tokens, pooled = encode_clips(encoder, frames, batch_size=3)
    mean, std = (torch.tensor(value).view(3, 1, 1, 1) for value in (encoder.spec.mean, encoder.spec.std))
    video = (torch.from_numpy(frames).permute(0, 4, 1, 2, 3).float() - mean) / std
    with torch.no_grad():
        torch.testing.assert_close(tokens, encoder.tokens(video), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(pooled, encoder.embed(video), atol=1e-5, rtol=1e-5)


class Counted:
    def __init__(self, function):
        self.function, self.calls = function, []

    def __call__(self, *args):
        self.calls.append(args)
        return self.function(*args)
