"""Stream a 16 kHz mono 16-bit WAV file through a model with nothing but ONNX Runtime and NumPy.

python examples/stream_wav.py rtser/models/default.onnx call.wav [restarts.json]

restarts.json lists hops, counted from 0, before which the utterance is forgotten, such as [40, 95].
"""

import json
import sys
import wave
from pathlib import Path

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
about = json.loads(session.get_modelmeta().custom_metadata_map["rtser"])
with wave.open(sys.argv[2]) as file:
    samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
restarts = json.loads(Path(sys.argv[3]).read_text()) if len(sys.argv) > 3 else []

# A stream begins with its lead of zeros; then every hop is 960 samples. States begin with zeros.
samples = np.concatenate([np.zeros(about["lead_samples"], np.float32), samples])
sizes = {"B": 1, "W": about["window"]}
shapes = {tensor.name: [sizes.get(size, size) for size in tensor.shape] for tensor in session.get_inputs()}
states = {state["name"]: np.zeros(shapes[state["name"]], np.float32) for state in about["states"]}
names = ["emotions", "speech", *(f"{name}_next" for name in states)]

for hop in range(len(samples) // about["hop_samples"]):
    part = samples[None, hop * about["hop_samples"] : (hop + 1) * about["hop_samples"]]
    restart = np.array([hop in restarts], np.float32)
    emotions, speech, *following = session.run(names, {"samples": part, "restart": restart, **states})
    states = dict(zip(states, following, strict=True))
    if hop >= 5:  # five hops complete the first segment
        time_s = (560 + 960 * hop) / 16000
        print(json.dumps({"time": time_s, "emotions": emotions[0].tolist(), "speech": float(speech[0])}))
