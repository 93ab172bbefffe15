"""Looking at embeddings and at what was measured (paper section 2.7).

points.py loads vectors, projections.py brings them into the plane, scatter.py and scatter_page.py draw them,
embedding_pictures.py does all that.
direction_pairs.py, direction.py and direction_run.py ask whether forward is told from backward.

report.py makes the report of any number of runs: run_records.py finds results.json, report_tables.py fills the paper's
tables (paper_tables.json has its own numbers), report_figures.py, report_overview.py and report_embeddings.py draw,
report_page.py writes. evaluation.py runs the tasks of evaluation_tasks.py, whose configs are parsed for an encoder
(evaluated_encoder.py).
"""

from .direction import DirectionScore, tell_direction
from .direction_pairs import DirectionPairs, load_pairs
from .direction_run import DirectionStudy, draw_direction, study_direction, write_results, write_tables
from .embedding_pictures import EmbeddingPictures, draw_embeddings
from .paper_tables import read_paper_tables
from .points import Points, choose_points, common_videos, load_points
from .projections import METHODS, Projection, project
from .report import write_report
from .scatter import Panel, panel, scatter_png
from .scatter_page import scatter_fragment, scatter_html, video_thumbnails

__all__ = [
    'METHODS',
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
    'load_pairs',
    'load_points',
    'panel',
    'project',
    'read_paper_tables',
    'scatter_fragment',
    'scatter_html',
    'scatter_png',
    'study_direction',
    'tell_direction',
    'video_thumbnails',
    'write_report',
    'write_results',
    'write_tables',
]
