"""The data sets that others wrap."""


def dataset_parts(dataset):
    """Look through wrappers such as mmengine's ConcatDataset and RepeatDataset.

    Args:
        dataset (Dataset): One that has ``datasets`` or a ``dataset`` inside, or none of these.

    Returns:
        list[Dataset]: those that wrap no other, in order; the data set itself if it is no wrapper.
    """
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner == [None]:
        return [dataset]
    return [part for one in inner for part in dataset_parts(one)]
