"""Looking at embeddings (paper section 2.7).

points.py loads vectors, clusters.py groups them, projections.py brings them into the plane, scatter.py and
scatter_page.py draw them, embedding_pictures.py does all that.
direction_pairs.py, direction.py and direction_run.py ask whether forward is told from backward.
"""

from .clusters import Clusters, find_clusters
from .direction import DirectionScore, tell_direction
from .direction_pairs import DirectionPairs, load_pairs
from .direction_run import DirectionStudy, draw_direction, study_direction, write_results, write_tables
from .embedding_pictures import EmbeddingPictures, draw_embeddings
from .points import Points, choose_points, common_videos, load_points
from .projections import METHODS, Projection, fitting_perplexity, project
from .scatter import Panel, panel, scatter_png
from .scatter_page import scatter_fragment, scatter_html, video_thumbnails

__all__ = [
    'METHODS',
    'Clusters',
    'DirectionPairs',
    'DirectionScore',
    'DirectionStudy',
    'EmbeddingPictures',
    'Panel',
    'Points',
    'Projection',
    'choose_points',
    'common_videos',
    'draw_direction',
    'draw_embeddings',
    'find_clusters',
    'fitting_perplexity',
    'load_pairs',
    'load_points',
    'panel',
    'project',
    'scatter_fragment',
    'scatter_html',
    'scatter_png',
    'study_direction',
    'tell_direction',
    'video_thumbnails',
    'write_results',
    'write_tables',
]
