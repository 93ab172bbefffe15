"""An encoder as a project of somebody else would have it: nothing here belongs to the package."""

import torch
from torch import nn

import twlv_mm


class ConvNet(twlv_mm.Encoder):
    """Two convolutions in space and time, and a mean that knows where motion was."""

    spec = twlv_mm.EncoderSpec(
        name='their_convnet', num_frames=8, img_size=32, grid=(4, 4, 4), embed_dims=32, num_heads=4, mean=(0, 0, 0)
    )

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv3d(3, 16, (1, 4, 4), (1, 4, 4))
        self.mix = nn.Conv3d(16, 32, (4, 3, 3), (2, 2, 2), (1, 1, 1))
        self.norm = nn.LayerNorm(32)

    def encode(self, video):
        """Clips (N, 3, T, H, W) to tokens (N, L, 32)."""
        x = self.mix(torch.relu(self.stem(video)))
        return self.norm(x.flatten(2).transpose(1, 2)), tuple(x.shape[2:])
