// Where the network runs: in this browser (a worker), or on the server (a WebSocket). Both take 16 kHz mono samples and
// give the same events: open(tell) -> push(samples) -> finish(); `waiting` is how many samples are not recognised yet.

const SAMPLE_RATE = 16000;

/** A problem in words for the person at the page. */
export class Problem extends Error {}

/** ONNX Runtime in a worker: no sound leaves the browser. */
export class BrowserEngine {
  waiting = 0;

  /** `token()`: what the server wants to know, if it does. */
  constructor(token) {
    this.token = token;
  }

  /** Load the runtime and the model, once. */
  async load() {
    if (this.worker) return;
    const runtime = await fetch(new URL("./ort/ort.wasm.min.mjs", import.meta.url), { method: "HEAD" });
    if (!runtime.ok) {
      throw new Problem("onnxruntime-web is not installed beside this page. tools/get_web_runtime.sh in the checkout brings it.");
    }
    const [about, model] = await Promise.all([
      fetched("./model.json", this.token()).then((answer) => answer.json()),
      fetched("./model.onnx", this.token()).then((answer) => answer.arrayBuffer()),
    ]);
    this.about = about;
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    await new Promise((done, fail) => {
      worker.onmessage = ({ data }) => (data.loaded ? done() : fail(new Problem(data.problem)));
      worker.onerror = () => fail(new Problem("the worker cannot be started"));
      worker.postMessage({ load: { about, model } }, [model]);
    });
    this.worker = worker;
  }

  async open(tell, source) {
    await this.load();
    this.waiting = 0;
    this.worker.onmessage = ({ data }) => {
      if (data.problem) return tell([{ type: "closed", detail: data.problem }]);
      this.waiting -= data.done ?? 0;
      tell(data.events);
    };
    this.worker.postMessage({ begin: true });
    const { name, labels } = this.about;
    const model = { name, sha256: this.about.sha256, labels };
    const run = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
    const about = { utc: new Date().toISOString(), version: "", source, sample_rate: SAMPLE_RATE };
    tell([{ type: "start", schema: 2, run, ...about, model, provider: "WebAssembly", voice: null }]);
  }

  push(samples) {
    this.waiting += samples.length;
    this.worker.postMessage({ samples });
  }

  /** So many samples are skipped. */
  broken(skipped) {
    this.worker.postMessage({ broken: skipped });
  }

  finish() {
    this.worker.postMessage({ finish: true });
  }

  close() {}
}

/** A WebSocket to the server that this page comes from. */
export class ServerEngine {
  waiting = 0;

  constructor(token) {
    this.token = token;
  }

  async load() {}

  open(tell, source, rate) {
    const url = new URL("./v1/stream", document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    const protocols = ["rtser.v1"];
    const token = this.token();
    if (token) protocols.push(`rtser.token.${btoa(token).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`);
    const socket = new WebSocket(url, protocols);
    this.socket = socket;
    this.rate = rate;
    this.waiting = this.sent = 0;
    return new Promise((done, fail) => {
      socket.onopen = () => {
        socket.send(JSON.stringify({ type: "start", format: "f32le", rate, name: source.slice(0, 200) }));
      };
      socket.onerror = () => fail(new Problem("the server refuses, or cannot be reached. Does it need a token?"));
      socket.onmessage = ({ data }) => {
        const event = JSON.parse(data);
        if (event.type === "decision") this.waiting = Math.max(0, this.sent - Math.round(event.time * rate));
        tell([event]);
        if (event.type === "start") done();
        if (event.type === "end") socket.close();
      };
      socket.onclose = ({ reason }) => {
        this.waiting = 0;
        const detail = reason || "the connection to the server was lost";
        tell([{ type: "closed", detail }]);
        fail(new Problem(detail));
      };
    });
  }

  push(samples) {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.sent += samples.length;
    this.waiting += samples.length;
    this.socket.send(samples);
  }

  /** So many samples are skipped. */
  broken(skipped) {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.sent += skipped;
    this.socket.send(JSON.stringify({ type: "reset", missing_s: skipped / this.rate }));
  }

  finish() {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send('{"type":"finalize"}');
  }

  close() {
    this.socket?.close();
  }

  /** A file as it is: the server decodes it. */
  async recognise(file, tell, stopped) {
    const token = this.token();
    const headers = { Accept: "application/x-ndjson", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const url = new URL("./v1/recognize?events=decisions", document.baseURI);
    const answer = await fetch(url, { method: "POST", body: file, headers });
    if (!answer.ok) throw new Problem((await answer.json().catch(() => ({}))).problem ?? `the server answers ${answer.status}`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done || stopped()) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      tell(lines.filter(Boolean).map((line) => JSON.parse(line)));
    }
    await reader.cancel();
  }
}

async function fetched(path, token) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(new URL(path, document.baseURI), { headers });
  if (answer.status === 401) throw new Problem("the server needs its token");
  if (!answer.ok) throw new Problem(`${path} is not on this server (${answer.status})`);
  return answer;
}
