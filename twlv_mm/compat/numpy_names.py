"""mmaction2 1.2.0 uses names that numpy 2 dropped, and stops with AttributeError in the middle of an evaluation.

``np.Inf`` (pose transforms, frame extraction), ``np.NAN`` (AVA's average precision of a class without ground truth),
``np.trapz`` (average recall of proposals) and ``np.in1d`` (video retrieval). ``np.float``, which mmdet and mmcv use in
rare places, stays missing: other libraries take its presence for a numpy older than 1.24.
"""

import numpy as np


def _in1d(ar1, ar2, **kwargs):
    return np.isin(ar1, ar2, **kwargs).ravel()


def apply():
    """Restore the missing names."""
    names = {'Inf': np.inf, 'NAN': np.nan, 'in1d': _in1d}
    if not hasattr(np, 'trapz'):
        names['trapz'] = np.trapezoid
    for name, value in names.items():
        if not hasattr(np, name):
            setattr(np, name, value)
