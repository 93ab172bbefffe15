"""The example of one's own encoder in docs/encoders.md does what the page says."""

import re
import sys
from pathlib import Path

import torch

import twlv_mm

from .test_sources import check

PAGE = Path(__file__).parents[2] / 'docs' / 'encoders.md'


def test_example_of_an_own_encoder_runs_as_it_stands(tmp_path, monkeypatch):
    section = PAGE.read_text(encoding='utf-8').partition('## Your own encoder\n')[2].partition('\n## ')[0]
    module, use, wrapped = re.findall(r'```python\n(.*?)```', section, re.S)[:3]
    assert len([line for line in module.splitlines() if line.strip()]) <= 22
    (tmp_path / 'my_encoders.py').write_text(f'{module}\nNet = lambda: torch.nn.Conv3d(3, 96, 16, 16)\n{wrapped}')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, 'my_encoders', raising=False)  # that of another test
    try:
        import my_encoders

        torch.save(my_encoders.Patches().state_dict(), 'patches.pth')
        names = dict(twlv_mm=twlv_mm, video=torch.randn(1, 3, 16, 224, 224))
        exec(use, names)
        check(names['model'], clips=1)
        assert twlv_mm.describe('my_encoders:Patches').name == 'patches'
        my_encoders.SPEC = twlv_mm.EncoderSpec(name='m', num_frames=16, img_size=32, grid=(1, 2, 2), embed_dims=96)
        check(twlv_mm.get_model('my_encoders:mine'))
    finally:
        sys.modules.pop('my_encoders', None)
