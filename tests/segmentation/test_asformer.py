"""ASFormer is the original, takes batches, and says what does not fit."""

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.runner import load_checkpoint

from twlv_mm.segmentation.asformer import ASFormer
from twlv_mm.segmentation.losses import segmentation_loss

from ..written import official_state, read_golden

WINDOWS = dict(sliding='asformer_sliding', full='asformer_normal')
STEPS = 77
TINY = dict(num_classes=6, in_channels=12, channels=16, num_layers=5)


@pytest.fixture(scope='module', params=WINDOWS)
def golden(request, tmp_path_factory):
    """The original's tensors, and the model with its weights, read from a file as its code writes them."""
    tensors, meta = read_golden(WINDOWS[request.param])
    path = tmp_path_factory.mktemp(request.param) / 'epoch-120.model'
    torch.save(official_state(tensors), path)
    model = ASFormer(
        num_classes=meta['num_classes'],
        in_channels=meta['input_dim'],
        channels=meta['num_f_maps'],
        num_layers=meta['num_layers'],
        num_decoders=meta['num_decoders'],
        window=request.param,
        reduction=meta['r1'],
        value_reduction=meta['r2'],
    )
    load_checkpoint(model, str(path), map_location='cpu', strict=True)
    return tensors, model.eval()


def make_sample(video_id, labels):
    sample = ActionDataSample(metainfo=dict(video_id=video_id))
    sample.step_labels = labels
    return sample


def make_batch(tensors, *lengths):
    """inputs and data_samples: the beginnings of the golden video, of these lengths."""
    features, targets = tensors['in/features'][0], tensors['in/targets'][0]
    samples = [make_sample(f'first_{length}', targets[:length]) for length in lengths]
    return [features[:, :length] for length in lengths], samples


@torch.no_grad()
def test_logits_and_loss_of_official_weights_are_the_official_ones(golden):
    tensors, model = golden
    inputs, samples = make_batch(tensors, STEPS)
    logits = model(inputs, samples).transpose(2, 3)
    torch.testing.assert_close(logits, tensors['out/logits'], atol=2e-5, rtol=0)
    loss = sum(model(inputs, samples, mode='loss').values())
    torch.testing.assert_close(loss, tensors['out/loss'], atol=2e-5, rtol=0)


@torch.no_grad()
def test_prediction_is_the_last_stage_s(golden):
    tensors, model = golden
    (sample,) = model(*make_batch(tensors, STEPS), mode='predict')
    scores, steps = tensors['out/logits'][-1, 0].softmax(0).max(0)
    assert torch.equal(sample.pred_steps, steps)
    torch.testing.assert_close(sample.pred_scores, scores, atol=2e-5, rtol=0)


@torch.no_grad()
def test_what_a_video_gives_does_not_depend_on_the_others_of_its_batch(golden):
    tensors, model = golden
    lengths = (50, STEPS, 1, 3, 17)
    together = model(*make_batch(tensors, *lengths))
    losses = model(*make_batch(tensors, *lengths), mode='loss')
    alone = [model(*make_batch(tensors, length), mode='loss') for length in lengths]
    for place, length in enumerate(lengths):
        torch.testing.assert_close(
            together[:, place, :length], model(*make_batch(tensors, length))[:, 0], atol=1e-5, rtol=0
        )
    for name, loss in losses.items():
        torch.testing.assert_close(loss, torch.stack([one[name] for one in alone]).mean(), atol=1e-5, rtol=0)


@pytest.mark.parametrize('window', WINDOWS)
def test_what_trains_gets_a_gradient_in_batches_as_alone(window):
    torch.manual_seed(0)
    model = ASFormer(**TINY, window=window).eval()  # eval: no dropout, so that both see the same
    videos = [(torch.randn(12, length), make_sample(str(length), torch.randint(0, 6, (length,)))) for length in (40, 9)]

    def gradients(*batch):
        model.zero_grad()
        sum(model(*zip(*batch, strict=True), mode='loss').values()).backward()
        return {
            name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None
        }

    together = gradients(*videos)
    first, second = (gradients(video) for video in videos)
    for name, gradient in together.items():
        torch.testing.assert_close(gradient, (first[name] + second[name]) / 2, atol=1e-5, rtol=1e-3)
    # The first window of each stage is a single step, of which queries and keys decide nothing.
    without = {name for name, _ in model.named_parameters()} - together.keys()
    expected = {f'{place}.layers.0.att_layer.{part}_conv' for place in STAGES for part in ('query', 'key')}
    assert {name.rsplit('.', 1)[0] for name in without} == (expected if window == 'sliding' else set())


STAGES = ['encoder', *(f'decoders.{place}' for place in range(3))]


def test_steps_without_label_do_not_train():
    logits = torch.randn(1, 20, 5)
    labels = torch.randint(0, 5, (1, 20))
    labels[:, 8:] = -100
    all_steps, _ = segmentation_loss(logits, labels)
    torch.testing.assert_close(all_steps, segmentation_loss(logits[:, :8], labels[:, :8])[0])
    assert segmentation_loss(logits, torch.full_like(labels, -100))[0] == 0


def test_full_size_has_the_official_number_of_parameters():
    with torch.device('meta'):
        model = ASFormer(num_classes=19, in_channels=1024)
    assert sum(parameter.numel() for parameter in model.parameters()) == 12_917_068


@torch.no_grad()
def test_untrained_decoders_pass_on_what_the_encoder_finds():
    torch.manual_seed(0)
    model = ASFormer(**TINY).eval()
    model.encoder.conv_out.weight.mul_(30)  # as sure as a trained one
    logits = model([torch.randn(12, 200)], [make_sample('a', None)])[:, 0]
    first, *others = logits.argmax(-1)
    assert len(first.unique()) > 1
    assert all((stage == first).float().mean() > 0.9 for stage in others)


@pytest.mark.parametrize(
    ('features', 'labels', 'message'),
    [
        (torch.randn(8, 30), torch.zeros(30), r'video_a are \(8, 30\), not \(12, T\)'),
        (torch.randn(12, 0), torch.zeros(0), 'video_a has no embeddings'),
        (torch.randn(12, 30), torch.full((30,), 6), 'labels from 6 to 6, the model has num_classes=6'),
        (torch.randn(12, 30), torch.full((30,), -1), 'labels from -1 to -1'),
        (torch.randn(12, 30), torch.zeros(29), '29 labels for 30 steps'),
    ],
)
def test_what_does_not_fit_is_named(features, labels, message):
    with pytest.raises(ValueError, match=message):
        ASFormer(**TINY).loss([features], [make_sample('video_a', labels.long())])


def test_diverged_model_says_so():
    model = ASFormer(**TINY).eval()
    torch.nn.init.constant_(model.encoder.conv_out.bias, torch.nan)
    with pytest.raises(ValueError, match='training diverged'):
        model.predict([torch.randn(12, 30)], [make_sample('a', torch.zeros(30))])


def test_unknown_window_is_refused():
    with pytest.raises(ValueError, match="'sliding' or 'full'"):
        ASFormer(**TINY, window='local')


@torch.no_grad()
def test_decoders_start_at_random_as_the_published_code_on_demand():
    for init, as_identity in (('ours', True), ('published', False)):
        for decoder in ASFormer(**TINY, init=init).decoders:
            # What comes out of a class is read from where it was written to.
            read, written = decoder.conv_out.weight[..., 0], decoder.conv_1x1.weight[..., 0]
            assert ((read @ written).argmax(dim=0) == torch.arange(6)).all() == as_identity
    with pytest.raises(ValueError, match="init is 'random'"):
        ASFormer(**TINY, init='random')
