// The page: what its buttons do.

import { BrowserEngine, Problem, ServerEngine } from "./engines.js";
import { decoded, feed, Microphone } from "./sound.js";
import { View } from "./view.js";

const at = (id) => document.getElementById(id);
const token = () => at("token").value.trim();
const engines = { browser: new BrowserEngine(token), server: new ServerEngine(token) };
const view = new View(document);

const PART = 5000; // events that are kept as objects; older ones are kept as text
const MOST_WAITING_S = 5;

let events = []; // of this session
const older = []; // Blobs of JSON lines
let current = null; // the run, from the press of a button to its end
let arrivals = []; // [seconds of sound so far, when they came], of the microphone
let threshold = null;
let windowSegments = 62;

at("controls").onsubmit = (event) => event.preventDefault();
at("start").onclick = () => run(listen);
at("choose").onclick = () => at("file").click();
at("stop").onclick = stop;
at("save").onclick = save;
at("file").onchange = () => {
  const [file] = at("file").files;
  at("file").value = "";
  if (file) run((one) => recognise(one, file));
};
addEventListener("dragover", (event) => {
  event.preventDefault();
  at("drop").classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) at("drop").classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) run((one) => recognise(one, file));
});
describe();

/** Whether onnxruntime-web lies beside this page. */
async function hasRuntime() {
  const answer = await fetch(new URL("./ort/ort.wasm.min.mjs", import.meta.url), { method: "HEAD" }).catch(() => null);
  return Boolean(answer?.ok);
}

/** Learn what the server and the model are; without a server the page works all the same, in the browser. */
async function describe() {
  const browser = document.querySelector('input[value="browser"]');
  if (!(await hasRuntime())) {
    browser.disabled = true;
    browser.parentElement.append(" (needs onnxruntime-web: tools/get_web_runtime.sh)");
    document.querySelector('input[value="server"]').checked = true;
  }
  const server = document.querySelector('input[value="server"]');
  try {
    const answer = await fetch("./v1/models");
    if (answer.status === 401) at("token-label").hidden = false;
    else if (!answer.ok) throw new Error();
  } catch {
    server.disabled = true;
    server.parentElement.append(" (there is none behind this page)");
  }
}

function chosen() {
  return document.querySelector('input[name="engine"]:checked').value;
}

/** Do something from its start to its end, with the buttons as they have to be. */
async function run(what) {
  if (current) return;
  const one = { stopped: false, open: false, problem: null, microphone: null, engine: engines[chosen()] };
  one.over = new Promise((done, fail) => Object.assign(one, { done, fail }));
  one.over.catch(() => {});
  current = one;
  busy(true);
  try {
    say(chosen() === "browser" ? "Loading the model." : "Calling the server.");
    await one.engine.load();
    const { about } = one.engine;
    if (about) {
      windowSegments = about.window;
      threshold = about.decide?.label_threshold ?? about.label_threshold;
    }
    if (!one.stopped) await what(one);
    say(one.problem ?? (one.stopped ? "Stopped." : one.said), Boolean(one.problem));
  } catch (error) {
    if (!(error instanceof Problem)) console.error(error);
    say(error.message, true);
  } finally {
    await one.microphone?.stop();
    one.engine.close();
    current = null;
    busy(false);
  }
}

async function listen(one) {
  arrivals = [];
  let seconds = 0;
  let skipped = 0;
  let rate = 16000;
  one.microphone = new Microphone();
  const take = (part) => {
    if (!one.open || one.stopped) return;
    seconds += part.length / rate;
    if (one.engine.waiting > MOST_WAITING_S * rate) {
      skipped += part.length;
      return;
    }
    if (skipped) one.engine.broken(skipped);
    skipped = 0;
    arrivals.push([seconds, performance.now()]);
    one.engine.push(part);
  };
  const started = await one.microphone.start(take, one.engine === engines.server);
  if (one.stopped || !started) return;
  rate = started.rate;
  one.microphone.onlost = () => {
    one.problem = "the microphone has gone";
    stop();
  };
  await open(one, started.name, rate);
  if (!one.stopped) say(`Listening to ${started.name}.`);
  await one.over;
}

async function recognise(one, file) {
  say(`Reading ${file.name}.`);
  arrivals = [];
  one.said = `${file.name}: done.`;
  if (one.engine === engines.server) {
    await one.engine.recognise(file, (told) => take(one, told), () => one.stopped);
    return;
  }
  const samples = await decoded(file);
  if (one.stopped) return;
  await open(one, file.name, 16000);
  await feed(one.engine, samples, () => one.stopped, (share) => say(`${file.name}: ${Math.floor(100 * share)} %`));
  if (!one.stopped) one.engine.finish();
  await one.over;
}

/** Open the engine; where Stop was pressed meanwhile, end it at once. */
async function open(one, source, rate) {
  await one.engine.open((told) => take(one, told), source, rate);
  one.open = true;
  if (one.stopped) one.engine.finish();
}

/** Take what an engine tells. */
function take(one, told) {
  const now = performance.now();
  for (const event of told) {
    if (event.type === "closed") {
      one.fail(new Problem(one.problem ?? event.detail)); // where the run has ended already, nothing happens
      continue;
    }
    keep(event);
    if (event.type === "start") view.begin(event.model.labels, windowSegments, threshold);
    if (event.type === "error") {
      one.problem = event.detail;
      say(event.detail, true);
    }
    view.take(event, event.type === "decision" ? lateness(event.time, now) : undefined);
    if (event.type === "end") one.done();
  }
  at("save").disabled = false;
}

function keep(event) {
  events.push(event);
  if (events.length > 2 * PART) older.push(new Blob(lines(events.splice(0, PART))));
}

function lateness(time, now) {
  while (arrivals.length && arrivals[0][0] < time - 1e-6) arrivals.shift();
  return arrivals.length ? now - arrivals[0][1] : undefined;
}

/** End the run: the microphone at once, the rest when the last events have come, or after some seconds without them. */
function stop() {
  const one = current;
  if (!one || one.stopped) return;
  one.stopped = true;
  one.microphone?.stop();
  if (one.open) one.engine.finish();
  setTimeout(() => one.done(), 5000);
}

/** The events as JSON lines. */
function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([...older, ...lines(events)], { type: "application/x-ndjson" }));
  link.download = `rtser-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.jsonl`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function lines(some) {
  return some.map((event) => `${JSON.stringify(event)}\n`);
}

function busy(is) {
  at("start").disabled = at("choose").disabled = at("engines").disabled = is;
  at("stop").disabled = !is;
}

function say(sentence, problem = false) {
  at("status").textContent = sentence;
  at("status").classList.toggle("problem", problem);
}

globalThis.rtser = { events: () => events };
