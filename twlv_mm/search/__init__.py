"""Search: where else something happens in a collection, and which videos are there twice.

collection.py is an embedded split as search sees it, query.py and text.py make vectors of what is asked for, moments.py
finds the nearest moments and duplicates.py pairs of videos that show the same. index.py keeps a collection in LanceDB,
as lance_table.py lays it out, and indexed.py searches that. excerpts.py and page.py show what was found, records.py
writes it. precision.py measures how often the nearest videos are of the same class.
"""

from .collection import Collection
from .duplicates import THRESHOLD, Pair, find_duplicates
from .index import Update, update_index
from .indexed import IndexedCollection
from .moments import Answer, Hit, find_moments
from .page import answer_page, duplicates_page
from .precision import precision_at
from .query import Query, query_extractor
from .records import answer_record, duplicates_record

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
