"""The decoders that this machine can use; tests of the others are skipped and say why."""

import pytest

from twlv_mm import video


def _param(decoder):
    try:
        video.check_decoder(decoder)
    except ValueError as error:
        return pytest.param(decoder, marks=pytest.mark.skip(reason=str(error)))
    return pytest.param(decoder)


DECODERS = [_param(decoder) for decoder in video.DECODERS]
