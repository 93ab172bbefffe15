"""Parameters, gradients and optimizer state divided among the processes (FSDP2)."""

import torch
from mmengine.device import get_device
from mmengine.dist import broadcast, get_world_size, is_main_process
from mmengine.utils import digit_version
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils._pytree import tree_map

from twlv_mm.registry import MODEL_WRAPPERS


@MODEL_WRAPPERS.register_module()
class FullyShard:
    """Shard a model with torch's ``fully_shard``, for models that do not fit beside their optimizer state; in configs
    ``model_wrapper_cfg=dict(type='twlv_mm.FullyShard')``.

    Each block of every ``blocks`` in the model is gathered when it computes, and the rest when the model does. The
    model's ``state_dict()`` has whole tensors, and it loads whole ones, so checkpoints do not depend on the number of
    processes; all processes must call it. Sets the model's ``is_sharded``.

    Building it returns the sharded model itself, which needs no wrapper; it is a class because mmengine's
    is_model_wrapper passes everything registered as a wrapper to isinstance.

    Args:
        module (nn.Module): On its device. It is initialised, and the weights of all processes become the first one's.

    Raises:
        RuntimeError: with torch 2.6, whose sharding works neither on CPUs nor with mmengine's initialisation.

    Source: torch.distributed.fsdp.fully_shard; blocks, then the rest, as in torchtitan.
    """

    def __new__(cls, module):
        if digit_version(torch.__version__) < digit_version('2.7'):
            raise RuntimeError(f'twlv_mm.FullyShard needs torch 2.7 or later, but this is {torch.__version__}')
        if hasattr(module, 'init_weights'):
            module.init_weights()  # as long as every tensor is whole
        for tensor in module.state_dict().values():
            broadcast(tensor)
        mesh = init_device_mesh(get_device(), (get_world_size(),))
        for part in list(module.modules()):
            if isinstance(blocks := getattr(part, 'blocks', None), nn.ModuleList):
                for block in blocks:
                    fully_shard(block, mesh=mesh)
        fully_shard(module, mesh=mesh)
        module.register_state_dict_post_hook(_whole_weights)
        module._register_load_state_dict_pre_hook(_share_weights, with_module=True)
        module.is_sharded = True
        return module


def share_optimizer_state(optimizer):
    """Let the state of a sharded model's optimizer be saved, by the first process, and loaded as whole tensors.

    All processes must call its ``state_dict()``.
    """
    optimizer.register_state_dict_post_hook(_whole_state)
    optimizer.register_load_state_dict_pre_hook(_share_state)


def _whole(value):
    # Moved to the CPU one by one: all whole tensors would not fit on the device.
    return value.full_tensor().cpu() if isinstance(value, DTensor) else value


def _share(value, like):
    """The part of a whole tensor that this process has of one like it."""
    whole = not isinstance(value, DTensor)
    if isinstance(like, DTensor) and isinstance(value, torch.Tensor) and whole and value.shape == like.shape:
        # All processes have read the file, so nothing is sent.
        return distribute_tensor(value.to(like.device), like.device_mesh, like.placements, src_data_rank=None)
    return value


def _whole_weights(module, state_dict, prefix, metadata):
    for name, value in state_dict.items():
        state_dict[name] = _whole(value)


def _whole_state(optimizer, state_dict):
    def whole(value):
        if not isinstance(value, DTensor):
            return value
        gathered = _whole(value)
        return gathered if is_main_process() else None  # twice the parameters: only the process that saves keeps them

    return tree_map(whole, state_dict)


def _share_weights(module, state_dict, prefix, *_):
    for name, parameter in module.named_parameters():
        if prefix + name in state_dict:
            state_dict[prefix + name] = _share(state_dict[prefix + name], parameter)


def _share_state(optimizer, state_dict):
    parameters = [parameter for group in optimizer.param_groups for parameter in group['params']]
    numbers = [number for group in state_dict['param_groups'] for number in group['params']]
    state = dict(state_dict['state'])
    for number, parameter in zip(numbers, parameters, strict=True):
        if number in state:
            state[number] = {name: _share(value, parameter) for name, value in state[number].items()}
    return {**state_dict, 'state': state}
