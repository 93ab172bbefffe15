"""A checkpoint is read twice: first without its tensors, to see that it asks for nothing that it does not hold.

torch allocates what a file of a few bytes says: ``bytearray(8_000_000_000)``, a tensor of two thousand million numbers
over a storage of one, an archive that unpacks to a thousand times its size. Here the same instructions run on
stand-ins that have sizes and no content.
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
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # of files before torch 1.6: five pickles, and then the storages
# Bytes of a number in each kind of storage.
STORAGES = {
    **dict(Bool=1, Byte=1, Char=1, Short=2, Half=2, BFloat16=2, Int=4, Float=4, Long=8, Double=8),
    **dict(ComplexFloat=8, ComplexDouble=16),
}
# Bytes of a tensor whose numbers are fewer, and repeat: what expand() makes.
REPEATED = 1 << 28
DTYPES = {f'torch.{name}': value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}


class Named:
    """Stands for a class that is handed on and never called."""

    def __init__(self, itemsize=None):
        self.itemsize = itemsize


class Storage(StandIn):
    """Stands for the numbers of tensors."""

    __slots__ = ('itemsize', 'nbytes')


class Tensor(StandIn):
    """Stands for a tensor."""

    __slots__ = ()


def rehearse(file, size, allowed):
    """Read a file of ``torch.save`` without its tensors.

    Args:
        file (BinaryIO): The open file.
        size (int): Its length in bytes.
        allowed (dict[str, object]): What else than tensors and plain values may be in it, by name.

    Raises:
        Exception: of any kind, if the file is damaged or no checkpoint.
        pickle.UnpicklingError: if it asks for anything else, or for more memory than its size accounts for.
    """
    allowed = BASE | allowed
    if file.read(len(ARCHIVE)) == ARCHIVE:
        _rehearse_archive(file, size, allowed)
    elif size:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        _rehearse_legacy(content, allowed)


def rehearse_bytes(content):
    """As :func:`rehearse`, for a storage that stands in a pickle."""
    if content[: len(ARCHIVE)] == ARCHIVE:
        raise Refused('it holds an archive in a pickle')
    _rehearse_legacy(content, BASE)


def check_tensor(available, itemsize, offset, size, stride):
    """Check that a tensor lies within its storage; torch would make the storage larger.

    Args:
        available (int): Bytes of the storage.
        itemsize (int): Bytes of a number.
        offset (int): Of the first number.
        size (tuple[int]): Its shape.
        stride (tuple[int]): As many steps.

    Raises:
        pickle.UnpicklingError: if it does not, or repeats its numbers very often.
    """
    sound = isinstance(size, tuple) and isinstance(stride, tuple) and len(size) == len(stride)
    if not sound or not all(type(number) is int and number >= 0 for number in (offset, *size, *stride)):
        raise Refused('it describes a tensor in a way that torch does not write')
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if 0 not in size and (last + 1) * itemsize > available:
        raise Refused(f'it holds a tensor of the shape {size} and {available:,} bytes of numbers for it')
    if prod(size) * itemsize > max(REPEATED, available):
        raise Refused(f'it holds a tensor of the shape {size}, whose numbers are {available:,} bytes, repeated')


def _rehearse_archive(file, size, allowed):
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise Refused('it is a compressed archive; torch.save writes none')
        if sum(member.file_size for member in members) > size:
            raise Refused('the parts of the archive are larger than the file')
    # torch looks for names in the folder of the first, in capitals or not, and takes one of those that are the same.
    folder = members[0].filename.partition('/')[0] if members else ''
    found = {member.filename.lower(): member for member in members}
    pickled = found.get(f'{folder}/data.pkl'.lower())
    if len(found) < len(members) or pickled is None:
        raise Refused('it is an archive, but none that torch.save writes')

    def available(key, wanted):
        return found[f'{folder}/data/{key}'.lower()].file_size

    _Rehearsal(_content(file, pickled), allowed, available).load()


def _content(file, member):
    """What torch takes for a member of an archive, whose checksum it need not write."""
    file.seek(member.header_offset)
    header = file.read(30)
    file.seek(int.from_bytes(header[26:28], 'little') + int.from_bytes(header[28:30], 'little'), os.SEEK_CUR)
    return file.read(member.file_size)


def _rehearse_legacy(content, allowed):
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
        found = _Rehearsal(file, allowed, available, length=len(content)).load()
        if place == 0 and found != LEGACY_MAGIC:
            return  # which torch says


class _Rehearsal(Unpickler):
    def __init__(self, content, allowed, available, **kwargs):
        super().__init__(content, allowed, encoding='latin1', **kwargs)
        self._available = available

    def persistent_load(self, pid):
        """A storage."""
        kind, storage, key, _, count = pid[:5] if type(pid) is tuple and len(pid) >= 5 else (None,) * 5
        if kind not in ('storage', b'storage') or type(storage) is not Named or type(count) is not int or count < 0:
            raise Refused('it refers to something else than tensors')
        found = Storage()
        found.itemsize, found.nbytes = storage.itemsize, count * storage.itemsize
        if self._available(key, found.nbytes) < found.nbytes:
            raise Refused(f'it has fewer bytes for the tensor {key!r:.60} than it says')
        return found


def _tensor(storage, offset, size, stride, *_, itemsize=None):
    if type(storage) is not Storage:
        raise Refused('it describes a tensor in a way that torch does not write')
    size, stride = (tuple(one) if type(one) in (list, torch.Size) else one for one in (size, stride))
    check_tensor(storage.nbytes, itemsize or storage.itemsize, offset, size, stride)
    return Tensor()


def _tensor_of_dtype(storage, offset, size, stride, requires_grad, hooks, dtype, *_):
    return _tensor(storage, offset, size, stride, itemsize=dtype.itemsize)


def _parameter(tensor, *_):
    if type(tensor) is not Tensor:
        raise Refused('it makes a parameter of something else than a tensor')
    return tensor


def _with_attributes(make, kind, arguments, state):
    if make not in (_tensor, _tensor_of_dtype) or kind is not TENSOR or type(arguments) is not tuple:
        raise Refused('it makes a tensor in a way that torch does not write')
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
