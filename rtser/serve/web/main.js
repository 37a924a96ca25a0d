// The page: what its buttons do.

import { BrowserEngine, Problem, ServerEngine } from "./engines.js";
import { decoded, feed, Microphone } from "./sound.js";
import { View } from "./view.js";

const at = (id) => document.getElementById(id);
const token = () => at("token").value.trim();
const engines = { browser: new BrowserEngine(token), server: new ServerEngine(token) };
const view = new View(document);

let events = []; // of this session, for the file
let microphone = null;
let engine = null;
let ending = null; // called when the run has ended
let stopped = false;
let arrivals = []; // [samples so far, when they came], of the microphone
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
  if (file) run(() => recognise(file));
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
  if (file && !engine) run(() => recognise(file));
});
describe();

/** Learn what the server and the model are; without a server the page works all the same, in the browser. */
async function describe() {
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
  stopped = false;
  busy(true);
  try {
    engine = engines[chosen()];
    await know();
    await what();
  } catch (error) {
    if (!(error instanceof Problem)) console.error(error);
    say(error.message, true);
  } finally {
    await microphone?.stop();
    microphone = engine = null;
    busy(false);
  }
}

/** The model's labels, window and threshold, for the view. */
async function know() {
  say(chosen() === "browser" ? "Loading the model." : "Calling the server.");
  await engine.load();
  if (engine.about) ({ label_threshold: threshold, window: windowSegments } = engine.about);
}

async function listen() {
  microphone = new Microphone();
  arrivals = [];
  let samples = 0;
  let open = false;
  const name = await microphone.start((hop) => {
    if (!open || stopped) return;
    samples += hop.length;
    arrivals.push([samples, performance.now()]);
    engine.push(hop);
  });
  const ended = new Promise((done) => (ending = done));
  microphone.onlost = () => {
    say("the microphone has gone", true);
    stop();
  };
  await engine.open(take, name);
  open = true;
  say(`Listening to ${name}.`);
  await ended;
  say("Stopped.");
}

async function recognise(file) {
  say(`Reading ${file.name}.`);
  arrivals = [];
  const samples = await decoded(file);
  const ended = new Promise((done) => (ending = done));
  await engine.open(take, file.name);
  await feed(engine, samples, () => stopped, (share) => say(`${file.name}: ${Math.floor(100 * share)} %`));
  if (!stopped) engine.finish();
  await ended;
  say(`${file.name}: done.`);
}

/** Take what an engine tells. */
function take(told) {
  const now = performance.now();
  for (const event of told) {
    if (event.type === "closed") {
      ending?.();
      continue;
    }
    events.push(event);
    if (event.type === "start") view.begin(event.model.labels, windowSegments, threshold);
    if (event.type === "error") say(event.detail, true);
    view.take(event, event.type === "decision" ? lateness(event.time, now) : undefined);
    if (event.type === "end") ending?.();
  }
  at("save").disabled = false;
}

function lateness(time, now) {
  const end = Math.round(time * 16000);
  while (arrivals.length && arrivals[0][0] < end) arrivals.shift();
  return arrivals.length ? now - arrivals[0][1] : undefined;
}

function stop() {
  if (stopped || !engine) return;
  stopped = true;
  engine.finish();
}

/** The events as JSON lines. */
function save() {
  const lines = events.map((event) => `${JSON.stringify(event)}\n`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
  link.download = `rtser-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.jsonl`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function busy(is) {
  at("start").disabled = at("choose").disabled = at("engines").disabled = is;
  at("stop").disabled = !is;
}

function say(sentence, problem = false) {
  at("status").textContent = sentence;
  at("status").classList.toggle("problem", problem);
}

globalThis.rtser = { events: () => events, recognise: (file) => run(() => recognise(file)) };
