"""Training steps of the detection decoder with factorised queries and with full attention among queries."""

from functools import partial

import torch

from benchmarks.steps import benchmark_steps
from twlv_mm.detection.decoder import FactorisedDecoder, FactorisedDecoderLayer

WAYS = ('factorised', 'plain')


class PlainLayer(FactorisedDecoderLayer):
    """DETR's layer on all queries of a clip at once, and all of its tokens."""

    def _init_layers(self):
        super()._init_layers()
        del self.temporal_attn, self.temporal_norm

    def forward(self, query, query_pos, tokens, token_pos, padding):
        shape = query.shape
        padding = padding.repeat(1, shape[1])
        query, query_pos, tokens, token_pos = (x.flatten(1, 2) for x in (query, query_pos, tokens, token_pos))
        query = self.norms[0](self.self_attn(query, query_pos=query_pos, key_pos=query_pos))
        values = tokens + token_pos
        query = self.cross_attn(query, tokens, values, query_pos=query_pos, key_pos=token_pos, key_padding_mask=padding)
        return self.norms[2](self.ffn(self.norms[1](query))).view(shape)


def benchmark_decoders(batch_size=2, size=(14, 25), iterations=2, **decoder):
    """Time and memory of a training step of the decoder, forward and backward, without encoder and head.

    Args:
        batch_size (int): Clips.
        size (tuple[int, int]): Tokens of a frame, h and w: 14 and 25 for a film of 16:9 with a short side of 224.
        iterations (int): Steps after one warm-up step; the fastest counts.
        **decoder: Other arguments of :class:`FactorisedDecoder`.

    Returns:
        dict[str, dict]: 'factorised' and 'plain', each as from :func:`~benchmarks.steps.benchmark_steps`.
    """
    return benchmark_steps(partial(training_step, batch_size=batch_size, size=size, **decoder), WAYS, iterations)


def training_step(way, batch_size, size, **decoder):
    """A decoder and a training step of it.

    Args: see :func:`benchmark_decoders`; ``way`` is one of those.

    Returns:
        tuple[nn.Module, Callable]: the decoder, and a function that gives the sum of its outputs.
    """
    model = FactorisedDecoder(**dict(in_channels=768) | decoder)
    if way == 'plain':
        for place, layer in enumerate(model.layers):
            model.layers[place] = PlainLayer(layer.self_attn_cfg, layer.cross_attn_cfg, layer.ffn_cfg)
    features = torch.randn(batch_size, model.in_channels, model.num_frames, *size)
    padding = torch.zeros(batch_size, *size, dtype=torch.bool)
    return model, lambda: model(features, padding).sum()
