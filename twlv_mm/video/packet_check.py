"""Detect damage in the structure of packets, without decoding them."""

import re

# H.264 (ISO 14496-10, 7.4.1) and H.265 escape two zero bytes as 00 00 03, so a run of zeros within a unit is damage;
# zeros at its end are padding that decoders ignore.
_ZEROS_WITHIN = re.compile(rb'\0\0\0+[^\0]')
# Byte of the extra data whose two lowest bits are the size of a unit's length field minus one (ISO 14496-15).
_LENGTH_SIZE_AT = {'h264': 4, 'hevc': 21}
_H264_IDR, _TYPE_BITS = 5, 0x1F
_START_OF_IDR = re.compile(rb'\x00\x00\x01[\x05\x25\x45\x65]')


class PacketCheck:
    """Checks the packets of an open stream (av.VideoStream).

    It reports packets that the container marks as damaged; for H.264 and H.265 in MP4, MOV, MKV and FLV, units that do
    not fill their packet and runs of zeros that the coding cannot contain, as holes in a download leave them; and GIF's
    pictures without an end.
    """

    def __init__(self, stream):
        codec = stream.codec_context
        self._h264, self._gif = codec.name == 'h264', codec.name == 'gif'
        at, extra = _LENGTH_SIZE_AT.get(codec.name), codec.extradata
        # With a start code instead of version 1 in the extra data, packets have start codes too.
        has_lengths = at and extra and len(extra) > at and extra[0] == 1
        self._length_size = (extra[at] & 3) + 1 if has_lengths else 0

    def damage(self, packet):
        """A description of a packet's damage, or None."""
        if packet.is_corrupt:
            return 'the container marks it as damaged'
        if not (self._gif or self._length_size):
            return None
        content = bytes(packet)
        if self._gif:
            # A picture ends with an empty block; the last one is followed by the file's end, and perhaps other bytes.
            return None if content.endswith(b'\0') or b'\0;' in content else 'it is cut short'
        for first, end in self._units(content):
            if end > len(content):
                return 'its units do not add up to its size'
            if _ZEROS_WITHIN.search(content, first, end):
                return 'it has zeros that its coding cannot contain'
        return None

    def starts_afresh(self, packet):
        """Whether a decoder that starts with this packet gives it and every frame shown after it.

        False also for H.264 key frames after which a frame may still depend on earlier ones, as with intra refresh.
        """
        if not packet.is_keyframe or not self._h264:
            return packet.is_keyframe
        content = bytes(packet)
        if not self._length_size:
            return _START_OF_IDR.search(content) is not None
        units = self._units(content)
        return any(first < len(content) and content[first] & _TYPE_BITS == _H264_IDR for first, _ in units)

    def _units(self, content):
        start = 0
        while start < len(content):
            first = start + self._length_size
            start = first + int.from_bytes(content[start:first], 'big')
            yield first, start
