"""Sentences as queries, for encoders trained with text."""

import torch

from twlv_mm.embeddings import named_source
from twlv_mm.encoders import describe, text_encoder

from .query import Query


def text_query(text, collection):
    """Encode a sentence as a :class:`Query`, with the text tower of the collection's encoder."""
    if not text.strip():
        raise ValueError('the text to search for is empty')
    settings = collection.settings
    encoder = text_encoder(named_source(settings, collection.path))
    _check_text_space(encoder, settings, collection.dims, collection.path)
    with torch.inference_mode():
        vector = encoder([text])[0].numpy()
    return Query(text, dict(forward=vector), None, None, 1, None, frozenset())


def _check_text_space(encoder, settings, dims, where):
    """Refuse vectors with other pooling or weights than the source's own."""
    spec = describe(settings['source'])
    if settings.get('pooling') != spec.pooling or dims != encoder.dims:
        raise ValueError(
            f'{where} has vectors of {dims} numbers with pooling {settings.get("pooling")!r}; texts are comparable '
            f"with {spec.name}'s own pooling, {spec.pooling!r}, of {encoder.dims} numbers: extract without --pooling"
        )
    if settings.get('weights_sha256') != encoder.weights_sha256:
        raise ValueError(
            f'{where} was made with other weights (SHA-256 {str(settings.get("weights_sha256"))[:12]}…) than those of '
            f'{settings["source"]} now ({encoder.weights_sha256[:12]}…)'
        )
