"""The converter: what it recognises, what it writes, and what it says of a file's keys."""

import dataclasses

import pytest
import torch
from safetensors.torch import save_file

import tools.convert_checkpoint as tool
import twlv_mm
from twlv_mm.encoders import ARCHITECTURES, FAMILIES, convert_checkpoint

from ..written import official_state, read_golden
from .golden import MODELS, official_checkpoint, overrides_of


@pytest.fixture
def official(monkeypatch, tmp_path):
    """Write the official file of a golden vector, whose model of ours becomes as small in the table."""

    def write(golden, change=None, save=torch.save):
        tensors, meta = read_golden(golden)
        name = MODELS[golden]
        row = dataclasses.replace(ARCHITECTURES[name], **overrides_of(meta))
        monkeypatch.setitem(ARCHITECTURES, name, row)
        content = official_state(tensors) if save is save_file else official_checkpoint(tensors, meta)
        path = tmp_path / ('official.safetensors' if save is save_file else 'official.pth')
        if change:
            change(content)
        save(content, path)
        return name, path, tensors

    return write


@pytest.mark.parametrize('golden', MODELS)
@pytest.mark.parametrize('save', [torch.save, save_file])
def test_family_and_size_are_recognised_and_the_new_file_is_the_same_encoder(golden, save, official, tmp_path):
    name, source, tensors = official(golden, save=save)
    # A bare state dict of V-JEPA's has no key that tells it from one of ours.
    family = ARCHITECTURES[name].family if save is save_file and name.startswith('vjepa') else None
    ours = tmp_path / 'made for it' / 'ours.pth'
    report = convert_checkpoint(source, ours, family)
    assert report.arch == name
    assert report.conversion.family == ARCHITECTURES[name].family
    vectors = [twlv_mm.get_model(name, path).eval().embed(tensors['in/video']) for path in (ours, source)]
    assert torch.equal(*vectors)
    published = ARCHITECTURES[name].pretraining_sets
    if published and 'sd/head.weight' in tensors:  # fine-tuned, on a set that the file does not name
        published = (*published, 'unknown')
    assert [twlv_mm.get_model(name, path).pretraining_sets for path in (ours, source)] == [published] * 2 or family
    convert_checkpoint(source, ours, family, ['coco'])
    assert twlv_mm.get_model(name, ours).pretraining_sets == ('coco',)
    frozen = twlv_mm.get_model(name, ours, frozen=True)  # as encoder_weights gives it
    assert frozen.weights_sha256
    assert torch.isfinite(frozen.embed(tensors['in/video'])).all()


def test_every_key_of_a_file_is_accounted_for(official):
    for golden in MODELS:
        _, source, tensors = official(golden)
        found = convert_checkpoint(source).conversion
        told = {*found.ignored, *found.renamed, *(key for keys in found.folded.values() for key in keys)}
        assert told == official_state(tensors).keys(), golden


def test_check_tells_what_becomes_of_the_keys_and_writes_nothing(official, tmp_path, capsys):
    _, source, _ = official('videomae_finetune')
    tool.main([str(source), str(tmp_path / 'ours.pth'), '--check'])
    text = capsys.readouterr().out
    assert not (tmp_path / 'ours.pth').exists()
    assert 'VideoMAE: videomae_base, clips of 8 frames of 32 pixels' in text
    assert '2 ignored:\n     1 x head.weight\n     1 x head.bias' in text
    assert '2 x blocks.N.attn.q_bias and blocks.N.attn.v_bias -> blocks.N.attn.qkv.bias' in text
    assert '2 x blocks.N.attn.proj.weight and blocks.N.gamma_1 -> blocks.N.attn.proj.weight' in text


def test_converted_file_knows_its_model(official, tmp_path):
    name, source, _ = official('umt_finetune')
    convert_checkpoint(source, tmp_path / 'ours.pth')
    assert convert_checkpoint(tmp_path / 'ours.pth').arch == name
    with pytest.raises(ValueError, match='holds the weights of another model .umt_base., not those of videomae_base'):
        twlv_mm.get_model('videomae_base', tmp_path / 'ours.pth', embed_dims=48, depth=2, num_heads=4)


def test_position_table_for_more_frames_is_kept_and_reported(official, tmp_path):
    def lengthen(content):
        content['model']['pos_embed'] = torch.randn(1, 16 * 4, 48)

    name, source, _ = official('umt_finetune', lengthen)
    report = convert_checkpoint(source, tmp_path / 'ours.pth')
    assert report.overrides == dict(num_frames=16)
    assert "get_model('umt_base', weights=..., num_frames=16)" in str(report)
    model = twlv_mm.get_model(name, tmp_path / 'ours.pth', num_frames=16)
    assert torch.equal(model.pos_embed.flatten(1, 3), torch.load(source)['model']['pos_embed'])


def test_errors_say_what_is_wrong_and_end_the_tool_with_code_2(official, tmp_path, refused):
    def error(*arguments):
        return refused(tool.main, [str(argument) for argument in arguments])

    _, source, _ = official('umt_finetune', lambda content: content['model'].update(surprise=torch.zeros(1)))
    assert 'Unexpected key: surprise' in error(source, '--check')
    _, source, _ = official('clip_dfn', lambda content: content.update({'audio.x': torch.zeros(1)}))
    assert "CLIP (also DFN, open_clip) below 'visual.', and outside it unknown keys" in error(source, '--check')
    _, source, _ = official('internvideo2_stage1', lambda content: content.pop('pos_embed'))
    assert 'seems to hold an encoder of InternVideo2, but lacks its tensor pos_embed' in error(source, '--check')
    assert 'no weights at nowhere.pth' in error('nowhere.pth', '--check')
    assert 'give DST' in error(source)
    torch.save(twlv_mm.get_model('twlv_base', embed_dims=48, depth=1, num_heads=4).state_dict(), tmp_path / 'odd.pth')
    assert 'sizes of none of its models' in error(tmp_path / 'odd.pth', '--check')


def test_weights_that_fit_two_families_are_an_error_that_asks_which(tmp_path):
    with torch.device('meta'):
        shapes = {key: value.shape for key, value in twlv_mm.get_model('vjepa_large').state_dict().items()}
    torch.save({key: torch.zeros(1).expand(shape) for key, shape in shapes.items()}, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match='twlv_large and vjepa_large.*--family own or vjepa'):
        convert_checkpoint(tmp_path / 'x.pth')
    assert convert_checkpoint(tmp_path / 'x.pth', family='vjepa').arch == 'vjepa_large'


def test_every_model_has_a_family_and_a_source():
    for name, arch in ARCHITECTURES.items():
        assert arch.source, name
        assert getattr(arch, 'family', 'own') in FAMILIES, name
