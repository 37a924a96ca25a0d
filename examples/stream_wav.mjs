// Stream a 16 kHz mono 16-bit WAV file through a model with nothing but ONNX Runtime, in Node.
//
//     npm i --ignore-scripts onnxruntime-node@1.30.0
//     rtser info --json rtser/models/default.onnx > default.json
//     node examples/stream_wav.mjs rtser/models/default.onnx default.json call.wav [restarts.json]
//
// default.json is the metadata of the model file, which JavaScript cannot read from the file. restarts.json lists hops,
// counted from 0, before which the utterance is forgotten, such as [40, 95].
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { InferenceSession, Tensor } = createRequire(`${process.cwd()}/`)("onnxruntime-node"); // from ./node_modules
const [model, sidecar, wav, list] = process.argv.slice(2);
const about = JSON.parse(readFileSync(sidecar));
const restarts = list ? JSON.parse(readFileSync(list)) : [];
const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });

// A stream begins with its lead of zeros; then every hop is 960 samples.
const pcm = dataOf(readFileSync(wav));
const samples = new Float32Array(about.lead_samples + pcm.length);
pcm.forEach((value, place) => (samples[about.lead_samples + place] = value / 32768));

// States begin with zeros: one stream, and the model's default window.
const sizes = { B: 1, W: about.window };
const shapes = Object.fromEntries(session.inputMetadata.map(({ name, shape }) => [name, shape.map((n) => sizes[n] ?? n)]));
let states = {};
for (const { name } of about.states) {
  const count = shapes[name].reduce((product, size) => product * size, 1);
  states[name] = new Tensor("float32", new Float32Array(count), shapes[name]);
}
const names = ["emotions", "speech", ...Object.keys(states).map((name) => `${name}_next`)];

for (let hop = 0; (hop + 1) * about.hop_samples <= samples.length; hop++) {
  const part = samples.slice(hop * about.hop_samples, (hop + 1) * about.hop_samples);
  const restart = new Tensor("float32", [restarts.includes(hop) ? 1 : 0], [1]);
  const given = { samples: new Tensor("float32", part, [1, part.length]), restart, ...states };
  const made = await session.run(given, names);
  states = Object.fromEntries(Object.keys(states).map((name) => [name, made[`${name}_next`]]));
  if (hop < 5) continue; // five hops complete the first segment
  const time = (560 + 960 * hop) / 16000;
  console.log(JSON.stringify({ time, emotions: [...made.emotions.data], speech: made.speech.data[0] }));
}

/** The 16-bit samples of a WAV file: those of its chunk "data". */
function dataOf(file) {
  let at = 12;
  while (file.toString("latin1", at, at + 4) !== "data") at += 8 + file.readUInt32LE(at + 4);
  const size = Math.min(file.readUInt32LE(at + 4), file.length - at - 8);
  return Int16Array.from({ length: size >> 1 }, (_, place) => file.readInt16LE(at + 8 + 2 * place));
}
