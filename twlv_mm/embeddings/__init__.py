"""Embeddings: from video files to vectors, and the files that hold them.

extractor.py embeds one video. collection.py embeds many: inputs.py finds them, batches.py encodes their clips together,
store.py and parquet.py write the files, manifest.py keeps what they were made with and what failed. folder.py reads the
files, matrix.py a whole split as one matrix, dataset.py for training, settings.py what they were made with; verify.py
checks them. splits.py extracts what a config asks for.
"""

from .batches import EmbeddedVideo, SharedBatches
from .collection import Summary, extract_collection
from .dataset import EmbeddingDataset
from .extractor import Embedding, Extractor, embed, frozen_encoder
from .folder import EmbeddingFolder
from .inputs import Video, find_videos
from .manifest import MixError, read_failures
from .matrix import Matrix, load_matrix
from .settings import check_comparable, encoder_of, shared_settings
from .splits import extract_splits
from .store import write_embeddings
from .verify import Problem, verify

__all__ = [
    'EmbeddedVideo',
    'Embedding',
    'EmbeddingDataset',
    'EmbeddingFolder',
    'Extractor',
    'Matrix',
    'MixError',
    'Problem',
    'SharedBatches',
    'Summary',
    'Video',
    'check_comparable',
    'embed',
    'encoder_of',
    'extract_collection',
    'extract_splits',
    'find_videos',
    'frozen_encoder',
    'load_matrix',
    'read_failures',
    'shared_settings',
    'verify',
    'write_embeddings',
]
