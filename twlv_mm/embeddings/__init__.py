"""Embeddings: from video files to vectors, and the files that hold them.

extractor.py embeds one video. collection.py embeds many: inputs.py finds them, batches.py encodes their clips together,
store.py, parquet_store.py and parquet.py write the files, claims.py shares the videos between processes, manifest.py
keeps what they were made with and what failed. folder.py reads the files, features.py those that were made elsewhere,
matrix.py a whole split as one matrix, neighbours.py finds the nearest vectors in one. dataset.py is for training,
settings.py says what they were made with, grid.py when their clips are. verify.py checks the files. splits.py extracts
what a config asks for. mteb.py makes an encoder a model of mteb.
"""

from .batches import EmbeddedVideo, SharedBatches
from .claims import going_on
from .collection import Summary, extract_collection
from .dataset import EmbeddingDataset
from .extractor import Embedding, Extractor, embed, frozen_encoder
from .features import FeatureLayout
from .folder import EmbeddingFolder
from .grid import clip_grid, clip_settings, feature_choices, grid_clips, grid_end, video_grid
from .inputs import Video, find_videos
from .manifest import MixError, listed_videos, read_failures
from .matrix import Matrix, load_matrix
from .model_inputs import check_inputs
from .mteb import mteb_model
from .naming import names_of, other_names, second_files
from .neighbours import nearest
from .settings import check_comparable, encoder_of, folder_settings, named_source, repeats_frames, shared_settings
from .splits import extract_splits
from .store import write_embeddings
from .verify import Problem, verify
from .video_files import VideoFiles

__all__ = [
    'EmbeddedVideo',
    'Embedding',
    'EmbeddingDataset',
    'EmbeddingFolder',
    'Extractor',
    'FeatureLayout',
    'Matrix',
    'MixError',
    'Problem',
    'SharedBatches',
    'Summary',
    'Video',
    'VideoFiles',
    'check_comparable',
    'check_inputs',
    'clip_grid',
    'clip_settings',
    'embed',
    'encoder_of',
    'extract_collection',
    'extract_splits',
    'feature_choices',
    'find_videos',
    'folder_settings',
    'frozen_encoder',
    'going_on',
    'grid_clips',
    'grid_end',
    'listed_videos',
    'load_matrix',
    'mteb_model',
    'named_source',
    'names_of',
    'nearest',
    'other_names',
    'read_failures',
    'repeats_frames',
    'second_files',
    'shared_settings',
    'verify',
    'video_grid',
    'write_embeddings',
]
