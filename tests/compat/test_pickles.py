import io
import os
import pickle
from collections import OrderedDict, defaultdict

import mmengine
import numpy as np
import pytest
import torch
from mmengine.evaluator import DumpResults, Evaluator
from mmengine.structures import BaseDataElement, InstanceData

from twlv_mm.compat.pickles import load_pickle

from ..payload import Call


def unsafe_storage(payload):
    buffer = io.BytesIO()
    torch.save(payload, buffer)
    return Call(torch.storage._load_from_bytes, buffer.getvalue())


def payloads(marker):
    touch = f'open({str(marker)!r}, "w").close()'
    return {
        'os.system': Call(os.system, f'touch {marker}'),
        'eval': Call(eval, touch),
        'getattr': Call(getattr, np.ndarray, 'tofile'),
        'a class of ours': Call(BaseDataElement),
        'inside a tensor storage': unsafe_storage(Call(os.system, f'touch {marker}')),
        'inside an array': np.array([Call(os.system, f'touch {marker}')], dtype=object),
        'another codec': pickle.dumps(0)[:0] + b'c_codecs\nencode\n(Vdata\nVrot13\ntR.',
    }


@pytest.mark.parametrize('name', payloads(''))
@pytest.mark.parametrize('protocol', [0, 2, 4])
def test_payload_does_not_run(tmp_path, name, protocol):
    marker, path = tmp_path / 'it_ran', tmp_path / 'scores.pkl'
    payload = payloads(marker)[name]
    path.write_bytes(payload if isinstance(payload, bytes) else pickle.dumps({'video': payload}, protocol))
    with pytest.raises(pickle.UnpicklingError):
        mmengine.load(path)
    assert not marker.exists()


def test_refusal_names_file_and_class_and_a_way_out(tmp_path):
    path = tmp_path / 'scores.pkl'
    path.write_bytes(pickle.dumps(Call(os.system, 'true')))
    with path.open('rb') as file, pytest.raises(pickle.UnpicklingError) as error:
        load_pickle(file)
    assert str(error.value).startswith(f'{path}: it holds posix.system')
    assert 'json or npz' in str(error.value)


def test_dumped_results_of_a_test_run_are_read(tmp_path):
    sample = BaseDataElement(
        pred_score=torch.tensor([0.1, 0.9]),
        half=torch.ones(2, dtype=torch.bfloat16),
        pred_instances=InstanceData(bboxes=torch.rand(3, 4), labels=torch.arange(3)),
    )
    sample.set_metainfo({'video_id': 'a', 'img_shape': (224, 224), 'fps': np.float64(29.97)})
    evaluator = Evaluator(DumpResults(str(tmp_path / 'results.pkl')))
    evaluator.process([sample])
    evaluator.evaluate(1)

    (loaded,) = mmengine.load(tmp_path / 'results.pkl')
    assert torch.equal(loaded['pred_score'], sample.pred_score)
    assert torch.equal(loaded['half'], sample.half)
    assert torch.equal(loaded['pred_instances']['bboxes'], sample.pred_instances.bboxes)
    assert torch.equal(loaded['pred_instances']['labels'], sample.pred_instances.labels)
    assert loaded['fps'] == 29.97


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_proposals_and_plain_values_are_read(tmp_path, protocol):
    data = {
        '1j20qq1JyX4,0902': np.random.default_rng(0).random((3, 5)),
        'ids': np.arange(3),
        'columns': np.asfortranarray(np.random.default_rng(0).random((3, 5), 'float32')),
        'big endian': np.arange(3, dtype='>i2'),
        'number': np.float64(2.5),
        'values': [1, 2.5, 'text', b'bytes', None, True, (1, 2), {3}, frozenset({4}), 1j, bytearray(b'x'), range(3)],
        'ordered': OrderedDict(a=1),
        'default': defaultdict(list, b=[2]),
    }
    path = tmp_path / 'proposals.pkl'
    path.write_bytes(pickle.dumps(data, protocol))
    loaded = mmengine.load(path)
    for key in ('1j20qq1JyX4,0902', 'ids', 'columns', 'big endian', 'number'):
        np.testing.assert_array_equal(loaded[key], data[key])
    for key in ('values', 'ordered', 'default'):
        assert loaded[key] == data[key]
        assert type(loaded[key]) is type(data[key])


# What Python 2 with numpy 1 writes for {'v': np.array([1.0, 2.0]), 's': set([1])} at protocol 2.
PYTHON_2 = (
    b'\x80\x02}q\x00(U\x01vcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02\x85'
    b'cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89'
    b'U\x10\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x00@tbU\x01sc__builtin__\nset\n]K\x01a\x85Ru.'
)


def test_proposals_of_python_2_are_read(tmp_path):
    path = tmp_path / 'proposals.pkl'
    path.write_bytes(PYTHON_2)
    loaded = mmengine.load(path, encoding='latin1')
    assert loaded['v'].tolist() == [1.0, 2.0]
    assert loaded['s'] == {1}


def test_broken_file_is_named(tmp_path):
    path = tmp_path / 'broken.pkl'
    path.write_bytes(b'not a pickle')
    with path.open('rb') as file, pytest.raises(pickle.UnpicklingError, match=r'broken\.pkl'):
        load_pickle(file)


def test_results_of_several_processes_are_still_collected(tmp_path, monkeypatch):
    """mmengine pickles its own temporary files there, whose content is its own."""
    from mmengine.dist import dist

    monkeypatch.setattr(dist, 'get_dist_info', lambda: (0, 2))
    monkeypatch.setattr(dist, 'barrier', lambda: (tmp_path / 'part_1.pkl').write_bytes(pickle.dumps([InstanceData()])))
    collected = dist.collect_results_cpu([BaseDataElement(a=1)], 2, tmpdir=str(tmp_path))
    assert [type(item) for item in collected] == [BaseDataElement, InstanceData]
