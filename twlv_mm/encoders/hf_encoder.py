"""The base of encoders made of transformers' models: numbers from json, strict loading, checked sizes."""

import re
from contextlib import contextmanager
from pathlib import Path

import torch
import transformers
from mmengine.logging import print_log
from transformers.utils import logging

from twlv_mm.records import parsing
from twlv_mm.records.checks import shown

from .checkpoint import read_checkpoint, state_dict_in
from .checkpoint_layouts import abbreviate
from .encoder import Encoder
from .hf_config import read_preprocessing, read_settings
from .hf_files import CONFIGS, weights_sha256
from .weight_loading import differing, load_plain_weights, unusable

# Heads of other tasks, and buffers in old files.
IGNORED_KEYS = r'classifier\.|(.*\.)?position_ids$'
# Settings that change the vectors, but not the shapes of weights.
UNSEEN = (
    *('num_attention_heads', 'hidden_act', 'layer_norm_eps', 'rms_norm_eps', 'rope_theta', 'attention_type'),
    *('attn_logit_softcapping', 'use_mean_pooling'),
)


class HuggingFaceEncoder(Encoder):
    """Base of the encoders made of transformers' models; a subclass is one model type.

    Args:
        config (transformers.PreTrainedConfig): The model's configuration.
        spec (EncoderSpec): Its description.
        own_weights (Path, optional): Its folder, if that has weights.
        with_cp (bool): Recompute each block in the backward pass instead of keeping its activations.
    """

    model_class = ''  # name in transformers
    both_towers = False  # whether that class takes the configuration of both towers
    unused_modules = ()  # modules that encoding does not need
    ignored_keys = r'$^'  # keys in its files that do not belong to it
    preprocessing = {}  # transformers' defaults, as for read_preprocessing
    # Accepted sizes: 'any'; 'built': those it is built for; 'native': only its own.
    img_sizes = frame_counts = 'any'

    def __init__(self, config, spec, own_weights=None, with_cp=False):
        super().__init__(spec)
        self.config, self.own_weights, self.with_cp = config, own_weights, with_cp
        numbers = self.spec_fields(config)
        self.patch_size, self.tubelet_size = numbers['patch_size'], numbers['tubelet_size']
        # No memory and no random initialisation if weights follow.
        with torch.device('meta' if own_weights else 'cpu'):
            self.model = self._trim(self._class(config))

    @staticmethod
    def spec_fields(config):
        """The numbers of the encoder in its configuration.

        Args:
            config (transformers.PreTrainedConfig): The model's configuration.

        Returns:
            dict: fields of :class:`twlv_mm.EncoderSpec` for clips of the model's own size, except grid; and patch_size,
            tubelet_size.
        """
        raise NotImplementedError

    @property
    def _class(self):
        return getattr(transformers, self.model_class)

    def _trim(self, model):
        for name in self.unused_modules:
            setattr(model, name, None)
        if self.with_cp and hasattr(model, 'activation_checkpointing_enable'):
            model.activation_checkpointing_enable()
        elif self.with_cp:  # its name before transformers 5.24
            model.gradient_checkpointing_enable()
        return model

    def load(self, path):
        """Load weights in Hugging Face's layout (folder, shards or file), or of this encoder as ``backbone``."""
        self._check_folder(Path(path))
        device = next(self.model.parameters()).device
        device = torch.device('cpu') if device.type == 'meta' else device
        state, _ = state_dict_in(read_checkpoint(path), path)
        own = next(iter(self.state_dict()))
        if any(f'.{key}'.endswith(f'.{own}') for key in state):
            self.model = self._trim(self._class(self.config)).to(device)
            return load_plain_weights(self, path)
        state = {key.removeprefix('module.'): value for key, value in state.items()}
        with silent():
            # from_pretrained renames the keys of older files.
            model, info = self._class.from_pretrained(
                None,
                config=self.config,
                state_dict=state,
                dtype=torch.float32,
                attn_implementation='sdpa' if self._class._supports_sdpa else 'eager',
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
        self.model = self._trim(model).to(device)
        wanted, ignorable = self.model.state_dict(), re.compile(f'{IGNORED_KEYS}|{self.ignored_keys}')
        left_out = {key: found[0] for key in info['unexpected_keys'] if (found := ignorable.match(key))}
        reasons = differing(
            info['missing_keys'] & wanted.keys(),
            info['unexpected_keys'] - left_out.keys(),
            [(key, there, here) for key, there, here in info['mismatched_keys'] if key in wanted],
        ) or unusable(wanted)
        if reasons:
            raise ValueError('\n  '.join([f'{path} does not hold the weights of {self.spec.name}:', *reasons]))
        print_log(
            f'{path}: {len(wanted)} tensors are loaded into {self.spec.name}'
            + (f'; ignored, as not belonging to it: {abbreviate(sorted(set(left_out.values())))}' if left_out else ''),
            'current',
        )
        self._has_weights = True
        return weights_sha256(path)

    def _check_folder(self, folder):
        """Compare a folder of weights other than the encoder's own in what the shapes of weights do not show."""
        if not (folder / 'config.json').is_file() or folder == self.own_weights:
            return
        settings, ours = read_settings(folder), getattr(self.config, 'vision_config', self.config)
        defaults = type(ours)()
        with parsing(folder / 'config.json'):
            tower = settings.get('vision_config', settings)
            there = {key: tower.get(key, getattr(defaults, key)) for key in UNSEEN if hasattr(ours, key)}
        here = {key: getattr(ours, key) for key in there}
        if any((folder / name).is_file() for name in CONFIGS[1:]):
            there |= read_preprocessing(folder, self.preprocessing)
            here |= {key: getattr(self.spec, key) for key in ('mean', 'std', 'interpolation')}
        for key, value in here.items():
            if there[key] != value:
                raise ValueError(
                    f'{folder}: {key} is {shown(there[key])}, but {self.spec.source} has {value!r}: use hf:{folder} as '
                    'the encoder'
                )

    def grid(self, video):
        """The grid T', H', W' of patches of clips (N, 3, T, H, W); ValueError if the model does not take their size."""
        self._check_shape(video)
        spec = self.spec
        time, height, width = video.shape[2:]
        tubelet, patch = self.tubelet_size, self.patch_size
        if (height, width) != (spec.img_size, spec.img_size) and (
            self.img_sizes != 'any' or height % patch or width % patch or 0 in (height, width)
        ):
            cure = {
                'any': f'multiples of {patch} are needed',
                'built': f'build it for that size, a square, with img_size={height}',
                'native': 'its positions are for its own size only',
            }[self.img_sizes]
            raise ValueError(
                f'{spec.name} expects images of {spec.img_size} x {spec.img_size} pixels, not {height} x {width}: '
                f'{cure}'
            )
        if time != spec.num_frames and (self.frame_counts != 'any' or time % tubelet or time == 0):
            cure = {
                'any': f'a multiple of {tubelet} is needed',
                'built': f'build it with num_frames={time}',
                'native': 'its positions are for its own number only',
            }[self.frame_counts]
            raise ValueError(f'{spec.name} expects clips of {spec.num_frames} frames, not {time}: {cure}')
        return time // tubelet, height // patch, width // patch

    @classmethod
    def configure_for(cls, config, img_size, num_frames):
        """The configuration of a model for other clips; for types that are 'built' for a size."""
        return config


@contextmanager
def silent():
    """Suppress transformers' table of differing keys, which the error or the log has."""
    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
