// One stream through the model file: samples in, the events of rtser out. It needs an ONNX Runtime of any kind
// (onnxruntime-web, onnxruntime-node), handed over by the caller.

import { Decider, segmentEnd } from "./decider.js";

const FIRST_SEGMENT_HOP = 5; // five hops come before the one that completes the first segment

export class Recogniser {
  /**
   * @param {object} runtime ONNX Runtime's Tensor class and the model's session: {Tensor, session}
   * @param {object} about what the model file says of itself: rtser info --json, or /model.json
   * @param {object} settings of the decider, by their names in configs/listen.yaml
   */
  constructor({ Tensor, session }, about, settings = {}) {
    this.Tensor = Tensor;
    this.session = session;
    this.about = about;
    this.settings = settings;
    this.outputs = ["emotions", "segment_emotions", "speech", "salience"];
    this.outputs.push(...about.states.map(({ name }) => `${name}_next`));
    this.begin();
  }

  /** Begin a stream: nothing came before; its first sample is so many samples after the run's own beginning. */
  begin(base = 0) {
    const { about, Tensor } = this;
    this.base = base;
    if (!base) this.decisions = this.skipped = 0;
    const sizes = { B: 1, W: about.window };
    this.decider = new Decider(about.labels, about.label_threshold, this.settings);
    this.hops = 0;
    this.samples = 0;
    this.waiting = new Float32Array(about.lead_samples);
    const { inputMetadata } = this.session;
    const shapes = Object.fromEntries(
      [...inputMetadata].map(({ name, shape }) => [name, shape.map((size) => sizes[size] ?? Number(size))]),
    );
    this.states = Object.fromEntries(
      about.states.map(({ name }) => {
        const count = shapes[name].reduce((product, size) => product * size, 1);
        return [name, new Tensor("float32", new Float32Array(count), shapes[name])];
      }),
    );
  }

  /** Take samples (16 kHz, mono, in [-1, 1]); the events of all segments that they complete, oldest first. */
  async push(samples) {
    const { hop_samples: hop } = this.about;
    const all = new Float32Array(this.waiting.length + samples.length);
    all.set(this.waiting);
    all.set(samples, this.waiting.length);
    this.samples += samples.length;
    const events = [];
    let at = 0;
    for (; at + hop <= all.length; at += hop) events.push(...(await this.#step(all.slice(at, at + hop))));
    this.waiting = all.slice(at);
    return events;
  }

  /** What follows does not continue what came before: so many samples came too late and are skipped. */
  broken(skipped) {
    const events = this.#ended();
    const at = this.base + this.samples;
    const time = at / this.about.sample_rate;
    const detail = "this device is too slow";
    events.push({ type: "source", time, state: "skipped", detail, missing_samples: skipped });
    this.begin(at + skipped);
    this.skipped += skipped;
    return events;
  }

  /** End the stream: the utterance that ends by this, and `end`. */
  finish() {
    const events = this.#ended();
    const nothing = { p50: null, p99: null, max: null };
    const time = (this.base + this.samples) / this.about.sample_rate;
    const counts = { decisions: this.decisions, dropped_samples: this.skipped, missing_samples: 0 };
    events.push({ type: "end", time, ...counts, step_ms: nothing, latency_ms: nothing });
    return events;
  }

  #ended() {
    const utterance = this.decider.clear();
    return utterance ? [{ type: "utterance", ...this.#later(utterance) }] : [];
  }

  /** An utterance at the run's own time. */
  #later(utterance) {
    const by = this.base / this.about.sample_rate;
    return { ...utterance, start: utterance.start + by, end: utterance.end + by };
  }

  async #step(hop) {
    const { Tensor, about } = this;
    const restart = new Tensor("float32", new Float32Array([this.decider.idle ? 1 : 0]), [1]);
    const given = { samples: new Tensor("float32", hop, [1, hop.length]), restart, ...this.states };
    const made = await this.session.run(given, this.outputs);
    for (const { name } of about.states) this.states[name] = made[`${name}_next`];
    const segment = this.hops - FIRST_SEGMENT_HOP;
    this.hops += 1;
    if (segment < 0) return [];
    this.decisions += 1;
    const emotions = [...made.emotions.data];
    const speech = made.speech.data[0];
    const { utterance, ...read } = this.decider.push(segment, speech, emotions);
    const decision = {
      type: "decision",
      time: this.base / about.sample_rate + segmentEnd(segment),
      emotions: emotions.some((value) => value !== 0) ? this.#named(emotions) : null,
      ...read,
      speech,
      segment_emotions: this.#named([...made.segment_emotions.data]),
      salience: made.salience.data[0],
    };
    return utterance ? [decision, { type: "utterance", ...this.#later(utterance) }] : [decision];
  }

  #named(values) {
    return Object.fromEntries(this.about.labels.map((label, place) => [label, values[place]]));
  }
}
