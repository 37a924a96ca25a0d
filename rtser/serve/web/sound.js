// Where sound comes from: the microphone, or a file. Both give mono samples at 16 kHz.

import { Problem } from "./engines.js";

const SAMPLE_RATE = 16000;
const PART = 16000;
const MOST_WAITING = 64000;

/** The microphone, from now until stop(). */
export class Microphone {
  /** Give take() parts of 60 ms, at 16 kHz or, if `anyRate`, at the device's own; returns its name and the rate. */
  async start(take, anyRate) {
    if (!navigator.mediaDevices) {
      throw new Problem("the browser gives the microphone to pages from https or from this machine alone");
    }
    const wanted = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    } catch (error) {
      const why = error.name === "NotAllowedError" ? "its use was not allowed" : "there is none, or it is in use";
      throw new Problem(`the microphone cannot be used: ${why}`);
    }
    if (this.stopped) return this.#close();
    this.context = anyRate ? new AudioContext() : new AudioContext({ sampleRate: SAMPLE_RATE });
    await this.context.audioWorklet.addModule(new URL("./worklet.js", import.meta.url));
    if (this.stopped) return this.#close();
    const options = { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" };
    const node = new AudioWorkletNode(this.context, "hops", options);
    node.port.onmessage = ({ data }) => take(data);
    try {
      this.context.createMediaStreamSource(this.stream).connect(node);
    } catch {
      throw new Problem("this browser does not give the microphone at 16 kHz. Choose the server, or another browser.");
    }
    await this.context.resume();
    const [track] = this.stream.getAudioTracks();
    track.onended = () => this.onlost?.();
    return { name: track.label || "microphone", rate: this.context.sampleRate };
  }

  async stop() {
    this.stopped = true;
    await this.#close();
  }

  async #close() {
    this.stream?.getTracks().forEach((track) => track.stop());
    const { context } = this;
    this.stream = this.context = null;
    await context?.close();
    return null;
  }
}

/** The samples of a sound file, mixed to mono. */
export async function decoded(file) {
  const content = await file.arrayBuffer();
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  let buffer;
  try {
    buffer = await context.decodeAudioData(content);
  } catch {
    throw new Problem(`${file.name} is not a sound file that this browser can read`);
  }
  const mono = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    const data = buffer.getChannelData(channel);
    for (let at = 0; at < mono.length; at++) mono[at] += data[at] / buffer.numberOfChannels;
  }
  return mono;
}

/** Give an engine samples as fast as it takes them. */
export async function feed(engine, samples, stopped, progress) {
  for (let at = 0; at < samples.length && !stopped(); at += PART) {
    while (engine.waiting > MOST_WAITING && !stopped()) await new Promise((done) => setTimeout(done, 10));
    engine.push(samples.slice(at, at + PART));
    progress(Math.min(1, (at + PART) / samples.length));
  }
}
