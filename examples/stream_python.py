"""Stream a sound file through rtser as if it were spoken now, and print each change of the label.

python examples/stream_python.py [call.wav]        # the bundled sample if no file is given

In your program, push the bytes of your sound as they come: from a telephone, a socket or a sound card.
"""

import sys

import soundfile

import rtser

path = sys.argv[1] if sys.argv[1:] else rtser.sample_path()
sound, rate = soundfile.read(path, dtype="int16", always_2d=True)
stream = rtser.Stream(rtser.load(), sample_rate=rate, channels=sound.shape[1])
shown = None

for start in range(0, len(sound), rate // 10):  # 100 ms at a time; any other length gives the same events
    for event in stream.push(sound[start : start + rate // 10]):
        if isinstance(event, rtser.DecisionEvent) and event.label != shown:
            shown = event.label
            print(f"{event.time:7.2f} s  {shown or '-'}")
for event in stream.finish():
    if isinstance(event, rtser.UtteranceEvent):
        print(f"{event.end:7.2f} s  the last utterance: {event.label or 'no sure emotion'}")
