"""Sentences as queries, where the encoder of a collection was trained with text."""

import torch

from twlv_mm.embeddings import named_source
from twlv_mm.encoders import describe, text_encoder

from .query import Query


def text_query(text, collection):
    """Encode a sentence with the text side of the encoder that a collection was made with.

    Args:
        text (str): The sentence.
        collection (Collection): What will be searched; its vectors are those of the encoder's own pooling.

    Returns:
        Query: ready; its vector is in the space of the collection's.
    """
    if not text.strip():
        raise ValueError('the text to search for is empty')
    settings = collection.settings
    encoder = text_encoder(named_source(settings, collection.path))
    _check_text_space(encoder, settings, collection.dims, collection.path)
    with torch.inference_mode():
        vector = encoder([text])[0].numpy()
    return Query(text, dict(forward=vector), None, None, 1, None, frozenset())


def _check_text_space(encoder, settings, dims, where):
    """Refuse vectors that were pooled in another way than the source's own, or made with other weights."""
    spec = describe(settings['source'])
    if settings.get('pooling') != spec.pooling or dims != encoder.dims:
        raise ValueError(
            f'{where} has vectors of {dims} numbers by pooling {settings.get("pooling")!r}; comparable with texts are '
            f'those of {spec.name} by its own pooling, {spec.pooling!r}, of {encoder.dims}: extract without --pooling'
        )
    if settings.get('weights_sha256') != encoder.weights_sha256:
        raise ValueError(
            f'{where} was made with other weights (SHA-256 {str(settings.get("weights_sha256"))[:12]}…) than '
            f'{settings["source"]} has now ({encoder.weights_sha256[:12]}…)'
        )
