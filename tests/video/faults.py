"""Small sound videos, and files that look like videos and are damaged or none at all."""

import zipfile

import av
import numpy as np

from twlv_mm.synthetic import write_video

SIZE = (64, 48)
# Nothing may open a folder or follow a link to nowhere: these are no video files.
NO_FILE = ('missing', 'folder', 'dangling_link')


def textured(count, size=SIZE, seed=0):
    """Noise that moves to the right and changes a little: each frame takes hundreds of bytes.

    Args:
        count (int): Frames.
        size (tuple[int, int]): Width and height in pixels.
        seed (int): Of the noise.

    Returns:
        ndarray: (count, H, W, 3) uint8.
    """
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 200, (size[1] // 4, size[0] // 4, 3), np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    grain = rng.integers(0, 56, (count, *picture.shape), np.uint8)
    return np.stack([np.roll(picture, 2 * index, axis=1) for index in range(count)]) + grain


def write_predicted(path, frames, *, index_first=False, codec='libx264', rate=10):
    """Write frames of which all but the first are predicted from others, as in most files that one meets.

    Args:
        path (Path): A file; its suffix says which container.
        frames (ndarray): (T, H, W, 3) uint8.
        index_first (bool): In MP4, put the index before the frames.
        codec (str): FFmpeg's name of an encoder.
        rate (int): Frames a second.
    """
    options = {'movflags': '+faststart'} if index_first else {}
    with av.open(str(path), 'w', options=options) as container:
        stream = container.add_stream(codec, rate=rate, options={'threads': '1'})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = 'yuv420p'
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        container.mux(stream.encode())


def good(folder, count):
    """Write sound videos of 8 to 20 frames.

    Args:
        folder (Path): A folder that exists.
        count (int): Videos.

    Returns:
        list[Path]: Their paths.
    """
    paths = [folder / f'good_{index}.mp4' for index in range(count)]
    for index, path in enumerate(paths):
        write_video(path, textured(8 + index % 13, seed=index))
    return paths


def packet_places(path):
    """Where the frames' bytes lie in a file.

    Args:
        path (Path): A sound video.

    Returns:
        list[tuple[int, int]]: Offset and size in bytes of each packet, in the order of the file.
    """
    with av.open(str(path)) as container:
        return sorted((packet.pos, packet.size) for packet in container.demux(video=0) if packet.size)


def damage_packets(source, damage, numbers, start=0.0, stop=1.0):
    """Replace the same part of some packets.

    Args:
        source (Path): A sound video.
        damage (Callable): Number of bytes -> bytes.
        numbers (slice): Which packets, in the order of the file.
        start (float): Where the damage begins, as a fraction of the packet.
        stop (float): Where it ends.

    Returns:
        bytes: The damaged file.
    """
    content = bytearray(source.read_bytes())
    for offset, size in packet_places(source)[numbers]:
        first, last = offset + int(start * size), offset + int(stop * size)
        content[first:last] = damage(last - first)
    return bytes(content)


def make_faults(folder):
    """Write one file of each kind of fault.

    Args:
        folder (Path): An empty folder.

    Returns:
        dict[str, Path]: kind -> path.
    """
    paths = {}

    def write(kind, content):
        paths[kind] = folder / f'{kind}.mp4'
        paths[kind].write_bytes(content)

    rng = np.random.default_rng(0)
    frames = textured(20)
    intra, predicted, index_first = folder / 'intra.mp4', folder / 'predicted.mp4', folder / 'index_first.mp4'
    write_video(intra, frames)
    write_predicted(predicted, frames)
    write_predicted(index_first, frames, index_first=True)
    whole = index_first.read_bytes()

    write('empty', b'')
    write('text', b'not a video' * 100)
    write('first_100_bytes', whole[:100])
    write('half_without_index', intra.read_bytes()[: intra.stat().st_size // 2])
    write('half_with_index', whole[: len(whole) // 2])
    write('last_bytes_missing', whole[:-20])
    for coding, source in (('intra', intra), ('predicted', predicted)):
        places = packet_places(source)
        middle, third = places[len(places) // 2][0], sum(size for _, size in places) // 3
        content = bytearray(source.read_bytes())
        write(f'zeros_{coding}', content[:middle] + bytes(third) + content[middle + third :])
        write(f'garbage_{coding}', content[:middle] + rng.bytes(third) + content[middle + third :])
        write(f'zeros_in_a_frame_{coding}', damage_packets(source, bytes, slice(7, 8), 0.3, 0.6))
        # One damaged frame may decode to something valid; so many of them hardly can.
        write(f'garbage_in_frames_{coding}', damage_packets(source, rng.bytes, slice(1, None), 0.3, 0.6))
    write('zeroed_last_frame', damage_packets(predicted, bytes, slice(-1, None)))
    write('zeroed_first_frame', damage_packets(intra, bytes, slice(1)))

    paths['sound_only'] = folder / 'sound_only.mp4'
    with av.open(str(paths['sound_only']), 'w') as container:
        stream = container.add_stream('aac', rate=44100)
        audio = av.AudioFrame.from_ndarray(np.zeros((1, 4410), np.float32), format='fltp', layout='mono')
        audio.sample_rate = 44100
        container.mux(stream.encode(audio))
        container.mux(stream.encode())
    paths['start_missing'] = folder / 'start_missing.mkv'
    with av.open(str(predicted)) as source, av.open(str(paths['start_missing']), 'w') as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(packet for packet in source.demux(video=0) if packet.size):
            if number > 0:
                packet.stream = stream
                container.mux(packet)
    paths['no_frames'] = folder / 'no_frames.mkv'
    with av.open(str(paths['no_frames']), 'w') as container:
        stream = container.add_stream('libx264', rate=10)
        stream.width, stream.height = SIZE
        stream.pix_fmt = 'yuv420p'
        container.start_encoding()
    with av.open(str(folder / 'picture.png'), 'w', format='image2', options={'update': '1'}) as container:
        stream = container.add_stream('png', rate=1)
        stream.width, stream.height = SIZE
        stream.pix_fmt = 'rgb24'
        container.mux(stream.encode(av.VideoFrame.from_ndarray(frames[0], format='rgb24')))
    write('picture', (folder / 'picture.png').read_bytes())
    paths['zip'] = folder / 'zip.mp4'
    with zipfile.ZipFile(paths['zip'], 'w') as archive:
        archive.write(intra, 'intra.mp4')

    paths['missing'] = folder / 'missing.mp4'
    paths['folder'] = folder / 'folder.mp4'
    paths['folder'].mkdir()
    paths['dangling_link'] = folder / 'dangling_link.mp4'
    paths['dangling_link'].symlink_to(folder / 'nowhere.mp4')
    return paths
