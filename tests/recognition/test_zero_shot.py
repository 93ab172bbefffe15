"""Sentences that fit videos, by a small random CLIP; the command, and what is refused."""

import json
from pathlib import Path

import pytest
import torch

import twlv_mm
from twlv_mm.encoders import text_encoder
from twlv_mm.recognition import ZeroShotInferencer

from ..commands import run_tool
from ..encoders.hf_folders import save
from ..encoders.test_hf_text import TEXTS, add_tokenizer

VIDEO = Path(__file__).parents[1] / 'data/numbered/h264_bframes.mp4'
TOOL = Path(__file__).parents[2] / 'tools/infer.py'


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp('models') / 'clip'
    save('clip', folder)
    add_tokenizer(folder, 'clip')
    return f'hf:{folder}'


def test_command_names_the_sentence_by_the_softmax_of_cosines(source, tmp_path):
    (tmp_path / 'classes.txt').write_text('\n'.join(TEXTS) + '\n')
    arguments = [source, VIDEO, '--zero-shot', tmp_path / 'classes.txt', '--out', tmp_path / 'out']
    assert run_tool('infer.py', *arguments) == 0
    result = json.loads((tmp_path / f'out/{VIDEO.stem}.json').read_text())
    video = torch.from_numpy(twlv_mm.embed(VIDEO, source, sampling='uniform')[-1].vector)
    texts = text_encoder(source)
    expected = (texts.logit_scale * torch.cosine_similarity(video, texts(TEXTS))).softmax(dim=0)
    scores = {one['label']: one['score'] for one in result['predictions']}
    assert scores == pytest.approx(dict(zip(TEXTS, expected.tolist(), strict=True)), abs=1e-5)
    assert result['model']['encoder'] == source
    assert (tmp_path / f'out/{VIDEO.stem}.png').is_file()


def test_encoder_without_text_and_a_single_sentence_are_refused(source):
    with pytest.raises(ValueError, match='the encoder twlv_base has no text tower'):
        ZeroShotInferencer('twlv_base', TEXTS)
    with pytest.raises(ValueError, match='give two or more'):
        ZeroShotInferencer(source, TEXTS[:1])
