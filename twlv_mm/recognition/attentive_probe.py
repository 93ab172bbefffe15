"""The attentive probe: a learnable query attends to an encoder's tokens, and a linear layer classifies the result."""

import re

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.init import trunc_normal_

from twlv_mm.encoders import Architecture, read_checkpoint
from twlv_mm.encoders.layers import MLP, Block, make_norm

# Official parameter names -> ours.
RENAMED = (
    (r'^module\.', ''),
    (r'^pooler\.query_tokens$', 'query'),
    (r'^pooler\.cross_attention_block\.(xattn\.)?', 'cross_attention.'),
    (r'^pooler\.blocks\.', 'blocks.'),
)
# V-JEPA's files contain this layer, but its model never applies it.
IGNORED = re.compile(r'^(module\.)?pooler\.cross_attention_block\.xattn\.proj\.(weight|bias)$')


class CrossAttentionBlock(nn.Module):
    """Queries attend to normalised tokens, then pass an MLP, each with a residual connection.

    Unlike in most blocks, neither the queries nor the output of the attention are normalised or projected.

    Args:
        arch (Architecture): Width, heads, epsilon of the norms, width of the MLP.
    """

    def __init__(self, arch):
        super().__init__()
        self.num_heads = arch.num_heads
        self.norm1 = make_norm(arch)
        self.q = nn.Linear(arch.embed_dims, arch.embed_dims)
        self.kv = nn.Linear(arch.embed_dims, 2 * arch.embed_dims)
        self.norm2 = make_norm(arch)
        self.mlp = MLP(arch)

    def forward(self, query, tokens):
        """(N, Q, D), (N, L, D) -> (N, Q, D)."""
        q, k, v = (
            part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for part in (self.q(query), *self.kv(self.norm1(tokens)).chunk(2, dim=-1))
        )
        x = query + F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return x + self.mlp(self.norm2(x))


class AttentiveProbe(nn.Module):
    """Classify tokens by attentive pooling: V-JEPA's probe, or with ``depth=4`` that of V-JEPA 2.

    Args:
        dims (int): Channels of a token.
        num_classes (int): Classes.
        num_heads (int): Attention heads; V-JEPA uses its encoder's number, V-JEPA 2 uses 16.
        depth (int): Blocks: ``depth - 1`` of self-attention over the tokens, then one of cross-attention.

    Source: Bardes et al. 2024 (V-JEPA), appendix on attentive probing; Assran et al. 2025 (V-JEPA 2) for depth 4;
    initialisation as in their code. TWLV-I section 2.2.2 follows V-JEPA.
    """

    def __init__(self, dims, num_classes, num_heads, depth=1):
        super().__init__()
        if depth < 1:
            raise ValueError(f'depth={depth}: an attentive probe has at least 1 block, of cross-attention')
        arch = Architecture(embed_dims=dims, depth=depth, num_heads=num_heads, norm_eps=1e-5)
        self.query = nn.Parameter(torch.zeros(1, 1, dims))
        self.blocks = nn.ModuleList(Block(arch) for _ in range(depth - 1))
        self.cross_attention = CrossAttentionBlock(arch)
        self._init_parameters()
        self.linear = nn.Linear(dims, num_classes)

    def _init_parameters(self):
        trunc_normal_(self.query, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        for depth, block in enumerate(self.blocks, start=1):
            block.attn.proj.weight.data.div_((2 * depth) ** 0.5)
            block.mlp.fc2.weight.data.div_((2 * depth) ** 0.5)
        self.cross_attention.mlp.fc2.weight.data.div_((2 * max(len(self.blocks), 1)) ** 0.5)

    def forward(self, tokens):
        """(N, L, D) tokens in any order -> (N, num_classes) logits."""
        for block in self.blocks:
            tokens = block(tokens)
        return self.linear(self.cross_attention(self.query.expand(len(tokens), -1, -1), tokens).squeeze(1))


def load_official_probe(probe, path):
    """Load a probe's weights from an official file of V-JEPA or V-JEPA 2, strictly.

    Args:
        probe (AttentiveProbe): The probe to fill.
        path (str): A file with the state dict as ``classifier`` (V-JEPA), as the only one of ``classifiers`` (V-JEPA
            2), or by itself.
    """
    checkpoint = read_checkpoint(path)
    states = checkpoint.get('classifiers', [checkpoint.get('classifier', checkpoint)])
    if len(states) != 1:
        raise ValueError(
            f'{path} holds {len(states)} probes, trained with different settings: save the one chosen on held-out data '
            "as dict(classifier=checkpoint['classifiers'][i])"
        )
    state = {}
    for key, value in states[0].items():
        if not IGNORED.match(key):
            for old, new in RENAMED:
                key = re.sub(old, new, key)
            state[key] = value
    try:
        probe.load_state_dict(state)
    except RuntimeError as error:
        reasons = '\n  '.join(reason.strip()[:400] for reason in str(error).split('\n\t')[1:5])
        raise ValueError(f'{path} does not hold the weights of this attentive probe:\n  {reasons}') from None
