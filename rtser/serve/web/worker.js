// The browser's own engine: onnxruntime-web (WebAssembly, one thread) in a worker, so that the page never waits for it.

import * as ort from "./ort/ort.wasm.min.mjs";
import { Recogniser } from "./recogniser.js";

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href;

let recogniser = null;
let queue = Promise.resolve();

self.onmessage = ({ data }) => {
  queue = queue.then(() => answer(data)).catch((error) => self.postMessage({ problem: String(error?.message ?? error) }));
};

async function answer(data) {
  if (data.load) {
    const session = await ort.InferenceSession.create(data.load.model, { executionProviders: ["wasm"] });
    recogniser = new Recogniser({ Tensor: ort.Tensor, session }, data.load.about, data.load.about.decide);
    self.postMessage({ loaded: true });
  } else if (data.begin) {
    recogniser.begin();
  } else if (data.samples) {
    self.postMessage({ events: await recogniser.push(data.samples), done: data.samples.length });
  } else if (data.broken) {
    self.postMessage({ events: recogniser.broken(data.broken) });
  } else if (data.finish) {
    self.postMessage({ events: recogniser.finish() });
  }
}
