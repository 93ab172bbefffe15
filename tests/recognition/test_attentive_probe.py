"""The probe itself: official weights give official outputs, other weights are refused."""

import pytest
import torch

from twlv_mm.recognition import AttentiveProbe, load_official_probe

from ..written import official_state, read_golden

GOLDEN = ['vjepa_attentive_probe', 'vjepa2_attentive_probe']


def official_probe(name):
    """An official checkpoint, its probe of ours, tokens and scores."""
    tensors, meta = read_golden(name)
    # As in the published files, which were saved from a DistributedDataParallel.
    state = {f'module.{key}': value for key, value in official_state(tensors).items()}
    checkpoint = dict(classifier=state) if name.startswith('vjepa_') else dict(classifiers=[state])
    probe = AttentiveProbe(
        meta['embed_dims'], meta['num_classes'], meta['num_heads'], depth=meta.get('num_probe_blocks', 1)
    )
    return dict(checkpoint, epoch=20), probe.eval(), tensors['in/tokens'], tensors['out/logits']


@pytest.mark.parametrize('golden', GOLDEN)
def test_official_weights_give_the_official_scores(golden, tmp_path):
    checkpoint, probe, tokens, expected = official_probe(golden)
    torch.save(checkpoint, tmp_path / 'probe.pth.tar')
    load_official_probe(probe, tmp_path / 'probe.pth.tar')
    with torch.no_grad():
        difference = (probe(tokens) - expected).abs().max().item()
    print(f'{golden}: max abs difference {difference:.1e}')
    assert difference <= 2e-5


def test_official_state_dict_loads_without_a_container(tmp_path):
    checkpoint, probe, tokens, expected = official_probe('vjepa_attentive_probe')
    torch.save({k.removeprefix('module.'): v for k, v in checkpoint['classifier'].items()}, tmp_path / 'probe.pth')
    load_official_probe(probe, tmp_path / 'probe.pth')
    torch.testing.assert_close(probe(tokens), expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize('golden', GOLDEN)
def test_a_missing_or_unknown_key_is_an_error_and_named(golden, tmp_path):
    checkpoint, probe, *_ = official_probe(golden)
    state = checkpoint.get('classifier') or checkpoint['classifiers'][0]
    weight = state.pop('module.linear.weight')
    torch.save(checkpoint, tmp_path / 'missing.pth')
    with pytest.raises(ValueError, match=r'missing\.pth does not hold(.|\n)*Missing key.*linear\.weight'):
        load_official_probe(probe, tmp_path / 'missing.pth')
    state |= {'module.linear.weight': weight, 'module.pooler.surprise': torch.zeros(1)}
    torch.save(checkpoint, tmp_path / 'unknown.pth')
    with pytest.raises(ValueError, match='Unexpected key.*surprise'):
        load_official_probe(probe, tmp_path / 'unknown.pth')


def test_probe_of_another_class_count_or_depth_is_refused(tmp_path):
    checkpoint, *_ = official_probe('vjepa2_attentive_probe')
    torch.save(checkpoint, tmp_path / 'probe.pth')
    with pytest.raises(ValueError, match=r'size mismatch for linear\.weight.*5, 48.*7, 48'):
        load_official_probe(AttentiveProbe(48, num_classes=7, num_heads=4, depth=4), tmp_path / 'probe.pth')
    with pytest.raises(ValueError, match=r'Unexpected key.*blocks\.0'):
        load_official_probe(AttentiveProbe(48, num_classes=5, num_heads=4), tmp_path / 'probe.pth')


def test_file_of_many_probes_does_not_choose_one_by_itself(tmp_path):
    checkpoint, probe, *_ = official_probe('vjepa2_attentive_probe')
    torch.save(dict(classifiers=checkpoint['classifiers'] * 20), tmp_path / 'probes.pth')
    with pytest.raises(ValueError, match='probes.pth holds 20 probes'):
        load_official_probe(probe, tmp_path / 'probes.pth')


def test_impossible_probes_are_clear_errors():
    with pytest.raises(ValueError, match='embed_dims=48 is not a multiple of num_heads=5'):
        AttentiveProbe(48, num_classes=2, num_heads=5)
    with pytest.raises(ValueError, match='depth=0: an attentive probe'):
        AttentiveProbe(48, num_classes=2, num_heads=4, depth=0)


@pytest.mark.parametrize('depth', [1, 4])
def test_probe_sees_a_set_of_tokens_of_any_size(depth):
    torch.manual_seed(0)
    probe = AttentiveProbe(48, num_classes=5, num_heads=4, depth=depth)
    for parameter in probe.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    tokens = torch.randn(2, 30, 48)
    scores = probe(tokens)
    assert scores.shape == (2, 5)
    torch.testing.assert_close(probe(tokens[:, torch.randperm(30)]), scores)
    assert not torch.allclose(probe(tokens[:, :20]), scores, atol=1e-2)


@pytest.mark.parametrize('depth', [1, 4])
def test_every_parameter_of_the_probe_takes_part(depth):
    probe = AttentiveProbe(48, num_classes=5, num_heads=4, depth=depth)
    probe(torch.randn(2, 8, 48)).square().sum().backward()
    # DistributedDataParallel fails on parameters without a gradient.
    assert [name for name, p in probe.named_parameters() if p.grad is None] == []
