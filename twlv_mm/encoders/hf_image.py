"""Image models of transformers as encoders of single frames, one class per model type."""

import torch

from .hf_config import CLIP, HALF, IMAGENET, side
from .hf_encoder import HuggingFaceEncoder
from .per_frame import NUM_FRAMES, PerFrameEncoder
from .vit import patchify

CENTRE = dict(size={'shortest_edge': 224}, crop_size=224, do_center_crop=True, resample=3)
TEXT = r'(text_model|text_projection)\.|logit_(scale|bias)$'


class HuggingFaceImages(PerFrameEncoder, HuggingFaceEncoder):
    """Base of these: calls the vision model on images and drops its registers."""

    @staticmethod
    def spec_fields(config):
        config = getattr(config, 'vision_config', config)
        return dict(
            num_frames=NUM_FRAMES,
            img_size=side(config.image_size, 'image_size'),
            patch_size=side(config.patch_size, 'patch_size'),
            tubelet_size=1,
            per_frame=True,
        )

    def encode(self, video):
        self.grid(video)
        return super().encode(video)

    def encode_frames(self, frames):
        size = tuple(length // self.patch_size for length in frames.shape[2:])
        tokens = self.tower(frames)
        patches = size[0] * size[1]
        return torch.cat([tokens[:, : int(self.spec.class_token)], tokens[:, -patches:]], dim=1), size

    def tower(self, frames):
        """Tokens (M, L, D) of images (M, 3, H, W), after the model's last norm."""
        return self.model(frames).last_hidden_state


class CLIPImages(HuggingFaceImages):
    """CLIP's image tower with its projection."""

    model_class = 'CLIPVisionModelWithProjection'
    ignored_keys = TEXT
    preprocessing = dict(CLIP, **CENTRE)

    @staticmethod
    def spec_fields(config):
        width = config.projection_dim
        # Of the same width, both would be taken for the class token.
        pooling = 'projection' if width == config.hidden_size else 'class_token'
        return dict(HuggingFaceImages.spec_fields(config), class_token=True, pooling=pooling, embedding_dims=width)

    def tower(self, frames):
        model = self.model.vision_model
        return model.post_layernorm(model(frames, interpolate_pos_encoding=True).last_hidden_state)

    def pool_frames(self, tokens, size):
        return self.model.visual_projection(tokens[:, 0])


class CLIPVision(CLIPImages):
    """CLIP's image tower alone: the class token."""

    model_class = 'CLIPVisionModel'
    ignored_keys = rf'{TEXT}|visual_projection\.'

    @staticmethod
    def spec_fields(config):
        return dict(HuggingFaceImages.spec_fields(config), class_token=True, pooling='class_token')

    def tower(self, frames):
        return self.model.post_layernorm(self.model(frames, interpolate_pos_encoding=True).last_hidden_state)

    def pool_frames(self, tokens, size):
        return tokens[:, 0]


def _has_head(config):
    return getattr(config, 'vision_use_head', True)  # transformers before 5.24 leaves the default out


class SigLIP(HuggingFaceImages):
    """SigLIP's image tower (and SigLIP 2's of fixed resolution), with its attention pooling if it has one."""

    model_class = 'SiglipVisionModel'
    ignored_keys = TEXT
    preprocessing = dict(HALF, size={'height': 224, 'width': 224}, resample=3)

    @staticmethod
    def spec_fields(config):
        pooling = 'attention' if _has_head(config) else 'mean'
        return dict(HuggingFaceImages.spec_fields(config), pooling=pooling)

    def tower(self, frames):
        return self.model(frames, interpolate_pos_encoding=True).last_hidden_state

    def pool_frames(self, tokens, size):
        return self.model.head(tokens) if _has_head(self.config) else tokens.mean(dim=1)


class SigLIP2(SigLIP):
    """SigLIP 2's image tower of native aspect ratio (NaFlex), which takes patches."""

    model_class = 'Siglip2VisionModel'
    preprocessing = dict(HALF, max_num_patches=256, patch_size=16, resample=2)

    @staticmethod
    def spec_fields(config):
        patch = side(config.patch_size, 'patch_size')
        return dict(
            num_frames=NUM_FRAMES,
            img_size=patch * int(config.num_patches**0.5),
            patch_size=patch,
            tubelet_size=1,
            per_frame=True,
            pooling='attention' if _has_head(config) else 'mean',
        )

    def tower(self, frames):
        patch = self.patch_size
        patches = patchify(frames.unsqueeze(2), (1, patch, patch)).unflatten(2, (3, -1)).transpose(2, 3).flatten(2)
        size = torch.tensor([[length // patch for length in frames.shape[2:]]], device=frames.device)
        mask = torch.ones(patches.shape[:2], dtype=torch.int32, device=frames.device)
        return self.model(patches, mask, size.expand(len(frames), -1)).last_hidden_state


class DINOv2(HuggingFaceImages):
    """DINOv2: the class token."""

    model_class = 'Dinov2Model'
    preprocessing = CENTRE | IMAGENET | dict(size={'shortest_edge': 256})

    @staticmethod
    def spec_fields(config):
        return dict(HuggingFaceImages.spec_fields(config), class_token=True, pooling='class_token')


class DINOv2WithRegisters(DINOv2):
    """DINOv2 with registers, which are dropped."""

    model_class = 'Dinov2WithRegistersModel'


class DINOv3(DINOv2):
    """DINOv3's vision transformers; their registers are dropped."""

    model_class = 'DINOv3ViTModel'
    preprocessing = dict(IMAGENET, size={'height': 224, 'width': 224}, resample=2)


class AIMv2(HuggingFaceImages):
    """AIMv2's image tower with its attention pooling if it has one, else the mean."""

    model_class = 'Aimv2VisionModel'
    preprocessing = dict(CLIP, **CENTRE)
    img_sizes = 'native'

    @staticmethod
    def spec_fields(config):
        return dict(HuggingFaceImages.spec_fields(config), pooling='attention' if config.use_head else 'mean')

    def pool_frames(self, tokens, size):
        return self.model.head(tokens) if self.config.use_head else tokens.mean(dim=1)


class NativeAIMv2(AIMv2):
    """AIMv2 of native resolution, whose fixed table is computed for any size."""

    img_sizes = 'any'


class AIMv2WithText(AIMv2):
    """AIMv2 trained with text: its image tower with the projection."""

    model_class = 'Aimv2Model'
    both_towers = True
    unused_modules = ('text_model', 'text_projection', 'logit_scale')
    ignored_keys = TEXT

    @staticmethod
    def spec_fields(config):
        return dict(AIMv2.spec_fields(config.vision_config), embedding_dims=config.projection_dim)

    def tower(self, frames):
        return self.model.vision_model(frames).last_hidden_state

    def pool_frames(self, tokens, size):
        return self.model.visual_projection(self.model.vision_model.head(tokens))
