"""The how-to of docs/pretraining.md does what it says, with the small encoder."""

from pathlib import Path

from twlv_mm.engine import launch

PAGE = Path(__file__).parents[2] / 'docs/pretraining.md'


def test_the_page_pretrains_the_small_encoder_and_logs_a_loss_of_a_short_run(tiny_videos, tmp_path):
    text = PAGE.read_text().partition('```python\n')[2].partition('```')[0]
    names = [line.split()[0] for line in Path(tiny_videos.train_list).read_text().splitlines()]
    (tmp_path / 'videos.txt').write_text('\n'.join(names))
    text = text.replace("'data/mine/videos.txt'", f"'{tmp_path}/videos.txt'").replace(
        "'data/mine'", f"'{tiny_videos.folder}'"
    )
    # Its lines for a run without a teacher, from nothing, and a short one.
    assert "targets=dict(_delete_=True, latent=dict(type='twlv_mm.LatentTarget'))` in `model`" in PAGE.read_text()
    text = text.partition('model = ')[0] + (
        "model = dict(teachers=None, targets=dict(_delete_=True, latent=dict(type='twlv_mm.LatentTarget')))\n"
        "encoder = 'twlv_small_synthetic'\nmax_iters = 3\n"
    )
    (tmp_path / 'mine.py').write_text(text)
    options = [
        'train_dataloader.num_workers=0',
        'train_dataloader.sampler.batch_sizes.video=2',
        'model.predictor.depth=1',
    ]
    runner = launch.main_train(
        [str(tmp_path / 'mine.py'), '--work-dir', str(tmp_path / 'run'), '--cfg-options', *options]
    )
    assert runner.iter == 3
    (log,) = tmp_path.glob('run/*/*.log')
    log = log.read_text()
    assert 'Training on 12 samples for 3 steps: 3 optimizer steps, warm-up of 0 steps, 2 samples per batch' in log
    assert 'loss_latent' in log[log.index('Iter(train) [3/3]') :]
