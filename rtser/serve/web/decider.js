// From decisions every 60 ms to a steady label, and utterances: rtser/engine/decider.py, line by line. Both run the test
// vectors in tests/data/decider.json.

const HOP_S = 0.06;
const FULL_HOPS = 62;
const CERTAINTY_POWER = 8;

/** The settings of `rtser listen` under the same names; docs in configs/listen.yaml. */
export const DEFAULTS = {
  smoothing_s: 0.3,
  label_threshold: null,
  leave_threshold: null,
  hold_s: 0.6,
  speech_enter: 0.8,
  speech_leave: 0.4,
  onset_s: 0.42,
  hangover_s: 0.24,
  silence_s: 0.36,
  report_s: 10,
};

/** The end of a segment, in seconds. */
export function segmentEnd(segment) {
  return (5360 + 960 * segment) / 16000;
}

/** What a decider makes of one decision; emotions are names, null for none. */
const SILENT = { speaking: false, label: null, confidence: null, leaning: null, utterance: null };

export class Decider {
  constructor(labels, modelThreshold, settings = {}) {
    const all = { ...DEFAULTS, ...settings };
    this.labels = labels;
    this.settings = all;
    this.enter = all.label_threshold ?? modelThreshold;
    this.leave = all.leave_threshold ?? Math.max(0, this.enter - 0.1);
    this.newShare = all.smoothing_s ? 1 - Math.exp(-HOP_S / all.smoothing_s) : 1;
    this.hold = roundHalfEven(all.hold_s / HOP_S);
    this.reportHops = roundHalfEven(all.report_s / HOP_S);
    [this.onset, this.hangover, this.silence] = [all.onset_s, all.hangover_s, all.silence_s].map((seconds) =>
      Math.max(1, roundHalfEven(seconds / HOP_S)),
    );
    this.first = this.last = this.reported = this.hops = this.held = 0;
    this.silent = this.silence;
    this.sums = labels.map(() => 0);
    this.weight = 0;
    this.average = null;
    this.label = -1;
  }

  /** Whether no utterance lasts, and it has been silent as long as ends one: the network may forget. */
  get idle() {
    return !this.hops && this.silent >= this.silence;
  }

  /** Take the next decision: its segment, the probability of speech, and the emotions (zeros: too little speech). */
  push(segment, speech, emotions) {
    const begun = this.hops >= this.onset;
    const decided = emotions.some((value) => value !== 0);
    this.silent = speech >= this.settings.speech_leave ? 0 : this.silent + 1;
    if (speech >= (begun ? this.settings.speech_leave : this.settings.speech_enter)) {
      this.#add(segment, speech, decided ? emotions : null);
    } else if (this.hops && !begun) {
      this.#close();
    }
    if (this.hops < this.onset) return SILENT;
    const speaking = this.silent < this.hangover;
    if (!speaking) this.#dropLabel();
    else if (decided) this.#choose(emotions);
    const { label, average } = this;
    const utterance = this.#report(segment);
    if (!average) return { ...SILENT, speaking, utterance };
    const likeliest = Math.max(...average);
    return {
      speaking,
      label: label >= 0 ? this.labels[label] : null,
      confidence: label >= 0 ? average[label] : null,
      leaning: { label: this.labels[average.indexOf(likeliest)], confidence: likeliest },
      utterance,
    };
  }

  /** Forget everything. The utterance that ends by this, if one lasts. */
  clear() {
    const utterance = this.hops >= this.onset ? this.#utterance(true) : null;
    this.#dropLabel();
    this.#close();
    this.silent = this.silence;
    return utterance;
  }

  #add(segment, speech, emotions) {
    if (!this.hops) this.first = this.reported = segment;
    this.hops += 1;
    this.last = segment;
    if (emotions) {
      const weight = speech * (Math.min(this.hops, FULL_HOPS) / FULL_HOPS) ** CERTAINTY_POWER;
      this.weight += weight;
      this.sums = this.sums.map((total, place) => total + weight * emotions[place]);
    }
  }

  #choose(emotions) {
    this.average = this.average
      ? this.average.map((before, place) => before + this.newShare * (emotions[place] - before))
      : [...emotions];
    const likeliest = Math.max(...this.average);
    this.held += 1;
    if (this.label >= 0 && this.held < this.hold) return;
    if (likeliest < this.enter && this.label >= 0 && this.average[this.label] >= this.leave) return;
    const label = likeliest >= this.enter ? this.average.indexOf(likeliest) : -1;
    if (label !== this.label) {
      this.label = label;
      this.held = 0;
    }
  }

  #report(segment) {
    const ends = this.silent >= this.silence;
    if (!ends && segment - this.reported < this.reportHops) return null;
    this.reported = segment;
    const utterance = this.#utterance(ends);
    if (ends) this.#close();
    return utterance;
  }

  #utterance(final) {
    if (!this.weight) return null;
    const means = this.sums.map((total) => total / this.weight);
    const likeliest = Math.max(...means);
    const leaning = { label: this.labels[means.indexOf(likeliest)], confidence: likeliest };
    const named = likeliest >= this.enter;
    return {
      start: (this.first * 960) / 16000,
      end: segmentEnd(this.last),
      label: named ? leaning.label : null,
      confidence: named ? likeliest : null,
      leaning,
      emotions: Object.fromEntries(this.labels.map((label, place) => [label, means[place]])),
      final,
    };
  }

  #dropLabel() {
    this.average = null;
    this.label = -1;
    this.held = 0;
  }

  #close() {
    this.hops = 0;
    this.sums = this.labels.map(() => 0);
    this.weight = 0;
  }
}

/** Python's round: halves go to the even number. */
function roundHalfEven(value) {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 ? down + 1 : down;
}
