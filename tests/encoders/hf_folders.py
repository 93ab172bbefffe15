"""Small random models of transformers, one of each kind, as folders that save_pretrained writes."""

import json

import torch
import transformers

SIZES = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=40)
TEXT = dict(
    **dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=32),
    **dict(bos_token_id=0, eos_token_id=1, pad_token_id=0),
)
CENTRE = dict(size={'shortest_edge': 32}, crop_size={'height': 32, 'width': 32}, do_center_crop=True, resample=3)
NUMBERS = dict(image_mean=[0.1, 0.2, 0.3], image_std=[0.5, 0.25, 0.2], rescale_factor=1 / 255)


def _towers(kind, vision, **more):
    make = getattr(transformers, f'{kind}Config')
    return make(vision_config=dict(SIZES, image_size=32, patch_size=8, **vision), text_config=TEXT, **more)


# Name -> class of the model, and its configuration.
MODELS = {
    'vjepa2': (
        'VJEPA2Model',
        lambda: transformers.VJEPA2Config(
            **SIZES | dict(hidden_size=48),
            crop_size=32,
            patch_size=8,
            frames_per_clip=4,
            pred_hidden_size=24,
            pred_num_attention_heads=2,
            pred_num_hidden_layers=1,
        ),
    ),
    'videomae': (
        'VideoMAEForPreTraining',
        lambda: transformers.VideoMAEConfig(
            **SIZES,
            image_size=32,
            patch_size=8,
            num_frames=4,
            use_mean_pooling=False,
            decoder_hidden_size=16,
            decoder_num_attention_heads=2,
            decoder_num_hidden_layers=1,
            decoder_intermediate_size=16,
        ),
    ),
    'videomae_finetuned': (
        'VideoMAEForVideoClassification',
        lambda: transformers.VideoMAEConfig(**SIZES, image_size=32, patch_size=8, num_frames=4),
    ),
    'videomae_first_token': (
        'VideoMAEForVideoClassification',
        lambda: transformers.VideoMAEConfig(**SIZES, image_size=32, patch_size=8, num_frames=4, use_mean_pooling=False),
    ),
    'vivit': (
        'VivitForVideoClassification',
        lambda: transformers.VivitConfig(**SIZES, image_size=32, num_frames=4, tubelet_size=[2, 8, 8]),
    ),
    'timesformer': (
        'TimesformerForVideoClassification',
        lambda: transformers.TimesformerConfig(**SIZES, image_size=32, patch_size=8, num_frames=4),
    ),
    'videoprism': (
        'VideoPrismVisionModel',
        lambda: transformers.VideoPrismVisionConfig(
            **{key: size for key, size in SIZES.items() if key != 'num_hidden_layers'},
            image_size=32,
            num_frames=4,
            tubelet_size=[1, 8, 8],
            num_spatial_layers=1,
            num_temporal_layers=1,
        ),
    ),
    'videoprism_clip': (
        'VideoPrismClipModel',
        lambda: transformers.VideoPrismConfig(
            vision_config=dict(
                hidden_size=24,
                num_attention_heads=2,
                intermediate_size=40,
                image_size=32,
                num_frames=4,
                tubelet_size=[1, 8, 8],
                num_spatial_layers=1,
                num_temporal_layers=1,
                num_auxiliary_layers=1,
            ),
            text_config=TEXT,
        ),
    ),
    'x_clip': (
        'XCLIPModel',
        lambda: _towers(
            'XCLIP',
            dict(num_frames=4, mit_hidden_size=20, mit_intermediate_size=20, mit_num_attention_heads=2),
            projection_dim=20,
            prompt_num_attention_heads=2,
        ),
    ),
    'clip': ('CLIPModel', lambda: _towers('CLIP', {}, projection_dim=20)),
    'clip_vision': ('CLIPVisionModel', lambda: transformers.CLIPVisionConfig(**SIZES, image_size=32, patch_size=8)),
    'siglip': (
        'SiglipModel',
        lambda: transformers.SiglipConfig(
            vision_config=dict(SIZES, image_size=32, patch_size=8), text_config=dict(TEXT, projection_size=24)
        ),
    ),
    'siglip2': (
        'Siglip2Model',
        lambda: transformers.Siglip2Config(
            vision_config=dict(SIZES, patch_size=8, num_patches=16), text_config=dict(TEXT, projection_size=24)
        ),
    ),
    'dinov2': ('Dinov2ForImageClassification', lambda: transformers.Dinov2Config(**_dino(), mlp_ratio=2)),
    'dinov2_with_registers': (
        'Dinov2WithRegistersModel',
        lambda: transformers.Dinov2WithRegistersConfig(**_dino(), mlp_ratio=2),
    ),
    'dinov3_vit': (
        'DINOv3ViTModel',
        lambda: transformers.DINOv3ViTConfig(**SIZES, image_size=32, patch_size=8, num_register_tokens=2),
    ),
    'aimv2': ('Aimv2VisionModel', lambda: transformers.Aimv2VisionConfig(**SIZES, image_size=32, patch_size=8)),
    'aimv2_native': (
        'Aimv2VisionModel',
        lambda: transformers.Aimv2VisionConfig(**SIZES, image_size=32, patch_size=8, is_native=True, use_head=False),
    ),
    'aimv2_text': ('Aimv2Model', lambda: _towers('Aimv2', {}, projection_dim=20)),
}


def _dino():
    return {key: size for key, size in SIZES.items() if key != 'intermediate_size'} | dict(image_size=32, patch_size=8)


def save(name, folder, shard=None):
    """Save a small random model, and how its input is made; gives the model."""
    class_name, config = MODELS[name]
    torch.manual_seed(0)
    model = getattr(transformers, class_name)(config()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.2)  # what is 0 or 1 at the start would hide errors
    model.save_pretrained(folder, **(dict(max_shard_size=shard) if shard else {}))
    preprocessing = dict(max_num_patches=16, patch_size=8, resample=2) if name == 'siglip2' else CENTRE
    if name == 'vivit':
        preprocessing = dict(CENTRE, rescale_factor=1 / 127.5, offset=True)
    (folder / 'preprocessor_config.json').write_text(json.dumps(dict(NUMBERS, **preprocessing)))
    return model
