"""Text towers of transformers' models: sentences to vectors comparable with those of clips."""

import torch
import transformers
from torch import nn

from twlv_mm.records.checks import shown

from . import hf_image, hf_video
from .checkpoint import read_checkpoint
from .hf_config import make_config, read_settings
from .hf_encoder import silent
from .hf_files import model_folder, weight_files, weights_sha256
from .hf_models import encoder_class, tower_config
from .weight_loading import differing, unusable

# model_type -> the class with both towers, our encoder whose pooling is in the same space, the padding of sentences:
# SigLIP was trained on sentences of one length.
TOWERS = {
    'clip': ('CLIPModel', hf_image.CLIPImages, 'longest'),
    'siglip': ('SiglipModel', hf_image.SigLIP, 'max_length'),
    'siglip2': ('Siglip2Model', hf_image.SigLIP2, 'max_length'),
    'xclip': ('XCLIPModel', hf_video.XCLIP, 'longest'),
}
TEXT_PARTS = ('text_model.', 'text_projection.', 'logit_')
MOST_TOKENS = 64  # of a padded sentence: where SigLIP 2's own processor truncates


class TextEncoder(nn.Module):
    """Sentences to vectors that are comparable with the pooled vectors of clips of the same ``hf:`` encoder.

    CLIP's and SigLIP's vectors are transformers' own ``get_text_features``. So are X-CLIP's, although transformers'
    classification also adapts them to each video.

    Args:
        name (str): A folder or repository of a model with a text tower: CLIP, SigLIP, SigLIP 2, X-CLIP.

    Attributes:
        weights_sha256 (str): Hash of the weights of both towers.
        dims (int): D.
        logit_scale (float): Factor of a cosine before a softmax over sentences.

    Raises:
        ValueError: if the model is unknown, or it has no text tower, tokenizer or weights.
    """

    def __init__(self, name):
        super().__init__()
        folder = model_folder(name, weights=True, tokenizer=True)
        settings = read_settings(folder)
        model_type = settings.get('model_type')
        if model_type not in TOWERS or encoder_class(settings) is not TOWERS[model_type][1]:
            raise ValueError(
                f'hf:{name} is of type {shown(model_type)}, whose vectors are not comparable with texts; there are '
                f'{", ".join(TOWERS)}, with both towers'
            )
        class_name, _, self._padding = TOWERS[model_type]
        where = f'{folder / "config.json"}'
        parts = {f'{part}_config': tower_config(model_type, part, settings, where) for part in ('vision', 'text')}
        config = make_config(model_type, settings, where, **parts)
        self.model = _load(getattr(transformers, class_name), config, folder)
        self.tokenizer = _tokenizer(folder)
        known, most = len(self.tokenizer), config.text_config.vocab_size
        if known > most:
            raise ValueError(
                f'{folder}: its tokenizer has {known} tokens, its model {most}: they belong to different models'
            )
        self._lower = model_type == 'siglip2'  # as in its training; its tokenizer only does so in new transformers
        self.weights_sha256 = weights_sha256(folder)
        self.logit_scale = float(self.model.logit_scale.exp())
        length = config.text_config.max_position_embeddings
        self._length = min(length, MOST_TOKENS) if self._padding == 'max_length' else length

    @property
    def dims(self):
        """Length of a vector."""
        config = self.model.config
        return getattr(config, 'projection_dim', None) or config.text_config.projection_size

    def forward(self, texts):
        """Encode sentences.

        Args:
            texts (list[str]): N sentences; one that is too long for the tower is truncated, as in transformers.

        Returns:
            Tensor: (N, D) float32, not normalised.
        """
        if self._lower:
            texts = [text.lower() for text in texts]
        tokens = self.tokenizer(
            texts, padding=self._padding, truncation=True, max_length=self._length, return_tensors='pt'
        )
        # SigLIP's tokenizers give no mask: its towers were trained to attend to the padding too.
        tokens = {name: tokens[name] for name in ('input_ids', 'attention_mask') if name in tokens}
        with torch.inference_mode():
            found = self.model.get_text_features(**tokens)
        return getattr(found, 'pooler_output', found).float()


def _load(kind, config, folder):
    if not weight_files(folder):
        raise ValueError(f'{folder} has no weights: download the whole folder of the model')
    state = {key: value for key, value in read_checkpoint(folder).items() if isinstance(value, torch.Tensor)}
    with silent():
        model, info = kind.from_pretrained(
            None, config=config, state_dict=state, dtype=torch.float32, ignore_mismatched_sizes=True,
            output_loading_info=True,
        )  # fmt: skip
    ours = {key: value for key, value in model.state_dict().items() if key.startswith(TEXT_PARTS)}
    mismatched = [(key, there, here) for key, there, here in info['mismatched_keys'] if key in ours]
    reasons = differing(info['missing_keys'] & ours.keys(), (), mismatched) or unusable(ours)
    if reasons:
        raise ValueError('\n  '.join([f'{folder} does not hold the text tower of its config.json:', *reasons]))
    model.vision_model = None
    return model.eval().requires_grad_(False)


def _tokenizer(folder):
    # Without any of these, transformers makes a tokenizer with an empty vocabulary.
    if not any((folder / name).is_file() for name in ('tokenizer.json', 'vocab.json', 'spiece.model')):
        raise ValueError(f'{folder} has no tokenizer: get tokenizer.json and tokenizer_config.json of the model too')
    try:
        return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # of many types, depending on the missing or invalid file
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f'the tokenizer in {folder} cannot be read: {reason}') from None
