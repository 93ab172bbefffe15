"""Analysis of embeddings (paper section 2.7).

Plots: labelled_vectors.py loads vectors with their classes, clusters.py groups them, projections.py projects them to
two dimensions, scatter.py and scatter_page.py draw them, embedding_plots.py does all of it.
Direction of motion: direction_pairs.py loads forward and reversed videos, direction.py measures how well they are told
apart, direction_study.py does so for classes and encoders.
"""

from .clusters import find_clusters
from .direction import score_direction
from .direction_pairs import load_pairs
from .direction_study import draw_direction, study_direction, write_results, write_tables
from .embedding_plots import draw_embeddings
from .labelled_vectors import common_videos, load_vectors, select_vectors
from .projections import METHODS, fitting_perplexity, project
from .scatter import panel, scatter_png
from .scatter_page import scatter_fragment, scatter_html, video_thumbnails

__all__ = [
    'METHODS',
    'common_videos',
    'draw_direction',
    'draw_embeddings',
    'find_clusters',
    'fitting_perplexity',
    'load_pairs',
    'load_vectors',
    'panel',
    'project',
    'scatter_fragment',
    'scatter_html',
    'scatter_png',
    'score_direction',
    'select_vectors',
    'study_direction',
    'video_thumbnails',
    'write_results',
    'write_tables',
]
