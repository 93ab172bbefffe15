"""Small pickles and checkpoints that ask for much memory, or for the end of the process, through every reader."""

import _codecs
import io
import pickle
import resource
import zipfile
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest
import torch

from tests.compat.test_stand_ins import EMPTY, F8, RECONSTRUCT, SCALAR
from tests.payload import Call
from twlv_mm.compat import stand_ins
from twlv_mm.compat.checkpoints import load_checkpoint, load_from_local
from twlv_mm.compat.pickles import load_pickle
from twlv_mm.encoders.checkpoint import read_checkpoint
from twlv_mm.localization.external_scores import ExternalScores

HUGE = 8_000_000_000
DEEP = 200_000  # levels
BYTES = b'A' * 100_000
TEXT = 'A' * 100_000
STATE = (1, (12_500,), F8, False, BYTES)


@pytest.fixture(autouse=True)
def little_memory():
    """256 MB more than the process has: whoever asks for more gets a MemoryError, which is no refusal."""
    with open('/proc/self/statm') as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def laughs(make, depth=40):
    """Each level holds the one below it ten times."""
    value = make([1.0])
    for _ in range(depth):
        value = make([value] * 10)
    return value


def itself():
    value = []
    value.append(value)
    return value


def size(code, length):
    return b'\x80\x05' + code + HUGE.to_bytes(length, 'little') + b'A.'


# As bytes, what no pickler writes.
PICKLES = {
    'place in the memo': b'\x80\x02Nr' + (HUGE // 4).to_bytes(4, 'little') + b'.',
    'place in the memo, as text': b'Np2000000000\n.',
    'length of bytes': size(pickle.BINBYTES8, 8),
    'length of a bytearray': size(pickle.BYTEARRAY8, 8),
    'length of text': size(pickle.BINUNICODE8, 8),
    'length of a frame': size(pickle.FRAME, 8),
    'tuple nested deep, as a key': b'\x80\x02})' + pickle.TUPLE1 * DEEP + b'K\1s.',
    'tuple nested deep, in a set': b'\x80\x04\x8f()' + pickle.TUPLE1 * DEEP + b'\x90.',
    'tuple nested deep, in a frozenset': b'\x80\x04()' + pickle.TUPLE1 * DEEP + b'\x91.',
    'tuple nested deep, in a dict of protocol 0': b'()' + pickle.TUPLE1 * DEEP + b'K\1d.',
    'numbers of one hash': dict.fromkeys(number * (2**61 - 1) for number in range(2000)),
    'object of an old class': b'(icollections\nOrderedDict\n.',
    'number in a registry': b'\x80\x02\x82\1.',
    'attributes for a function': b'\x80\x02cnumpy.core.multiarray\n_reconstruct\nN}X\1\0\0\0aK\1s\x86b.',
    'attributes for a class': b'\x80\x02cnumpy\nndarray\nN}X\1\0\0\0aK\1s\x86b.',
    'bytearray of a size': Call(bytearray, HUGE),
    'bytes of a size': Call(bytes, HUGE),
    'list of a range': Call(list, range(HUGE)),
    'tuple of a range': Call(tuple, range(HUGE)),
    'set of a range': Call(set, range(HUGE)),
    'size of a range': Call(torch.Size, range(HUGE)),
    'values of a range': range(HUGE),
    'lists in lists': laughs(list),
    'tuples in tuples': laughs(tuple),
    'dicts in dicts': laughs(lambda values: dict(enumerate(values))),
    'list in itself': itself(),
    'the same bytes, copied': [Call(bytearray, BYTES) for _ in range(100_000)],
    'the same text, encoded': [Call(_codecs.encode, TEXT, 'latin1') for _ in range(10_000)],
    'the same bytes in arrays': [Call(RECONSTRUCT, *EMPTY, state=STATE) for _ in range(9999)],
    'values by a function': defaultdict(Call),
    'number of too many bytes': Call(SCALAR, F8, BYTES),
}
# Of the callables that torch's weights_only knows, and what it would do with a storage of one number.
STORAGE = torch.ones(1).untyped_storage()


def tensor(*size, stride=None, offset=0):
    stride = stride or (0,) * len(size)
    return Call(torch._utils._rebuild_tensor_v2, STORED, offset, size, stride, False, OrderedDict())


STORED = torch.ones(1).storage()
CHECKPOINTS = {
    'bytearray of a size': Call(bytearray, HUGE),
    'tensor of a size': Call(torch.Tensor, HUGE // 4),
    'tensor of a kind and size': Call(torch.IntTensor, HUGE // 4),
    'storage of a size': Call(torch.UntypedStorage, HUGE),
    'set of a text': Call(set, TEXT),
    'counter of a text': Call(Counter, TEXT),
    'tensor over one number': tensor(HUGE // 4),
    'tensor larger than its storage': tensor(HUGE // 4, stride=(1,)),
    'tensor beyond its storage': tensor(1, stride=(1,), offset=HUGE),
    'tensor before its storage': tensor(2, stride=(-1,), offset=1),
    'tensor without numbers': Call(torch._utils._rebuild_meta_tensor_no_storage, torch.float32, (HUGE,), (1,), False),
    'tensor of a function': Call(torch._tensor._rebuild_from_type_v2, bytearray, torch.Tensor, (HUGE,), {}),
    'parameter of a list': Call(torch._utils._rebuild_parameter, [1], False, OrderedDict()),
    'quantized tensor': torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
    'sparse tensor': torch.eye(2).to_sparse(),
    'lists in lists': laughs(list),
    'tuple nested deep, as a key': PICKLES['tuple nested deep, as a key'],
    'list in itself': itself(),
    'the same bytes, copied': PICKLES['the same bytes, copied'],
}


def refused(read, path):
    with pytest.raises((ValueError, pickle.UnpicklingError), match=path.name) as error:
        read(path)
    assert 'MemoryError' not in str(error.value)


@pytest.mark.parametrize('name', PICKLES)
def test_pickle_that_asks_for_more_than_it_holds_is_refused(name, tmp_path):
    path = tmp_path / 'bad.pkl'
    content = PICKLES[name]
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, 4))
    assert path.stat().st_size < 2_000_000
    attributes = vars(stand_ins.reconstruct).copy()
    refused(ExternalScores, path)
    assert vars(stand_ins.reconstruct) == attributes


@pytest.mark.parametrize('name', CHECKPOINTS)
def test_checkpoint_that_asks_for_more_than_it_holds_is_refused(name, tmp_path):
    path = tmp_path / 'bad.pth'
    content = CHECKPOINTS[name]
    if isinstance(content, bytes):
        with zipfile.ZipFile(path, 'w') as archive:
            archive.writestr('bad/data.pkl', content)
            archive.writestr('bad/version', b'3\n')
    else:
        torch.save({'state_dict': {}, 'meta': content}, path)
    refused(read_checkpoint, path)
    refused(load_from_local_on_cpu, path)


def load_from_local_on_cpu(path):
    return load_from_local(str(path), 'cpu')


def test_archive_that_unpacks_to_more_is_refused(tmp_path):
    path = tmp_path / 'bad.pth'
    torch.save({'w': torch.ones(3)}, tmp_path / 'good.pth')
    with zipfile.ZipFile(tmp_path / 'good.pth') as good, zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as bad:
        for name in good.namelist():
            bad.writestr(name, good.read(name))
    refused(read_checkpoint, path)


@pytest.mark.parametrize('names', [('a/DATA.pkl',), ('a/data.pkl', 'a/Data.pkl'), ('b/version', 'a/data.pkl'), ()])
def test_archive_with_other_names_is_refused(names, tmp_path):
    path = tmp_path / 'bad.pth'
    with zipfile.ZipFile(path, 'w') as archive:
        for name in names:
            archive.writestr(name, pickle.dumps(Call(bytearray, HUGE), 2))
        archive.writestr('a/version', b'3\n')
    refused(read_checkpoint, path)


def test_old_checkpoint_with_a_tensor_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / 'bad.pth'
    torch.save({'w': torch.ones(1_000)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    count = b'M' + (1000).to_bytes(2, 'little')
    assert content.count(count)
    path.write_bytes(content.replace(count, b'J' + (2_000_000_000).to_bytes(4, 'little')))
    refused(read_checkpoint, path)


@pytest.mark.parametrize('zipped', [True, False])
def test_what_checkpoints_hold_is_loaded_as_before(zipped, tmp_path):
    base = torch.arange(12.0).reshape(3, 4)
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.no_decay = True
    marked = torch.ones(2)
    marked.kind = 'mark'
    state = OrderedDict(
        shared=base,
        view=base.t()[1:],
        strided=base[:, ::2],
        repeated=torch.ones(1, 1).expand(2, 3),
        half=base.half(),
        brain=base.bfloat16(),
        whole=torch.arange(3),
        yes=torch.tensor(True),
        empty=torch.empty(0, 5),
        nothing=torch.tensor(1.5),
        parameter=parameter,
        marked=marked,
        complex=torch.ones(1, dtype=torch.complex64),
    )
    if zipped:
        state['small'] = torch.ones(2).to(torch.float8_e4m3fn)
    state._metadata = {'': {'version': 1}}
    meta = dict(
        steps=Counter({1: 2}),
        names={'a', 'b'},
        size=base.shape,
        raw=b'bytes',
        more=bytearray(b'x'),
        kind=torch.float16,
        place=torch.device('cpu'),
        number=1 + 2j,
        keys={(1, 'a'): None, 2: 1.5, -7: '', None: True, 0.5: False},
        array=np.arange(6, dtype='>f4').reshape(2, 3),
        fortran=np.asfortranarray(np.arange(6).reshape(2, 3)),
        scalar=np.float32(0.5),
    )
    torch.save(dict(state_dict=state, meta=meta), tmp_path / 'a.pth', _use_new_zipfile_serialization=zipped)
    loaded = load_checkpoint(tmp_path / 'a.pth')
    assert all(torch.equal(loaded['state_dict'][name].float(), state[name].float()) for name in state)
    assert loaded['state_dict']._metadata == state._metadata
    assert loaded['state_dict']['shared'].data_ptr() == loaded['state_dict']['strided'].data_ptr()
    arrays = {name: meta.pop(name) for name in ('array', 'fortran')}
    for name, array in arrays.items():
        found = loaded['meta'].pop(name)
        np.testing.assert_array_equal(found, array)
        assert found.flags.owndata
        assert found.dtype.isnative
    assert loaded['meta'] == meta


def test_checkpoint_without_checksums_is_loaded(tmp_path):
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    torch.save({'w': torch.ones(2)}, tmp_path / 'a.pth')
    torch.serialization.set_crc32_options(before)
    assert load_checkpoint(tmp_path / 'a.pth')['w'].tolist() == [1, 1]


def test_others_do_not_see_the_stand_ins(tmp_path):
    torch.save({'a': np.ones(1)}, tmp_path / 'a.pth')
    load_checkpoint(tmp_path / 'a.pth')
    with pytest.raises(pickle.UnpicklingError, match='numpy'):
        torch.load(tmp_path / 'a.pth', weights_only=True)


def test_tensor_in_a_pickle_must_lie_within_its_storage():
    file = io.BytesIO(pickle.dumps([torch.ones(3), torch.ones(2, 3).t()]))
    one, other = load_pickle(file)
    assert torch.equal(one, torch.ones(3))
    assert torch.equal(other, torch.ones(3, 2))
