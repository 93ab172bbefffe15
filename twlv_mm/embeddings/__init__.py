"""Embeddings: from video files to vectors, and the files that hold them.

extractor.py embeds one video, collection.py a folder of them, store.py writes the published layout.
"""

from .collection import extract_collection, find_videos
from .extractor import Embedding, Extractor, embed
from .store import write_embeddings

__all__ = ['Embedding', 'Extractor', 'embed', 'extract_collection', 'find_videos', 'write_embeddings']
