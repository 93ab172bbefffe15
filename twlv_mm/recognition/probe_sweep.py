"""Many probes, each with its own learning rate and weight decay, trained on one pass of a frozen encoder."""

from copy import deepcopy
from itertools import product

import torch
import torch.nn.functional as F
from mmaction.models.heads import BaseHead
from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS
from torch import nn

from twlv_mm.engine.wrappers import unwrapped
from twlv_mm.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS

from .attentive_probe import AttentiveProbe
from .probe_heads import clips_of_a_crop

KINDS = ('attentive', 'linear')


@MODELS.register_module()
class ProbeSweepHead(BaseHead):
    """Probes for every learning rate x weight decay, of which one is chosen; ``type='twlv_mm.ProbeSweepHead'``.

    Probes of a kind start from the same weights, so that only their settings differ. Their losses are summed; gradients
    do not mix as long as the encoder is frozen. Views are treated as in twlv_mm.AttentiveHead; a linear probe takes the
    mean of all tokens, including class tokens, of a crop's clips.

    The optimizer must be built by :class:`ProbeSweepConstructor`, and twlv_mm.ChooseProbeHook chooses a probe: until
    then, all probes predict, afterwards the chosen one. Labels are single classes.

    Args:
        num_classes (int): C.
        in_channels (int): Channels of a token.
        num_heads (int): Attention heads of the attentive probes.
        lrs (Sequence[float]): Initial learning rates.
        weight_decays (Sequence[float]): Weight decays, each combined with each learning rate.
        kinds (Sequence[str]): 'attentive', 'linear' or both, each with all settings.
        depth (int): Blocks of the attentive probes.

    Attributes:
        names (list[str]): Of the P probes, such as 'attentive_lr0.001_wd0.01'.
        settings (list[dict]): lr and weight_decay of each.
        heldout (Tensor): (P,) float64, held-out accuracies as fractions; NaN until measured.
        chosen (Tensor): () index of the chosen probe; -1 until chosen.

    Source: the sweep of 20 probes in Assran et al. 2025 (V-JEPA 2), which chooses on the test set; this one does not.
    """

    def __init__(self, num_classes, in_channels, num_heads, lrs, weight_decays, kinds=('attentive',), depth=1):
        super().__init__(num_classes, in_channels, average_clips='prob')
        self.choices = dict(across_clips=True)  # for results.json
        unknown = sorted(set(kinds).difference(KINDS))
        if unknown:
            raise ValueError(f'unknown kind of probe {unknown[0]!r}; choose from {", ".join(KINDS)}')
        probes = list(product(kinds, lrs, weight_decays))
        self.names = [f'{kind}_lr{lr:g}_wd{weight_decay:g}' for kind, lr, weight_decay in probes]
        if not probes or len(set(self.names)) < len(probes):
            raise ValueError(f'kinds {kinds}, lrs {lrs} and weight_decays {weight_decays} must not be empty or repeat')
        self.settings = [dict(lr=lr, weight_decay=weight_decay) for _, lr, weight_decay in probes]
        first = dict(attentive=AttentiveProbe(in_channels, num_classes, num_heads, depth))
        first['linear'] = LinearProbe(in_channels, num_classes)
        self.probes = nn.ModuleList(deepcopy(first[kind]) for kind, *_ in probes)
        self.register_buffer('heldout', torch.full((len(probes),), torch.nan, dtype=torch.float64))
        self.register_buffer('chosen', torch.tensor(-1))

    def forward(self, x, num_clips=1, **kwargs):
        """Classify crops with all probes: returns (P, videos x crops, C) logits.

        Args: see :meth:`AttentiveHead.forward`; tokens only.
        """
        return scores_of_probes(self.probes, x.unflatten(0, (-1, num_clips)).flatten(1, 2))

    def loss(self, feats, data_samples, **kwargs):
        """Cross entropy, averaged over the crops of all videos and summed over the probes."""
        scores = self(feats, clips_of_a_crop(len(feats), data_samples))
        labels = torch.cat([sample.gt_label for sample in data_samples]).to(scores.device)
        labels = labels.repeat_interleave(scores.shape[1] // len(labels)).repeat(len(scores))
        return dict(loss_cls=len(scores) * F.cross_entropy(scores.flatten(0, 1), labels))

    def predict(self, feats, data_samples, **kwargs):
        """Predict a batch, with probabilities averaged over the crops of a video.

        Samples get ``pred_score`` (C,) and ``pred_label`` of the chosen probe or, until one is chosen,
        ``probe_scores``, a dict of (C,) by name.
        """
        num_clips = clips_of_a_crop(len(feats), data_samples)
        if self.chosen >= 0:
            tokens = feats.unflatten(0, (-1, num_clips)).flatten(1, 2)
            return self.predict_by_feat(self.probes[self.chosen](tokens), data_samples)
        scores = self(feats, num_clips)
        crops = scores.shape[1] // len(data_samples)
        for sample, its_scores in zip(data_samples, scores.softmax(-1).split(crops, dim=1), strict=True):
            sample.probe_scores = dict(zip(self.names, its_scores.mean(1), strict=True))
        return data_samples


class LinearProbe(nn.Module):
    """A linear layer on the mean of the tokens."""

    def __init__(self, dims, num_classes):
        super().__init__()
        self.linear = nn.Linear(dims, num_classes)
        nn.init.normal_(self.linear.weight, std=0.01)
        nn.init.zeros_(self.linear.bias)

    def forward(self, tokens):
        """(N, L, D) -> (N, C) logits."""
        return self.linear(tokens.mean(1))


def scores_of_probes(probes, tokens):
    """(P, N, C) logits of P probes for tokens (N, L, D); attentive probes of depth 1 share most of the work."""
    together = [probe for probe in probes if isinstance(probe, AttentiveProbe) and not len(probe.blocks)]
    scores = dict(zip(together, _attend_together(together, tokens), strict=True)) if together else {}
    return torch.stack([scores[probe] if probe in scores else probe(tokens) for probe in probes])


def _attend_together(probes, tokens):
    """Logits (N, C) of each attentive probe of depth 1, without its keys and values.

    With one query, W_k and W_v can be applied to the query and the attended mean instead of every token: q . (W_k x) =
    (W_k' q) . x, and the mean of W_v x is W_v times the mean of x. For D channels and H heads that is D / H times less
    work. Terms that are equal for all tokens, such as the bias of the keys, do not change the softmax.
    """
    blocks = [probe.cross_attention for probe in probes]
    # The norms differ only in scale and shift, which are linear as well.
    x = F.layer_norm(tokens, tokens.shape[-1:], eps=blocks[0].norm1.eps)
    queries = torch.cat([_query_of_tokens(probe) for probe in probes])
    attention = (queries @ x.transpose(1, 2)).softmax(-1)
    means = (attention @ x).split([block.num_heads for block in blocks], dim=1)
    return [_classify_mean(probe, mean) for probe, mean in zip(probes, means, strict=True)]


def _query_of_tokens(probe):
    """(H, D): each head's query, to be multiplied with the normalised tokens."""
    block = probe.cross_attention
    query = block.q(probe.query[0, 0]).unflatten(0, (block.num_heads, -1))
    keys = block.kv.weight.chunk(2)[0].unflatten(0, (block.num_heads, -1))
    return torch.einsum('hd,hdc->hc', query, keys) * block.norm1.weight * query.shape[-1] ** -0.5


def _classify_mean(probe, mean):
    """(N, H, D) normalised tokens, attended by each head -> (N, C)."""
    block = probe.cross_attention
    mean = mean * block.norm1.weight + block.norm1.bias
    values = block.kv.weight.chunk(2)[1].unflatten(0, (block.num_heads, -1))
    x = probe.query[:, 0] + torch.einsum('nhc,hdc->nhd', mean, values).flatten(1) + block.kv.bias.chunk(2)[1]
    return probe.linear(x + block.mlp(block.norm2(x)))


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class ProbeSweepConstructor:
    """mmengine optimizer constructor with the settings of every probe.

    In a config::

        optim_wrapper = dict(
            type='OptimWrapper',
            constructor='twlv_mm.ProbeSweepConstructor',
            optimizer=dict(type='AdamW'),
            clip_grad=dict(max_norm=1.0))

    Gradients are clipped per probe. Biases and other one-dimensional parameters do not decay. Schedules that multiply
    the learning rate scale that of every probe.

    Args:
        optim_wrapper_cfg (dict): Wrapper, optimizer without lr and weight_decay, and clip_grad.
        paramwise_cfg (None): Not supported.
    """

    def __init__(self, optim_wrapper_cfg, paramwise_cfg=None):
        given = {'lr', 'weight_decay'}.intersection(optim_wrapper_cfg['optimizer'])
        if given or paramwise_cfg is not None:
            raise ValueError(
                'every probe has its own lr and weight_decay, from lrs and weight_decays of the ProbeSweepHead: remove '
                f'{", ".join(sorted(given)) or "paramwise_cfg"} from optim_wrapper'
            )
        self.wrapper_cfg = dict(optim_wrapper_cfg)
        self.optimizer_cfg = self.wrapper_cfg.pop('optimizer')
        self.clip_grad = self.wrapper_cfg.pop('clip_grad', None)

    def __call__(self, model):
        """Build the wrapper for a recognizer, with two parameter groups per probe."""
        model = unwrapped(model)
        head = getattr(model, 'cls_head', None)
        if not isinstance(head, ProbeSweepHead):
            raise ValueError(f'ProbeSweepConstructor needs a ProbeSweepHead, model.cls_head is {type(head).__name__}')
        ours = set(head.probes.parameters())
        others = [name for name, value in model.named_parameters() if value.requires_grad and value not in ours]
        if others:
            raise ValueError(
                f'{others[0]} and {len(others) - 1} more parameters besides the probes would be trained, by the sum of '
                'their losses: set model.backbone.frozen=True'
            )
        pairs = zip(head.probes, head.settings, strict=True)
        groups = [group for pair in pairs for group in _parameter_groups(*pair)]
        optimizer = OPTIMIZERS.build(dict(self.optimizer_cfg, params=groups))
        if self.clip_grad is not None:
            # Before the step, not in the wrapper: works with every wrapper, and on unscaled gradients.
            optimizer.register_step_pre_hook(lambda *_: self._clip(head))
        return OPTIM_WRAPPERS.build(self.wrapper_cfg, default_args=dict(optimizer=optimizer))

    def _clip(self, head):
        for probe in head.probes:
            nn.utils.clip_grad_norm_(probe.parameters(), **self.clip_grad)


def _parameter_groups(probe, settings):
    """Parameter groups with and without weight decay."""
    by_decay = {True: [], False: []}
    for value in probe.parameters():
        by_decay[value.ndim > 1].append(value)
    return [dict(params=by_decay[True], **settings), dict(params=by_decay[False], **settings | dict(weight_decay=0.0))]
