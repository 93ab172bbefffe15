"""Check a checkpoint before it is loaded: it may not ask for more memory than its size accounts for.

torch allocates whatever a file of a few bytes asks for: ``bytearray(8_000_000_000)``, a huge tensor over a storage of
one number, an archive that unpacks to a thousand times its size. Here the same pickle instructions run on stand-ins
that have sizes and no content.
"""

import io
import mmap
import os
import zipfile
from math import prod

import torch

from .stand_ins import Refused, StandIn
from .unpickling import PLAIN, Unpickler, made_of

ARCHIVE = b'PK\3\4'
PICKLE = b'\x80'
SHOWN = 30  # bytes in a message
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # files before torch 1.6: five pickles, then the storages
# Bytes of a number in each type of storage.
STORAGES = {
    **dict(Bool=1, Byte=1, Char=1, Short=2, Half=2, BFloat16=2, Int=4, Float=4, Long=8, Double=8),
    **dict(ComplexFloat=8, ComplexDouble=16),
}
# Largest tensor, in bytes, that may repeat a smaller storage, as expand() makes.
REPEATED = 1 << 28
DTYPES = {f'torch.{name}': value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}


class Named:
    """Stand-in for a class that is passed as an argument and never called."""

    def __init__(self, itemsize=None):
        self.itemsize = itemsize


class Storage(StandIn):
    """Stand-in for a tensor's storage."""

    __slots__ = ('itemsize', 'nbytes')


class Tensor(StandIn):
    """Stand-in for a tensor."""

    __slots__ = ()


def scan(file, size, allowed):
    """Run the pickle of a ``torch.save`` file without its tensors.

    Args:
        file (BinaryIO): The open file.
        size (int): Its length in bytes.
        allowed (dict[str, object]): Names allowed beside tensors and plain values, and their stand-ins.

    Raises:
        pickle.UnpicklingError: if it asks for anything else, or for more memory than its size accounts for. A damaged
            file can raise any exception.
    """
    allowed = BASE | allowed
    if file.read(len(ARCHIVE)) == ARCHIVE:
        _scan_archive(file, size, allowed)
    elif size:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if content[:1] != PICKLE:
            raise Refused(f'it is not a file of torch.save, as it begins with {content[:SHOWN]!r}')
        _scan_legacy(content, allowed)


def scan_bytes(content):
    """As :func:`scan`, for a storage inside a pickle."""
    if content[: len(ARCHIVE)] == ARCHIVE:
        raise Refused('it holds an archive in a pickle')
    _scan_legacy(content, BASE)


def check_tensor(available, itemsize, offset, size, stride):
    """Check that a tensor lies within its storage; torch would enlarge the storage.

    Args:
        available (int): Bytes of the storage.
        itemsize (int): Bytes of a number.
        offset (int): Index of the first number.
        size (tuple[int]): Shape.
        stride (tuple[int]): Strides.
    """
    sound = isinstance(size, tuple) and isinstance(stride, tuple) and len(size) == len(stride)
    if not sound or not all(type(number) is int and number >= 0 for number in (offset, *size, *stride)):
        raise Refused('it holds a tensor that torch cannot have written')
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if 0 not in size and (last + 1) * itemsize > available:
        raise Refused(f'it holds a tensor of shape {size}, but only {available:,} bytes of numbers for it')
    if prod(size) * itemsize > max(REPEATED, available):
        raise Refused(f'it holds a tensor of shape {size} that repeats {available:,} bytes of numbers')


def _scan_archive(file, size, allowed):
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise Refused('it is a compressed archive, which torch.save does not write')
        if sum(member.file_size for member in members) > size:
            raise Refused('the parts of the archive are larger than the file')
    # torch looks in the folder of the first member, ignoring case.
    folder = members[0].filename.partition('/')[0] if members else ''
    found = {member.filename.lower(): member for member in members}
    pickled = found.get(f'{folder}/data.pkl'.lower())
    if len(found) < len(members) or pickled is None:
        raise Refused('it is an archive, but not one of torch.save')

    def available(key, wanted):
        return found[f'{folder}/data/{key}'.lower()].file_size

    _Scanner(_content(file, pickled), allowed, available).load()


def _content(file, member):
    """Read a member as torch does, without verifying its checksum, which torch need not have written."""
    file.seek(member.header_offset)
    header = file.read(30)
    file.seek(int.from_bytes(header[26:28], 'little') + int.from_bytes(header[28:30], 'little'), os.SEEK_CUR)
    return file.read(member.file_size)


def _scan_legacy(content, allowed):
    left = len(content)
    known = {}

    def available(key, wanted):
        nonlocal left
        if key not in known:
            left -= wanted
            known[key] = wanted
        if left < 0:
            raise Refused('its tensors are larger than the file')
        return known[key]

    file = io.BytesIO(content) if isinstance(content, bytes) else content
    for place in range(5):
        found = _Scanner(file, allowed, available, length=len(content)).load()
        if place == 0 and found != LEGACY_MAGIC:
            return  # torch reports this itself


class _Scanner(Unpickler):
    def __init__(self, content, allowed, available, **kwargs):
        super().__init__(content, allowed, encoding='latin1', **kwargs)
        self._available = available

    def persistent_load(self, pid):
        kind, storage, key, _, count = pid[:5] if type(pid) is tuple and len(pid) >= 5 else (None,) * 5
        if kind not in ('storage', b'storage') or type(storage) is not Named or type(count) is not int or count < 0:
            raise Refused('it refers to something other than tensors')
        found = Storage()
        found.itemsize, found.nbytes = storage.itemsize, count * storage.itemsize
        if self._available(key, found.nbytes) < found.nbytes:
            raise Refused(f'it has fewer bytes for the tensor {key!r:.60} than it declares')
        return found


def _tensor(storage, offset, size, stride, *_, itemsize=None):
    if type(storage) is not Storage:
        raise Refused('it holds a tensor that torch cannot have written')
    size, stride = (tuple(one) if type(one) in (list, torch.Size) else one for one in (size, stride))
    check_tensor(storage.nbytes, itemsize or storage.itemsize, offset, size, stride)
    return Tensor()


def _tensor_of_dtype(storage, offset, size, stride, requires_grad, hooks, dtype, *_):
    return _tensor(storage, offset, size, stride, itemsize=dtype.itemsize)


def _parameter(tensor, *_):
    if type(tensor) is not Tensor:
        raise Refused('it makes a parameter of something other than a tensor')
    return tensor


def _with_attributes(make, kind, arguments, state):
    if make not in (_tensor, _tensor_of_dtype) or kind is not TENSOR or type(arguments) is not tuple:
        raise Refused('it holds a tensor that torch cannot have written')
    return make(*arguments)


TENSOR = Named()
NAMES = {
    **DTYPES,
    **{f'torch.{name}Storage': Named(itemsize) for name, itemsize in STORAGES.items()},
    **{f'torch.cuda.{name}Storage': Named(itemsize) for name, itemsize in STORAGES.items()},
    'torch.storage.UntypedStorage': Named(1),
    'torch.Tensor': TENSOR,
    'torch.nn.parameter.Parameter': Named(),
    'torch.Size': made_of('Size', torch.Size, ((list, tuple),)),
    'torch.device': made_of('device', torch.device, (str,), (str, int)),
}
BASE = {
    **PLAIN,
    **NAMES,
    'torch._utils._rebuild_tensor': _tensor,
    'torch._utils._rebuild_tensor_v2': _tensor,
    'torch._utils._rebuild_tensor_v3': _tensor_of_dtype,
    'torch._utils._rebuild_parameter': _parameter,
    'torch._utils._rebuild_parameter_with_state': _parameter,
    'torch._tensor._rebuild_from_type_v2': _with_attributes,
}
