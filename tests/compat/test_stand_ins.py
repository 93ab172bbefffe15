"""Pickles that would have numpy build arrays over bytes of the file's choice, through every reader."""

import pickle
from collections import OrderedDict, defaultdict

import mmengine
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.runner import load_checkpoint
from torch import nn

from twlv_mm.detection.proposals import read_proposals
from twlv_mm.encoders.checkpoint import read_checkpoint
from twlv_mm.localization.external_scores import ExternalScores

from ..payload import Call

RECONSTRUCT, EMPTY = np.zeros(1).__reduce__()[:2]
SCALAR = np.float64(1).__reduce__()[0]
F8 = np.dtype('f8')


def array(*state):
    return Call(RECONSTRUCT, *EMPTY, state=state)


def dtype(code, *state):
    return Call(np.dtype, code, False, True, state=state)


ATTACKS = {
    'array over bytes': Call(np.ndarray, (1,), Call(np.dtype, 'O'), b'A' * 8),
    'array over bytes in a dict': Call(OrderedDict, [('a', Call(np.ndarray, (1,), Call(np.dtype, 'O'), b'A' * 8))]),
    'array of numbers over bytes': Call(np.ndarray, (1,), F8, b'A' * 8),
    'array with strides': Call(np.ndarray, (1 << 20,), F8, b'A' * 8, 0, (0,)),
    'huge array': Call(np.ndarray, (1 << 40,)),
    'kind of objects': Call(np.dtype, 'O'),
    'kind of records': Call(np.dtype, [('a', 'O')]),
    'kind by a dict': Call(np.dtype, {'names': ['a'], 'formats': ['O'], 'offsets': [99]}),
    'kind of text': np.array(['a', 'b']),
    'kind of dates': np.array(['2020-01-01'], dtype='datetime64[D]'),
    'kind of complex numbers': np.zeros(1, complex),
    'array of objects': np.array([[1], {}], dtype=object),
    'kind with fields': dtype('f8', 3, '<', None, ('a',), {'a': (F8, 1 << 30)}, -1, -1, 0),
    'kind with a size': dtype('f8', 3, '<', None, None, None, 1 << 30, -1, 0),
    'kind with flags': dtype('f8', 3, '<', None, None, None, -1, -1, 63),
    'kind with a subarray': dtype('f8', 3, '<', (F8, (9,)), None, None, -1, -1, 0),
    'kind of another version': dtype('f8', 4, '<', None, None, None, -1, -1, 0, {}),
    'kind with another byte order': dtype('f8', 3, 'O', None, None, None, -1, -1, 0),
    'kind of a void size': Call(np.dtype, 'V99999999'),
    'kind built without state': array(1, (1,), Call(np.dtype, 'f8', False, True), False, b'A' * 8),
    'too few bytes': array(1, (9,), F8, False, b'A' * 8),
    'too many bytes': array(1, (1,), F8, False, b'A' * 16),
    'negative size': array(1, (-1,), F8, False, b''),
    'sizes that wrap around': array(1, (1 << 32, 1 << 32), F8, False, b''),
    'size that is no integer': array(1, (1.0,), F8, False, b'A' * 8),
    'too many dimensions': array(1, (1,) * 65, F8, False, b'A' * 8),
    'list for bytes': array(1, (1,), F8, False, [Call(np.dtype, 'f8')]),
    'array of another class': Call(RECONSTRUCT, OneCycleParamScheduler, (0,), b'b'),
    'array of a size': Call(RECONSTRUCT, np.ndarray, (1 << 40,), b'b'),
    'array of a kind': Call(RECONSTRUCT, np.ndarray, (0,), b'O'),
    'array without content': Call(RECONSTRUCT, *EMPTY),
    'array as a key': {Call(RECONSTRUCT, *EMPTY): 1},
    'number of objects': Call(SCALAR, Call(np.dtype, 'O'), b'A' * 8),
    'number of too few bytes': Call(SCALAR, F8, b'A'),
    'number of another object': Call(SCALAR, F8, [1]),
    'class of arrays': np.ndarray,
    'class of kinds': np.dtype,
    'function of numpy': RECONSTRUCT,
    'method of an array': Call(getattr, np.ndarray, 'tofile'),
    'values by numpy': defaultdict(np.ndarray),
    'scheduler with a state': Call(OneCycleParamScheduler, state={'anneal_func': 1}),
    'buffer with statistics': Call(HistoryBuffer, state={'statistics_methods': {'mean': set}}),
    'buffer with other numbers': Call(
        HistoryBuffer, state={'max_length': 9, '_log_history': [1], '_count_history': [1], 'mean': 1}
    ),
    'attributes of a dict': Call(OrderedDict, state={'items': set}),
    'buffer with arguments': Call(HistoryBuffer, [1], [1]),
}


@pytest.mark.parametrize('name', ATTACKS)
def test_attack_on_numpy_is_refused_in_words(tmp_path, name):
    assert len(ATTACKS) >= 40
    checkpoint, scores = tmp_path / 'bad.pth', tmp_path / 'bad.pkl'
    torch.save({'state_dict': {}, 'meta': ATTACKS[name]}, checkpoint)
    with pytest.raises(pickle.UnpicklingError, match=r'bad\.pth (is not loaded|cannot be read)'):
        load_checkpoint(nn.Identity(), str(checkpoint))
    with pytest.raises(ValueError, match=r'bad\.pth cannot be read as a checkpoint'):
        read_checkpoint(checkpoint)

    for protocol in (2, 5):
        scores.write_bytes(pickle.dumps({'a,0902': ATTACKS[name]}, protocol))
        with pytest.raises(pickle.UnpicklingError, match=r'^\S+bad\.pkl: '):
            mmengine.load(scores)
        with pytest.raises(pickle.UnpicklingError, match=r'bad\.pkl'):
            read_proposals(scores)
        with pytest.raises(pickle.UnpicklingError, match=r'bad\.pkl'):
            ExternalScores(scores)


def test_buffers_keep_their_statistics(tmp_path):
    buffer = HistoryBuffer([1.0, 3.0], [1, 1])
    statistics = dict(HistoryBuffer._statistics_methods)
    torch.save({'state_dict': {}, 'one': [buffer], 'again': (buffer,), 'shared': buffer}, tmp_path / 'own.pth')
    loaded = load_checkpoint(nn.Identity(), str(tmp_path / 'own.pth'))
    assert type(loaded['shared']) is HistoryBuffer
    assert loaded['one'][0] is loaded['again'][0] is loaded['shared']
    loaded['shared'].update(5.0)
    assert loaded['shared'].mean() == 3.0
    assert HistoryBuffer._statistics_methods == statistics
