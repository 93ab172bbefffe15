import torch

from twlv_mm.compat.checkpoints import load_checkpoint


def test_stock_runner_does_not_run_config_text_of_a_checkpoint(make_runner, tmp_path):
    first = make_runner('first', max_epochs=1)
    first.train()
    path = tmp_path / 'first' / 'epoch_1.pth'
    checkpoint = load_checkpoint(path)
    marker = tmp_path / 'ran'
    checkpoint['meta']['config'] = f'import pathlib\npathlib.Path({str(marker)!r}).touch()\n'
    torch.save(checkpoint, path)

    second = make_runner('second', max_epochs=2)
    second.resume(str(path))
    assert second.epoch == 1
    assert not marker.exists()
