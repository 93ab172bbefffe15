"""Video models of transformers as encoders, one class per model type; hf_models.py has the table of them."""

import torch

from .hf_config import CLIP, HALF, IMAGENET, side
from .hf_encoder import HuggingFaceEncoder
from .per_frame import join_frames, split_frames

SHORT_SIDE = dict(size={'shortest_edge': 224}, crop_size=224, do_center_crop=True, resample=2)


class VJEPA2(HuggingFaceEncoder):
    """V-JEPA 2's encoder, without its predictor: rotary positions, mean pooling."""

    model_class = 'VJEPA2Model'
    unused_modules = ('predictor',)
    ignored_keys = r'(vjepa2\.)?predictor\.|pooler\.'
    preprocessing = dict(IMAGENET, size={'shortest_edge': 292}, crop_size=256, do_center_crop=True, resample=2)
    img_sizes = 'built'

    @staticmethod
    def spec_fields(config):
        return dict(
            num_frames=config.frames_per_clip,
            img_size=config.crop_size,
            patch_size=side(config.patch_size, 'patch_size'),
            tubelet_size=config.tubelet_size,
        )

    @classmethod
    def configure_for(cls, config, img_size, num_frames):
        config.crop_size, config.frames_per_clip = img_size, num_frames
        return config

    def encode(self, video):
        grid = self.grid(video)
        return self.model.encoder(video.transpose(1, 2)).last_hidden_state, grid


class VideoMAE(HuggingFaceEncoder):
    """VideoMAE, pretrained: a fixed table computed for the clip, mean pooling."""

    model_class = 'VideoMAEModel'
    ignored_keys = r'(decoder|encoder_to_decoder)\.|mask_token$|fc_norm\.'
    preprocessing = dict(IMAGENET, **SHORT_SIDE)
    img_sizes = frame_counts = 'built'

    @staticmethod
    def spec_fields(config):
        return dict(
            num_frames=config.num_frames,
            img_size=side(config.image_size, 'image_size'),
            patch_size=side(config.patch_size, 'patch_size'),
            tubelet_size=config.tubelet_size,
        )

    @classmethod
    def configure_for(cls, config, img_size, num_frames):
        config.image_size, config.num_frames = img_size, num_frames
        return config

    def encode(self, video):
        grid = self.grid(video)
        return self.model(video.transpose(1, 2)).last_hidden_state, grid


class FineTunedVideoMAE(VideoMAE):
    """VideoMAE after fine-tuning: the mean of the tokens is normalised, not the tokens; or the first is taken."""

    model_class = 'VideoMAEForVideoClassification'
    unused_modules = ('classifier',)
    ignored_keys = r'$^'

    @staticmethod
    def spec_fields(config):
        return dict(VideoMAE.spec_fields(config), pooling='fc_norm' if config.use_mean_pooling else 'first_token')

    def encode(self, video):
        grid = self.grid(video)
        return self.model.videomae(video.transpose(1, 2)).last_hidden_state, grid

    def own_pooling(self, tokens, grid):
        return self.model.fc_norm(tokens.mean(dim=1)) if self.config.use_mean_pooling else tokens[:, 0]


class ViViT(HuggingFaceEncoder):
    """ViViT (tubelets, joint attention): a learned table, the class token."""

    model_class = 'VivitModel'
    unused_modules = ('pooler',)
    ignored_keys = r'(vivit\.)?pooler\.'
    preprocessing = SHORT_SIDE | HALF | dict(size={'shortest_edge': 256}, rescale_factor=1 / 127.5, offset=True)
    img_sizes = frame_counts = 'native'

    @staticmethod
    def spec_fields(config):
        return dict(
            num_frames=config.num_frames,
            img_size=side(config.image_size, 'image_size'),
            patch_size=side(config.tubelet_size[1:], 'tubelet_size'),
            tubelet_size=config.tubelet_size[0],
            class_token=True,
            pooling='class_token',
        )

    def encode(self, video):
        grid = self.grid(video)
        return self.model(video.transpose(1, 2)).last_hidden_state, grid


class TimeSformer(HuggingFaceEncoder):
    """TimeSformer, whose tables transformers resizes to the nearest position: the class token."""

    model_class = 'TimesformerModel'
    preprocessing = dict(IMAGENET, **SHORT_SIDE)

    @staticmethod
    def spec_fields(config):
        if config.attention_type == 'space_only':
            raise ValueError('a TimeSformer with attention in space only has no tokens of clips')
        return dict(
            num_frames=config.num_frames,
            img_size=side(config.image_size, 'image_size'),
            patch_size=side(config.patch_size, 'patch_size'),
            tubelet_size=1,
            class_token=True,
            pooling='class_token',
        )

    def encode(self, video):
        grid = time, height, width = self.grid(video)
        own = self.model.embeddings.num_patches
        if height * width == own and height != width:
            raise ValueError(f'{self.spec.name} would mistake {height} x {width} patches for its own square of {own}')
        # Its layers read the size of the clip from the config.
        self.model.config.num_frames, self.model.config.image_size = time, video.shape[4]
        tokens = self.model(video.transpose(1, 2)).last_hidden_state
        # Its tokens are ordered by space, then time.
        patches = tokens[:, 1:].unflatten(1, (height * width, time)).transpose(1, 2).flatten(1, 2)
        return torch.cat([tokens[:, :1], patches], dim=1), grid


class VideoPrism(HuggingFaceEncoder):
    """VideoPrism's video encoder: tables resized in space and time, mean pooling."""

    model_class = 'VideoPrismVisionModel'
    preprocessing = dict(HALF, size={'height': 288, 'width': 288}, resample=3, do_normalize=False)
    ignored_keys = r'(head|head_layernorm|video_model\.(head|head_layernorm|auxiliary_layers)|text_model)\.'

    @staticmethod
    def spec_fields(config):
        config = getattr(config, 'vision_config', config)
        return dict(
            num_frames=config.num_frames,
            img_size=side(config.image_size, 'image_size'),
            patch_size=side(config.tubelet_size[1:], 'tubelet_size'),
            tubelet_size=config.tubelet_size[0],
        )

    def encode(self, video):
        grid = self.grid(video)
        return self.model(video.transpose(1, 2), interpolate_pos_encoding=True).last_hidden_state, grid


class VideoPrismClip(VideoPrism):
    """VideoPrism trained with text: auxiliary layers on the tokens, and attention pooling."""

    model_class = 'VideoPrismClipModel'
    both_towers = True
    unused_modules = ('text_model',)
    ignored_keys = r'text_model\.'

    @staticmethod
    def spec_fields(config):
        return dict(VideoPrism.spec_fields(config), pooling='attention')

    def encode(self, video):
        grid = self.grid(video)
        model = self.model.video_model
        tokens = model.vision_model(video.transpose(1, 2), interpolate_pos_encoding=True).last_hidden_state
        for layer in model.auxiliary_layers:
            tokens = layer(tokens)
        return tokens, grid

    def own_pooling(self, tokens, grid):
        model = self.model.video_model
        vectors = model.head_layernorm(model.head(tokens)[0]).squeeze(1)
        if model.config.apply_l2norm:
            vectors = vectors * torch.rsqrt(vectors.square().sum(-1, keepdim=True) + 1e-6)
        return vectors


class XCLIP(HuggingFaceEncoder):
    """X-CLIP: frames exchange message tokens; the pooled vector is its video features."""

    model_class = 'XCLIPModel'
    both_towers = True
    unused_modules = (
        *('text_model', 'text_projection', 'logit_scale', 'prompts_generator'),
        *('prompts_visual_layernorm', 'prompts_visual_projection'),
    )
    ignored_keys = r'(text_model|text_projection|prompts_\w+)\.|(logit_scale|prompts_visual_projection)$'
    preprocessing = dict(CLIP, **SHORT_SIDE)
    frame_counts = 'native'

    @staticmethod
    def spec_fields(config):
        vision = config.vision_config
        return dict(
            num_frames=vision.num_frames,
            img_size=side(vision.image_size, 'image_size'),
            patch_size=side(vision.patch_size, 'patch_size'),
            tubelet_size=1,
            embedding_dims=config.projection_dim,
            class_token=True,
            pooling='video_features',
        )

    def encode(self, video):
        grid = self.grid(video)
        frames = video.transpose(1, 2).flatten(0, 1)
        tower = self.model.vision_model
        tokens = tower(frames, interpolate_pos_encoding=True).last_hidden_state
        return join_frames(tower.post_layernorm(tokens), grid[0], grid[1] * grid[2]), grid

    def own_pooling(self, tokens, grid):
        class_tokens = split_frames(tokens, grid)[:, 0].unflatten(0, (-1, grid[0]))
        return self.model.mit(self.model.visual_projection(class_tokens)).pooler_output
