"""Datasets and models inside wrappers."""

from mmengine.model import is_model_wrapper


def dataset_parts(dataset):
    """The datasets inside wrappers such as ConcatDataset and RepeatDataset, in order; or the dataset itself."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner == [None]:
        return [dataset]
    return [part for one in inner for part in dataset_parts(one)]


def unwrapped(model):
    """The model inside a wrapper such as DistributedDataParallel, or the model itself."""
    return model.module if is_model_wrapper(model) else model
