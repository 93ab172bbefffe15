"""The commands of the generated videos, as a user runs them."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import torch

import twlv_mm
from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.visualization import contact_sheet

ROOT = Path(__file__).parents[2]


def run(tool, *arguments):
    command = [sys.executable, str(ROOT / 'tools' / tool), *map(str, arguments)]
    env = dict(os.environ, PYTHONPATH=str(ROOT))
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_set_is_made_once_and_other_settings_are_refused(tmp_path):
    arguments = ['images', '--out', tmp_path, '--num-train', 2, '--num-test', 1, '--workers', 1]
    first = run('make_synthetic.py', *arguments)
    assert first.returncode == 0, first.stderr
    assert 'images: written' in first.stdout
    assert 'unchanged' in run('make_synthetic.py', *arguments).stdout
    refused = run('make_synthetic.py', *arguments, '--seed', 1)
    assert refused.returncode == 2
    assert 'error: ' in refused.stderr
    assert 'seed is 0 there, 1 is wanted' in refused.stderr


def test_small_encoder_is_trained_and_left_where_get_model_takes_it(tmp_path):
    arguments = ['--data', tmp_path / 'set', '--out', tmp_path / 'small', '--num-train', 4, '--num-test', 2]
    made = run('make_small.py', *arguments)
    assert made.returncode == 0, made.stderr
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
