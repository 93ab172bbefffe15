"""Frozen encoders whose features are targets, and whose attention may guide the mask."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from twlv_mm.encoders import get_model


@dataclass
class Features:
    """A teacher's features of N clips, on the student's grid of L patches."""

    tokens: torch.Tensor  # (N, L, C)
    pooled: torch.Tensor  # (N, C'), by the teacher's own pooling
    # (N, L), the attention that the patches receive in its last block, if requested
    attention: torch.Tensor | None = None


class Teacher:
    """A frozen encoder that sees the student's clips.

    Image encoders, and video encoders of one frame (``num_frames=1``), see the middle frame of each of the student's
    tubelets, one by one; other video encoders see as many evenly spaced frames as they were made for. Frames are
    resized so that the teacher has as many patches as the student (as in UMT), and differences in time are averaged or
    repeated.

    It is not a module, so it is neither trained, nor sharded, nor a part of the student's checkpoints.

    Args:
        student (EncoderSpec): Of the encoder that is trained.
        source, weights, **overrides: See :func:`twlv_mm.get_model`; the source must give a feature map.
    """

    def __init__(self, student, source, weights=None, **overrides):
        self.encoder = get_model(source, weights, frozen=True, **overrides)
        self.encoder.spec.require_map('A teacher')
        self.student = student
        self.dims, self.pooled_dims = self.encoder.spec.embed_dims, self.encoder.spec.embedding_dims

    @torch.no_grad()
    def __call__(self, video, grid, with_attention=False):
        """The :class:`Features` of clips (N, 3, T, H, W), normalised for the student, on its ``grid`` of patches."""
        encoder = self.encoder.to(video.device)
        count = len(video)
        frame_by_frame = encoder.spec.per_frame or encoder.spec.num_frames == 1
        video = self._show(video, grid, grid[0] if frame_by_frame else encoder.spec.num_frames)
        if frame_by_frame:
            video = video.transpose(1, 2).flatten(0, 1).unsqueeze(2)
        received = []
        if with_attention:
            last = encoder.blocks[-1].attn
            asking = 1 if encoder.spec.class_token else None
            hook = last.register_forward_pre_hook(lambda _, args: received.append(last.received(*args, queries=asking)))
        try:
            tokens, own_grid = encoder.tokens_and_grid(video)
        finally:
            if with_attention:
                hook.remove()
        pooled = encoder.pool(tokens, own_grid).unflatten(0, (count, -1)).mean(1)
        attention = self._on_grid(received[0].unsqueeze(-1), own_grid, count, grid).squeeze(-1) if received else None
        return Features(self._on_grid(tokens, own_grid, count, grid), pooled.float(), attention)

    def _show(self, video, grid, num_frames):
        """Select, resize and normalise frames for the teacher."""
        spec, length = self.encoder.spec, video.shape[2]
        if num_frames < length:
            middles = (torch.arange(num_frames, device=video.device) + 0.5) * (length / num_frames)
            video = video[:, :, middles.long()]
        size = tuple(side * spec.patch_size for side in grid[1:])
        if size != video.shape[3:]:
            frames = F.interpolate(video.transpose(1, 2).flatten(0, 1), size, mode='bicubic', antialias=True)
            video = frames.unflatten(0, (len(video), -1)).transpose(1, 2)
        if (spec.mean, spec.std) != (self.student.mean, self.student.std):
            mean, std, own_mean, own_std = (
                torch.tensor(values, device=video.device).view(3, 1, 1, 1)
                for values in (self.student.mean, self.student.std, spec.mean, spec.std)
            )
            video = (video * std + mean - own_mean) / own_std
        return video

    def _on_grid(self, tokens, own_grid, count, grid):
        """(N or N * frames, L'', C) with class tokens -> (N, L, C) float32."""
        patches = tokens[:, -own_grid[0] * own_grid[1] * own_grid[2] :].float()
        patches = patches.reshape(count, -1, *grid[1:], patches.shape[-1])
        if patches.shape[1] != grid[0]:
            patches = F.adaptive_avg_pool3d(patches.movedim(-1, 1), grid).movedim(1, -1)
        return patches.flatten(1, 3)
