#!/usr/bin/env python
"""Make tests/data/numbered/ again: videos whose frames show their number, and truth.json, by ffmpeg 5 or newer."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np

COUNT, SIZE = 77, (160, 120)
X264 = '-c:v libx264 -preset fast -crf 30'
# File name -> frames a second, arguments of ffmpeg.
FILES = {
    'h264_bframes.mp4': (25, f'{X264} -bf 3 -g 25'),
    'h264_bframes.mov': (Fraction(30000, 1001), f'{X264} -bf 3 -g 30'),
    'h264_bframes.mkv': (30, f'{X264} -bf 3 -g 30'),
    'h264_bframes.flv': (24, f'{X264} -bf 3 -g 24'),
    'h264_bframes.m2ts': (25, f'{X264} -bf 2 -g 25 -f mpegts -mpegts_m2ts_mode 1'),
    'h264_fragmented.mp4': (25, f'{X264} -bf 2 -g 25 -movflags frag_keyframe+empty_moov'),
    'h264_open_gop.mp4': (25, f'{X264} -bf 3 -g 20 -x264-params open-gop=1'),
    'h264_lossless_444.mkv': (25, '-c:v libx264 -qp 0 -pix_fmt yuv444p -g 25'),
    'h264_10bit.mp4': (25, f'{X264} -pix_fmt yuv420p10le -g 25'),
    'h264.3gp': (15, f'{X264} -profile:v baseline -g 15 -f 3gp'),
    'raw.h264': (25, f'{X264} -bf 0 -g 25 -f h264'),
    'hevc.mp4': (25, '-c:v libx265 -preset fast -crf 30 -x265-params log-level=error:keyint=25 -tag:v hvc1'),
    'hevc.ts': (25, '-c:v libx265 -preset fast -crf 30 -x265-params log-level=error:keyint=25 -f mpegts'),
    'hevc.mov': (Fraction(60000, 1001), '-c:v libx265 -preset fast -crf 30 -x265-params log-level=error:keyint=60'),
    'vp8.webm': (25, '-c:v libvpx -b:v 60k -g 25 -auto-alt-ref 1'),
    'vp9.webm': (30, '-c:v libvpx-vp9 -b:v 40k -g 30 -lag-in-frames 16 -auto-alt-ref 1'),
    'vp9.mkv': (25, '-c:v libvpx-vp9 -b:v 40k -g 25'),
    'av1.mkv': (25, '-c:v libaom-av1 -cpu-used 8 -b:v 40k -g 25'),
    'mpeg1.mpg': (25, '-c:v mpeg1video -b:v 40k -g 12 -bf 2'),
    'mpeg2.vob': (25, '-c:v mpeg2video -qscale:v 31 -g 12 -bf 2 -f vob'),
    'mpeg2.ts': (25, '-c:v mpeg2video -qscale:v 31 -g 12 -bf 2 -f mpegts'),
    'mpeg4.3gp': (25, '-c:v mpeg4 -qscale:v 31 -g 25 -f 3gp'),
    'mpeg4.mkv': (25, '-c:v mpeg4 -qscale:v 31 -g 25 -bf 2'),
    'mpeg4.avi': (25, '-c:v mpeg4 -qscale:v 31 -g 25'),
    'wmv1.asf': (25, '-c:v wmv1 -qscale:v 31 -g 25'),
    'flv1.flv': (25, '-c:v flv1 -qscale:v 31 -g 25'),
    'theora.ogg': (24, '-c:v libtheora -qscale:v 0 -g 24 -f ogg'),
    'late_start.ts': (25, f'{X264} -bf 2 -g 25 -output_ts_offset 95000 -f mpegts'),  # near the wrap of 33 bits
    'negative_start.mkv': (25, f'{X264} -bf 2 -g 25 -output_ts_offset -0.2 -avoid_negative_ts disabled'),
    'h264_gray.mkv': (25, f'{X264} -pix_fmt gray -g 25'),
    'full_range.mp4': (25, f'{X264} -pix_fmt yuvj420p -g 25'),
}


def draw_number(number):
    """12 bits as black and white blocks, in two rows of six."""
    bits = np.array([number >> bit & 1 for bit in range(12)], np.uint8).reshape(2, 6)
    picture = np.full((SIZE[1], SIZE[0], 3), 96, np.uint8)
    side = SIZE[0] // 6
    picture[:, : side * 6] = np.kron(np.where(bits, 235, 16).astype(np.uint8), np.ones((SIZE[1] // 2, side)))[..., None]
    return picture


def make(path, rate, arguments):
    """Encode COUNT numbered frames."""
    source = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', '{}x{}'.format(*SIZE), '-r', str(rate), '-i', '-']
    frames = b''.join(draw_number(number).tobytes() for number in range(COUNT))
    command = [
        'ffmpeg',
        '-y',
        '-v',
        'error',
        *source,
        '-pix_fmt',
        'yuv420p',
        *arguments.split(),
        '-threads',
        '1',
        '-fflags',
        '+bitexact',
    ]
    subprocess.run([*command, str(path)], input=frames, check=True)


def read_numbers(path):
    """What ffmpeg itself shows."""
    command = ['ffmpeg', '-v', 'error', '-i', str(path), '-fps_mode', 'passthrough', '-f', 'rawvideo']
    done = subprocess.run([*command, '-pix_fmt', 'gray', '-s', '160x120', '-'], capture_output=True, check=True)
    frames = np.frombuffer(done.stdout, np.uint8).reshape(-1, 120, 160)
    centres = frames[:, 30::60, 13 : 26 * 6 : 26].reshape(-1, 12)
    return ((centres > 120) << np.arange(12)).sum(axis=1).tolist()


def main():
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / 'data/numbered')
    out.mkdir(parents=True, exist_ok=True)
    truth = {}
    for name, (rate, arguments) in FILES.items():
        make(out / name, rate, arguments)
        numbers = read_numbers(out / name)
        if numbers != list(range(COUNT)):
            print(f'{name}: ffmpeg itself shows {len(numbers)} frames, {numbers[:3]} to {numbers[-3:]}')
        duration, times = float(COUNT / rate), f'every {float(1 / rate)} s'
        if Path(name).suffix in ('.mkv', '.webm', '.flv', '.asf'):  # which keep milliseconds
            duration, times = round(duration, 3), [round(float(number / rate), 3) for number in range(COUNT)]
        truth[name] = dict(numbers=f'0 to {COUNT - 1}', frames=COUNT, times=times, duration=duration)
    (out / 'truth.json').write_text(json.dumps(truth) + '\n')


if __name__ == '__main__':
    main()
