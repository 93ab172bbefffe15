"""Embeddings: from video files to vectors, and the files that hold them.

extractor.py embeds one video, collection.py many: video_sources.py finds them, batches.py batches their clips, store.py
and parquet_store.py write the files, claims.py shares the videos between processes, manifest.py records the settings
and failures. folder.py reads the files, features.py those of other tools, matrix.py a whole split as one matrix;
neighbours.py finds the nearest vectors. time_grid.py gives the times of clips, extraction_settings.py the settings
behind vectors. splits.py extracts for a config, verify.py checks the files, mteb.py is for mteb.
"""

from .batches import EmbeddedVideo, SharedBatches
from .claims import extraction_note
from .collection import extract_collection
from .extraction_settings import (
    bundled_weights,
    check_comparable,
    check_inputs,
    encoder_of,
    folder_settings,
    named_source,
    repeats_frames,
    sampling_options,
    shared_settings,
)
from .extractor import Embedding, Extractor, embed, frozen_encoder
from .features import FeatureLayout
from .folder import EmbeddingFolder, name_fault
from .manifest import MixError, read_failures, requested_videos
from .matrix import load_matrix
from .mteb import mteb_model
from .neighbours import nearest
from .splits import extract_splits
from .store import write_embeddings
from .time_grid import clip_grid, clip_settings, feature_choices, grid_clips, grid_end, video_grid
from .verify import verify
from .video_aliases import aliases_of, ids_by_alias, second_views
from .video_sources import Video, VideoFiles, find_videos

__all__ = [
    'EmbeddedVideo',
    'Embedding',
    'EmbeddingFolder',
    'Extractor',
    'FeatureLayout',
    'MixError',
    'SharedBatches',
    'Video',
    'VideoFiles',
    'aliases_of',
    'bundled_weights',
    'check_comparable',
    'check_inputs',
    'clip_grid',
    'clip_settings',
    'embed',
    'encoder_of',
    'extract_collection',
    'extract_splits',
    'extraction_note',
    'feature_choices',
    'find_videos',
    'folder_settings',
    'frozen_encoder',
    'grid_clips',
    'grid_end',
    'ids_by_alias',
    'load_matrix',
    'mteb_model',
    'name_fault',
    'named_source',
    'nearest',
    'read_failures',
    'repeats_frames',
    'requested_videos',
    'sampling_options',
    'second_views',
    'shared_settings',
    'verify',
    'video_grid',
    'write_embeddings',
]
