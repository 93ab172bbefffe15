from twlv_mm.embeddings import repeats_frames


def test_clips_repeat_frames_where_they_have_fewer_than_the_encoder_takes():
    """Half a second at 30 frames a second has 15 of the 16; a second has enough, and so has it for 8."""
    clip = dict(clip_seconds=0.5, frames_per_clip=16, duration=10.0, num_frames=300)
    assert repeats_frames(dict(a=clip))
    assert not repeats_frames(dict(a=clip | dict(clip_seconds=1.0), b=clip | dict(frames_per_clip=8)))
    assert repeats_frames(dict(a=clip | dict(clip_seconds=1.0), b=clip))
    assert repeats_frames(dict(a=clip, b={})) is None
