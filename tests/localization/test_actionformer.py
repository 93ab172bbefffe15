"""ActionFormer gives what the published code gives, for each video on its own, and learns."""

import json

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.optim import build_optim_wrapper
from mmengine.structures import InstanceData

import twlv_mm  # noqa: F401  isort: skip  before mmaction's models
from twlv_mm.localization.actionformer import ActionFormer
from twlv_mm.localization.layers import ScaledDropPath
from twlv_mm.localization.targets import assign_targets, make_points

from ..written import official_state, read_golden

RANGES = ((0, 4), (4, 8), (8, 16), (16, 10000))
SMALL = dict(
    num_classes=5,
    in_channels=12,
    channels=16,
    arch=(2, 2, 3),
    window=5,
    regression_ranges=RANGES,
    max_length=96,
    drop_path=0,
)
NMS = dict(sigma=0.5, max_segments=50, voting_threshold=0.7)


@pytest.fixture(scope='module')
def golden():
    return read_golden('actionformer')[0]


@pytest.fixture(scope='module')
def official(golden, tmp_path_factory):
    """Path of a checkpoint as the published code writes it."""
    path = tmp_path_factory.mktemp('official') / 'epoch_035.pth.tar'
    averaged = {f'module.{key}': value for key, value in official_state(golden).items()}
    averaged['module.point_generator.buffer_points.0'] = torch.zeros(3)
    torch.save(dict(epoch=35, state_dict={'module.nothing': torch.zeros(1)}, state_dict_ema=averaged), path)
    return str(path)


@pytest.fixture(scope='module')
def batch(golden):
    return make_batch(*(tuple(golden[f'in/{part}_{n}'] for part in ('feats', 'segments', 'labels')) for n in range(2)))


def make_batch(*videos):
    """inputs and data_samples of (features, segments, labels)."""
    inputs, samples = [], []
    for number, (features, segments, labels) in enumerate(videos):
        actions = InstanceData(segments=segments.float(), labels=labels)
        meta = dict(
            video_id=f'v{number}', duration=(features.shape[1] - 1) * 0.125 + 0.5, origin=0.5 * 15 / 30, step=3.75 / 30
        )
        inputs.append(features)
        samples.append(ActionDataSample(gt_instances=actions, metainfo=meta))
    return inputs, samples


def random_video(length, dims=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(dims, length, generator=generator)
    return features, torch.tensor([[length * 0.2, length * 0.6]]), torch.tensor([2])


def difference(ours, expected):
    return (ours - expected).abs().max().item()


def test_official_weights_give_the_official_logits_and_offsets(golden, official, batch):
    model = ActionFormer(**SMALL, weights=official).eval()
    with torch.no_grad():
        logits, offsets, valid = model(*batch)
    assert torch.equal(valid, golden['out/valid'])
    assert difference(logits, golden['out/cls_logits']) <= 2e-5
    assert difference(offsets, golden['out/offsets']) <= 2e-5


def test_targets_are_the_official_ones(golden, batch):
    points = make_points([96, 48, 24, 12], [1, 2, 4, 8], RANGES)
    for video in range(2):
        actions = batch[1][video].gt_instances
        classes, offsets = assign_targets(points, actions.segments, actions.labels, 5, 1.5)
        assert torch.equal(classes, golden['out/gt_cls'][video])
        assert difference(offsets, golden['out/gt_offsets'][video]) <= 2e-5


def test_losses_are_the_official_ones_and_the_norm_is_saved(golden, official, batch):
    model = ActionFormer(**SMALL, weights=official)
    losses = model(*batch, mode='loss')
    torch.testing.assert_close(losses['loss_cls'], golden['out/loss_cls'], rtol=1e-5, atol=0)
    torch.testing.assert_close(losses['loss_reg'], 2 * golden['out/loss_reg'], rtol=1e-5, atol=0)
    torch.testing.assert_close(sum(losses.values()), golden['out/loss'], rtol=1e-5, atol=0)
    assert model.state_dict()['criterion.norm'].item() == pytest.approx(0.9 * 100 + 0.1 * 15)


@pytest.mark.parametrize(('per_class', 'name'), [(False, 'det'), (True, 'det_multiclass_nms')])
def test_detections_are_the_official_ones(golden, official, batch, per_class, name):
    model = ActionFormer(**SMALL, weights=official, test_cfg=dict(nms=dict(per_class=per_class, **NMS))).eval()
    with torch.no_grad():
        samples = model(*batch, mode='predict')
    for video, sample in enumerate(samples):
        found = sample.pred_instances
        assert difference(found.segments, golden[f'out/{name}_{video}_segments']) <= 2e-5
        assert difference(found.scores, golden[f'out/{name}_{video}_scores']) <= 2e-5
        assert torch.equal(found.labels, golden[f'out/{name}_{video}_labels'])


@pytest.mark.parametrize('window', [5, (5, 3, -1, 7)])
@pytest.mark.parametrize('lengths', [(1, 40), (33, 200, 96, 95), (90, 97)])
def test_result_of_a_video_does_not_depend_on_its_batch(official, lengths, window):
    model = ActionFormer(**SMALL | dict(window=window), weights=official).eval()
    inputs, samples = make_batch(*(random_video(length, seed=length) for length in lengths))
    with torch.no_grad():
        together = model(inputs, samples)
        for place, (x, sample) in enumerate(zip(inputs, samples, strict=True)):
            alone = model([x], [sample])
            keep, keep_alone = together[2][place], alone[2][0]
            for all_of_it, of_one in zip(together[:2], alone[:2], strict=True):
                assert difference(all_of_it[place][keep], of_one[0][keep_alone]) <= 2e-5


def test_losses_and_gradients_of_a_batch_do_not_depend_on_its_padding(official):
    videos = [random_video(40, seed=1), random_video(90, seed=2)]
    found = []
    for extra in (0, 200):
        model = ActionFormer(**SMALL, weights=official)
        inputs, samples = make_batch(*videos)
        x, steps = model.pyramid.batch([*inputs, torch.zeros(12, 96 + extra)])
        model.pyramid.batch = lambda _, x=x, steps=steps: (
            x[:2],
            type(steps)(*(s if s is None else s[:2] for s in steps)),
        )
        losses = model(inputs, samples, mode='loss')
        sum(losses.values()).backward()
        found.append([*losses.values(), *(p.grad for p in model.parameters())])
    for short, long in zip(*found, strict=True):
        torch.testing.assert_close(short, long, rtol=1e-4, atol=1e-6)


def test_no_weight_decay_on_norms_biases_and_scales():
    model = ActionFormer(**SMALL | dict(drop_path=0.1))
    paramwise = dict(norm_decay_mult=0, bias_decay_mult=0, custom_keys={'scale': dict(decay_mult=0)})
    wrapper = build_optim_wrapper(
        model, dict(optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05), paramwise_cfg=paramwise)
    )
    decay = {p: group['weight_decay'] for group in wrapper.param_groups for p in group['params']}
    decayed = {name for name, p in model.named_parameters() if decay[p] > 0}
    assert set(decay.values()) == {0, 0.05}
    # What multiplies the inputs, and nothing else, has two dimensions or more.
    assert decayed == {name for name, p in model.named_parameters() if p.ndim > 1}
    assert not {name for name in decayed if 'norm' in name or 'bias' in name or 'scale' in name}


def test_it_learns_and_finds_the_action():
    torch.manual_seed(0)
    features = 0.1 * torch.randn(12, 64)
    features[3, 20:40] += 3
    inputs, samples = make_batch((features, torch.tensor([[19.5, 39.5]]), torch.tensor([4])))
    model = ActionFormer(**SMALL | dict(drop_path=0.1), loss=dict(init_norm=10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        sum(model(inputs, samples, mode='loss').values()).backward()
        optimizer.step()
    with torch.no_grad():
        best = model.eval()(inputs, samples, mode='predict')[0].pred_instances
    assert best.labels[0] == 4
    assert difference(best.segments[0], 0.25 + 0.125 * torch.tensor([19.5, 39.5])) < 0.2


def test_video_without_actions_trains_every_parameter():
    inputs, samples = make_batch((torch.randn(12, 40), torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64)))
    model = ActionFormer(**SMALL | dict(drop_path=0.1))
    losses = model(inputs, samples, mode='loss')
    sum(losses.values()).backward()
    assert losses['loss_reg'] == 0
    assert losses['loss_cls'] > 0
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_predictions_lie_within_the_video():
    inputs, samples = make_batch(random_video(40))
    model = ActionFormer(**SMALL, test_cfg=dict(nms=dict(voting_threshold=0))).eval()
    model.reg_head.last.bias.data.fill_(100)
    with torch.no_grad():
        found = model(inputs, samples, mode='predict')[0].pred_instances
    assert found.segments[:, 0].eq(0).all()
    assert found.segments[:, 1].eq(39 * 0.125 + 0.5).all()


def test_drop_path_keeps_the_mean_and_drops_nothing_in_testing():
    drop = ScaledDropPath(3, 0.25)
    drop.scale.data.fill_(2)
    x = torch.ones(4000, 5, 3)
    dropped = drop(x)
    assert {round(value, 4) for value in dropped.unique().tolist()} == {0, round(2 / 0.75, 4)}
    assert dropped.mean().item() == pytest.approx(2, rel=0.05)
    # A sample is dropped as a whole.
    assert (dropped.flatten(1).std(dim=1) == 0).all()
    assert (drop.eval()(x) == 2).all()


def test_video_without_predictions_is_an_empty_result():
    inputs, samples = make_batch(random_video(40))
    model = ActionFormer(**SMALL, test_cfg=dict(min_score=0.999)).eval()
    with torch.no_grad():
        found = model(inputs, samples, mode='predict')[0].pred_instances
    assert (found.segments.shape, found.scores.shape, found.labels.dtype) == ((0, 2), (0,), torch.int64)


def test_bf16_autocast_gives_float32_losses(official, batch):
    model = ActionFormer(**SMALL, weights=official)
    with torch.autocast('cpu', torch.bfloat16):
        losses = model(*batch, mode='loss')
        found = model.eval()(*batch, mode='predict')[0].pred_instances
    assert all(loss.dtype == torch.float32 for loss in losses.values())
    assert sum(losses.values()).item() == pytest.approx(0.47888428, rel=0.02)
    assert found.scores.dtype == torch.float32


def test_external_scores_name_the_classes_after_nms(tmp_path):
    (tmp_path / 'scores.json').write_text(json.dumps({'v0': [0.1, 0.0, 0.9]}))
    inputs, samples = make_batch(random_video(40))
    external = dict(path=str(tmp_path / 'scores.json'), top_k=2, score_norm='none')
    model = ActionFormer(**SMALL | dict(num_classes=1), external=external, test_cfg=dict(nms=dict(max_segments=7)))
    model.eval()(inputs, samples, mode='predict')
    found = samples[0].pred_instances
    assert found.labels.unique().tolist() == [0, 2]
    assert len(found.scores) == 14
    # Actions of every class are the one class that the model knows.
    assert model.train()(inputs, samples, mode='loss')['loss_reg'] > 0


def test_external_scores_are_of_the_data_sets_classes(tmp_path):
    named = [dict(label='run', score=0.9), dict(label='jump', score=0.1)]
    (tmp_path / 'scores.json').write_text(json.dumps(dict(results=dict(v0=named))))
    (tmp_path / 'three.json').write_text(json.dumps(dict(v0=[0.1, 0.0, 0.9])))
    inputs, samples = make_batch(random_video(40))

    def predict(name):
        external = dict(path=str(tmp_path / name), top_k=1)
        model = ActionFormer(**SMALL | dict(num_classes=1), external=external).eval()
        samples[0].set_metainfo(dict(classes=('jump', 'run')))  # as PackLocalization does
        model(inputs, samples, mode='predict')

    predict('scores.json')
    assert samples[0].pred_instances.labels.unique().tolist() == [1]
    with pytest.raises(ValueError, match=r'three\.json: v0 has scores of 3 classes, but there are 2'):
        predict('three.json')


def test_training_with_external_scores_does_not_need_their_file():
    model = ActionFormer(**SMALL | dict(num_classes=1), external=dict(path='missing.json'))
    batch = make_batch(random_video(40))
    assert model(*batch, mode='loss')['loss_cls'] > 0
    with pytest.raises(FileNotFoundError, match=r'missing\.json'):
        model.eval()(*batch, mode='predict')


def test_diverged_model_does_not_predict_in_silence():
    model = ActionFormer(**SMALL).eval()
    model.cls_head.last.bias.data.fill_(float('nan'))
    with pytest.raises(ValueError, match='for v0: its training diverged'):
        model(*make_batch(random_video(40)), mode='predict')


def test_inputs_that_do_not_fit_are_clear_errors():
    model = ActionFormer(**SMALL)
    with pytest.raises(ValueError, match=r'v0 are \(16, 40\).*in_channels=12'):
        model(*make_batch(random_video(40, dims=16)))
    with pytest.raises(ValueError, match='v0 has no embeddings'):
        model(*make_batch(random_video(0)))
    features, segments, _ = random_video(40)
    for label in (5, -1):
        with pytest.raises(ValueError, match=rf'v0 has labels from {label} to {label}.*num_classes=5'):
            model(*make_batch((features, segments, torch.tensor([label]))), mode='loss')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(window=4), 'window=4 is neither -1'),
        (dict(window=(5, 5)), 'window lists 2 windows.*4 levels'),
        (dict(channels=18), 'channels=18 is not a multiple of num_heads=4'),
        (dict(max_length=100), 'max_length=100 is not a multiple of .* 8'),
        (dict(regression_ranges=RANGES[:3]), '3 regression_ranges for the 4 levels'),
        (dict(arch=(2, 0, 3)), 'a convolution and a block at full rate'),
        (dict(external=dict(path='x.json')), 'set num_classes=1, not 5'),
    ],
)
def test_arguments_that_do_not_fit_are_clear_errors(change, message):
    with pytest.raises(ValueError, match=message):
        ActionFormer(**SMALL | change)


def test_official_weights_of_another_model_are_refused_by_their_keys(golden, official, tmp_path):
    with pytest.raises(ValueError, match=r'does not hold the weights(.|\n)*Missing key.*drop_path1\.scale'):
        ActionFormer(**SMALL | dict(drop_path=0.1), weights=official)
    with pytest.raises(ValueError, match=r'size mismatch for cls_head\.last\.weight.*5, 16, 3.*7, 16, 3'):
        ActionFormer(**SMALL | dict(num_classes=7), weights=official)
    torch.save(official_state(golden) | {'backbone.stem.0.attn.rel_pe': torch.zeros(1)}, tmp_path / 'relative.pth')
    with pytest.raises(ValueError, match=r'Unexpected key.*rel_pe'):
        ActionFormer(**SMALL, weights=str(tmp_path / 'relative.pth'))


def test_official_weights_with_drop_path_load_from_a_bare_state_dict(golden, tmp_path):
    scales = {
        f'backbone.{stage}.{block}.drop_path_{branch}.scale': torch.rand(1, 16, 1)
        for stage, count in (('stem', 2), ('branch', 3))
        for block in range(count)
        for branch in ('attn', 'mlp')
    }
    torch.save(official_state(golden) | scales, tmp_path / 'bare.pth')
    model = ActionFormer(**SMALL | dict(drop_path=0.1), weights=str(tmp_path / 'bare.pth'))
    loaded = model.pyramid.levels[2].drop_path2.scale
    assert torch.equal(loaded, scales['backbone.branch.2.drop_path_mlp.scale'].flatten())


def test_regression_starts_as_the_published_code_on_demand():
    assert torch.equal(ActionFormer(**SMALL, init='published').reg_head.last.bias, torch.zeros(2))
    assert torch.equal(ActionFormer(**SMALL).reg_head.last.bias, torch.full((2,), 2.0))
    with pytest.raises(ValueError, match="init is 'random'; it must be 'ours' or 'published'"):
        ActionFormer(**SMALL, init='random')
