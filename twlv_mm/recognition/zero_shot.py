"""Zero-shot classification by sentences, with an encoder trained with text."""

import torch
import torch.nn.functional as F

from twlv_mm.embeddings import Extractor
from twlv_mm.encoders import text_encoder
from twlv_mm.records import provenance, read_class_names

from .inferencer import LabelInferencer


class ZeroShotInferencer(LabelInferencer):
    """Classify videos without any training.

    ::

        inferencer = ZeroShotInferencer('hf:openai/clip-vit-base-patch32', 'classes.txt')
        inferencer('match.mp4')['predictions'][0]  # dict(label='a person serves a ball', index=1, score=0.93)

    Scores are the softmax over all sentences of the model's scale times the cosine of sentence and whole video (Uniform
    Embedding). Sentences are used as they are: models trained on captions prefer 'a person opens a door' to 'open'.

    Args:
        source (str): 'hf:FOLDER_OR_REPO' of CLIP, SigLIP, SigLIP 2 or X-CLIP.
        classes (str | Sequence[str]): The sentences, or a file with one a line.
        device (str, optional): Where to compute; a GPU if there is one.
        decoder (str, optional): As for :func:`twlv_mm.video.open_video`.
    """

    def __init__(self, source, classes, device=None, decoder=None):
        self.classes = read_class_names(classes)
        if len(self.classes) < 2:
            raise ValueError(f'{classes} has {len(self.classes)} sentences: give two or more to choose from')
        texts = text_encoder(source)
        self._extractor = Extractor(source, sampling='uniform', device=device)
        self._decoder = decoder
        vectors = texts(self.classes)
        if vectors.shape[1] != self._extractor.model.spec.embedding_dims:
            raise ValueError(
                f'{source} has text vectors of {vectors.shape[1]} numbers and video vectors of '
                f'{self._extractor.model.spec.embedding_dims}: it was not trained to compare them'
            )
        self._texts, self._scale = F.normalize(vectors, dim=1), texts.logit_scale
        settings = {name: self._extractor.settings[name] for name in ('weights_sha256', 'sampling', 'frames_per_clip')}
        self._made_with = dict(
            model=dict(type=type(self).__name__, encoder=source, **settings), versions=provenance.versions()
        )

    def scores(self, path):
        embeddings, info = self._extractor(path, self._decoder)
        cosines = self._texts @ F.normalize(torch.from_numpy(embeddings[-1].vector), dim=0)
        decoder, _, version = info['decoder'].partition(' ')
        return (
            (self._scale * cosines).softmax(dim=0),
            info['duration'],
            dict(decoder=dict(name=decoder, version=version or None)),
        )
