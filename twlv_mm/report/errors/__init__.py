"""The error analysis page of a test run.

loading.py finds the run and reads its predictions by recognition.py, localization.py, segmentation.py and detection.py
into the form of cases.py (matching.py matches predictions with annotations); ranking.py chooses what to show; page.py
writes the page.
"""

from .page import write_errors

__all__ = ['write_errors']
