"""The commands of the generated videos, as a user runs them."""

import cv2
import numpy as np
import torch

import twlv_mm
from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.synthetic import make_trimmed
from twlv_mm.visualization import contact_sheet

from ..commands import run_tool


def test_set_is_made_once_and_other_settings_are_refused(tmp_path, capsys, refused):
    arguments = ['images', '--out', tmp_path, '--num-train', 2, '--num-test', 1, '--workers', 1]
    assert run_tool('make_synthetic.py', *arguments) == 0
    assert 'images: written' in capsys.readouterr().out
    assert run_tool('make_synthetic.py', *arguments) == 0
    assert 'unchanged' in capsys.readouterr().out
    assert run_tool('make_synthetic.py', *arguments, '--seed', 1) == 2
    refused = capsys.readouterr().err
    assert 'error: ' in refused
    assert 'seed is 0, not 1' in refused


def test_small_encoder_is_trained_and_loads_into_get_model(tmp_path):
    make_trimmed(tmp_path / 'set', num_train=4, num_test=2, workers=1)
    arguments = ['--data', tmp_path / 'set', '--out', tmp_path / 'small', '--num-train', 4, '--num-test', 2]
    assert run_tool('make_small.py', *arguments) == 0
    path = tmp_path / 'small/encoder.pth'
    encoder = twlv_mm.get_model('twlv_small_synthetic', path)
    trained = load_checkpoint(max((tmp_path / 'small/encoder').glob('epoch_*.pth')))['state_dict']
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, trained[f'backbone.{name}']), name


def test_contact_sheet_shows_every_strip(tmp_path):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    red, green, blue = (np.full((3, 16, 16, 3), colour, np.uint8) for colour in colours)
    contact_sheet(tmp_path / 'sheet.png', {'one': {'a': red, 'b': green}, 'two': {'c': blue}})
    picture = cv2.imread(str(tmp_path / 'sheet.png'))[..., ::-1]
    shares = [(picture == colour).all(axis=2).mean() for colour in colours]
    assert min(shares) > 0.02
    assert max(shares) < 1.2 * min(shares)
