"""Recognise several sound files at once in one `Bank`, as a server does with calls: one step of the network for all.

python examples/many_streams.py [agent.wav caller.wav]      # the bundled sample twice if no file is given
"""

import sys

import numpy as np
import soundfile
import soxr

import rtser

PART = 1_600  # 100 ms at 16 kHz

bank = rtser.Bank(rtser.load())
sounds = {}
for path in sys.argv[1:] or 2 * [rtser.sample_path()]:
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    sounds[bank.open()] = path, soxr.resample(sound.mean(axis=1), rate, 16_000).astype(np.float32)


def tell(stream_id: int, utterance: rtser.Utterance) -> None:
    """Print one utterance."""
    path, _ = sounds[stream_id]
    print(f"{path}: {utterance.start_s:.2f} to {utterance.end_s:.2f} s  {utterance.label or 'no sure emotion'}")


for start in range(0, max(len(sound) for _, sound in sounds.values()), PART):
    for stream_id, (_, sound) in sounds.items():
        part = sound[start : start + PART]
        if len(part):
            bank.push(stream_id, part)
    while bank.due:
        for stream_id, utterance in bank.step().utterances:
            tell(stream_id, utterance)
for stream_id in sounds:
    last = bank.close(stream_id)
    if last is not None:
        tell(stream_id, last)
