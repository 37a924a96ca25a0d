// Collects what the microphone gives into parts of 60 ms, on the audio thread.

const HOP = Math.round(0.06 * sampleRate);

class Hops extends AudioWorkletProcessor {
  constructor() {
    super();
    this.hop = new Float32Array(HOP);
    this.filled = 0;
  }

  process([input]) {
    const channel = input[0];
    if (!channel) return true;
    for (let at = 0; at < channel.length; ) {
      const part = channel.subarray(at, at + HOP - this.filled);
      this.hop.set(part, this.filled);
      this.filled += part.length;
      at += part.length;
      if (this.filled === HOP) {
        this.port.postMessage(this.hop, [this.hop.buffer]);
        this.hop = new Float32Array(HOP);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("hops", Hops);
