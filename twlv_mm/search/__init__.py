"""Search in an embedded collection: the moments nearest to a query, and duplicate videos.

collection.py holds the vectors and clip times of a split; query.py and text_query.py embed a query, moments.py finds
the nearest moments, duplicates.py pairs of duplicates. index.py builds an index in LanceDB (lance_table.py is its
table), and indexed_collection.py searches it. excerpts.py and page.py show results, json_output.py writes them.
retrieval_precision.py measures how often the nearest videos have the same class.
"""

from .collection import Collection
from .duplicates import THRESHOLD, Pair, find_duplicates
from .index import Update, update_index
from .indexed_collection import IndexedCollection
from .json_output import answer_record, duplicates_record
from .moments import Answer, Hit, find_moments
from .page import answer_page, duplicates_page
from .query import Query, query_extractor
from .retrieval_precision import precision_at

__all__ = [
    'THRESHOLD',
    'Answer',
    'Collection',
    'Hit',
    'IndexedCollection',
    'Pair',
    'Query',
    'Update',
    'answer_page',
    'answer_record',
    'duplicates_page',
    'duplicates_record',
    'find_duplicates',
    'find_moments',
    'precision_at',
    'query_extractor',
    'update_index',
]
