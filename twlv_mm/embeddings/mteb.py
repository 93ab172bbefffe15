"""The way to mteb, which is an extra."""

from .extractor import Extractor


def mteb_model(source, weights=None, **options):
    """Make an encoder a model of mteb: ``mteb.evaluate(model, mteb.get_benchmark('MVEB(video)'))``.

    Args:
        source (str): SOURCE, as for :func:`twlv_mm.get_model`.
        weights (str, optional): Its checkpoint.
        **options: How videos become vectors, as for :class:`twlv_mm.embeddings.Extractor`: sampling, clip_seconds,
            stride_seconds, num_frames, pooling, precision, batch_size, device.

    Returns:
        VideoOnlyModel: for tasks of videos alone.
    """
    try:
        from .mteb_encoder import VideoOnlyModel
    except ImportError as error:
        raise ImportError(f"this needs mteb ({error}): pip install 'twlv-i[mteb]'") from error
    return VideoOnlyModel(Extractor(source, weights, **options))
