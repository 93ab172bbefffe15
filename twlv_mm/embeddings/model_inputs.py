"""Embeddings must be what a model was built for."""


def check_inputs(inputs, data_samples, in_channels):
    """Check the embeddings of a batch of videos.

    Args:
        inputs (list[Tensor]): (D, T) of each video.
        data_samples (list[ActionDataSample]): Each with the metainfo video_id.
        in_channels (int): D that the model takes.
    """
    for x, sample in zip(inputs, data_samples, strict=True):
        if x.ndim != 2 or x.shape[0] != in_channels:
            raise ValueError(
                f'the embeddings of {sample.video_id} are {tuple(x.shape)}, not ({in_channels}, T): the model has '
                f'in_channels={in_channels}; set it to the width of the embeddings, or take those of another encoder'
            )
        if x.shape[1] == 0:
            raise ValueError(f'{sample.video_id} has no embeddings at all: leave it out, or extract it again')
