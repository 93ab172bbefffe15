"""A decoder of space-time queries, with attention in time, in space, and to the tokens of each query's own frame."""

import math

import torch
from mmcv.cnn import build_norm_layer
from mmcv.cnn.bricks.transformer import MultiheadAttention
from mmdet.models.layers import DetrTransformerDecoderLayer, SinePositionalEncoding
from mmengine.model import BaseModule
from torch import nn
from torch.nn.init import xavier_uniform_

from twlv_mm.registry import MODELS

# Initial gain of the projections that compare queries and tokens. If it is much larger, few tokens get all attention.
NEARNESS = 1.5


@MODELS.register_module()
class FactorisedDecoder(BaseModule):
    """From an encoder's feature map to a vector for each of T x S queries.

    A query is the sum of one of S spatial and one of T temporal embeddings. In each layer it attends to the queries of
    the same spatial embedding at other times, to those of the same time, and to the tokens of its time. If tokens have
    fewer times than queries, each serves several.

    Spatial embeddings start as position codes of a grid, and the attention to tokens favours near ones at first;
    position codes are added to the values of the tokens, because an encoder's features need not contain them. All of
    these are trained. This is ours and not in the source.

    Args:
        in_channels (int): D of the feature map.
        num_frames (int): T, frames with boxes.
        num_queries (int): S, boxes per frame.
        num_layers (int): Decoder layers.
        embed_dims (int): C, the hidden size.
        feedforward_channels (int): Width of the MLPs.
        num_heads (int): Heads of each attention.
        dropout (float): In attention and MLPs.
        drop_path (float): Rate at which parts of a layer are dropped for a sample in training.

    Source: Gritsenko et al. 2023 (STAR), section 3; TWLV-I Table 8 for the sizes.
    """

    def __init__(
        self,
        in_channels,
        num_frames=8,
        num_queries=64,
        num_layers=6,
        embed_dims=256,
        feedforward_channels=2048,
        num_heads=8,
        dropout=0.1,
        drop_path=0.1,
    ):
        super().__init__()
        self.in_channels, self.num_frames, self.num_queries = in_channels, num_frames, num_queries
        self.embed_dims = embed_dims
        self.input_proj = nn.Sequential(nn.Linear(in_channels, embed_dims), nn.LayerNorm(embed_dims))
        # With DETR's temperature of 10000 and scale of 2 pi, most channels are constant over an image; the temperature
        # of 20 is that of Liu et al. 2022 (DAB-DETR). The offset puts a token at its centre.
        self.token_position = SinePositionalEncoding(
            num_feats=embed_dims // 2, temperature=20, normalize=True, scale=6 * math.pi, offset=-0.5
        )
        self.spatial_queries = nn.Embedding(num_queries, embed_dims)
        self.temporal_queries = nn.Embedding(num_frames, embed_dims)
        attention = dict(
            embed_dims=embed_dims,
            num_heads=num_heads,
            attn_drop=dropout,
            proj_drop=dropout,
            dropout_layer=dict(type='DropPath', drop_prob=drop_path),
            batch_first=True,
        )
        mlp = dict(
            embed_dims=embed_dims,
            feedforward_channels=feedforward_channels,
            num_fcs=2,
            ffn_drop=dropout,
            act_cfg=dict(type='ReLU', inplace=True),
            dropout_layer=dict(type='DropPath', drop_prob=drop_path),
        )
        self.layers = nn.ModuleList(
            FactorisedDecoderLayer(self_attn_cfg=attention, cross_attn_cfg=attention, ffn_cfg=mlp)
            for _ in range(num_layers)
        )
        self.post_norm = build_norm_layer(dict(type='LN'), embed_dims)[1]
        # mmdet's own initialisation of these parts changes nothing.
        for parameter in self.layers.parameters():
            if parameter.dim() > 1:
                xavier_uniform_(parameter)
        self._look_around_anchors()

    @torch.no_grad()
    def _look_around_anchors(self):
        self.spatial_queries.weight.copy_(self._position_code(grid_centres(self.num_queries)))
        for layer in self.layers:
            to_query, to_key, _ = layer.cross_attn.attn.in_proj_weight.chunk(3)
            to_query *= NEARNESS
            to_key.copy_(to_query)

    def _position_code(self, places):
        """The code of tokens at places (S, 2), x and y normalised to [0, 1]: (S, C)."""
        code = self.token_position
        channels = torch.arange(code.num_feats, device=places.device)
        angles = places[:, [1, 0], None] * code.scale / code.temperature ** (2 * (channels // 2) / code.num_feats)
        return torch.stack([angles[..., 0::2].sin(), angles[..., 1::2].cos()], dim=-1).flatten(1)

    def forward(self, features, padding):
        """Decode a feature map (N, D, T', h, w) to the outputs of all layers, (layers, N, T, S, C).

        ``padding`` is (N, h, w) bool, True for tokens outside the image.
        """
        batch, channels, times = features.shape[:3]
        if channels != self.in_channels:
            raise ValueError(
                f'the encoder has {channels} channels, the decoder expects {self.in_channels}: set '
                f'model.decoder.in_channels={channels}'
            )
        if self.num_frames % times:
            raise ValueError(
                f'{self.num_frames} frames cannot be made from the {times} time steps of the encoder: set '
                f'model.decoder.num_frames to a multiple of {times}'
            )
        tokens = self.input_proj(features.flatten(3).permute(0, 2, 3, 1))
        tokens = tokens.repeat_interleave(self.num_frames // times, dim=1)
        token_position = self.token_position(padding).flatten(2).transpose(1, 2)[:, None].expand_as(tokens)
        position = self.temporal_queries.weight[:, None] + self.spatial_queries.weight
        position = position.expand(batch, -1, -1, -1)
        # Not zeros, as in DETR, with which the first layer's self-attention has nothing to exchange.
        query, layers = position, []
        for layer in self.layers:
            query = layer(query, position, tokens, token_position, padding.flatten(1))
            layers.append(self.post_norm(query))
        return torch.stack(layers)


class FactorisedDecoderLayer(DetrTransformerDecoderLayer):
    """DETR's decoder layer with attention in time before that in space; arguments as for mmdet's."""

    def _init_layers(self):
        super()._init_layers()
        self.temporal_attn = MultiheadAttention(**self.self_attn_cfg)
        self.temporal_norm = build_norm_layer(self.norm_cfg, self.embed_dims)[1]

    def forward(self, query, query_pos, tokens, token_pos, padding):
        """query and query_pos (N, T, S, C), tokens and token_pos (N, T, L, C), padding (N, L) -> (N, T, S, C)."""
        shape = query.shape
        query = self.temporal_norm(_attend(self.temporal_attn, query.transpose(1, 2), query_pos.transpose(1, 2)))
        query, query_pos, tokens, token_pos = (
            x.flatten(0, 1) for x in (query.transpose(1, 2), query_pos, tokens, token_pos)
        )
        query = self.norms[0](self.self_attn(query, query_pos=query_pos, key_pos=query_pos))
        padding = padding.repeat_interleave(shape[1], dim=0)
        # Values include their positions.
        values = tokens + token_pos
        query = self.cross_attn(query, tokens, values, query_pos=query_pos, key_pos=token_pos, key_padding_mask=padding)
        return self.norms[2](self.ffn(self.norms[1](query))).view(shape)


def grid_centres(count):
    """(S, 2) x and y normalised to [0, 1]: the centres of S cells of a grid as square as possible."""
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    places = torch.arange(count)
    return torch.stack([(places % columns + 0.5) / columns, (places // columns + 0.5) / rows], dim=1)


def _attend(attention, query, position):
    """Attention within the second-to-last axis of a (N, A, B, C) tensor."""
    query, position, shape = query.flatten(0, 1), position.flatten(0, 1), query.shape
    return attention(query, query_pos=position, key_pos=position).view(shape)
