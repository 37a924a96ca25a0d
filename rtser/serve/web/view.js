// What is seen: the emotion now, a bar for each, the strip of the last minute, the utterances, the figures.

const STRIP_HOPS = 1000;
const OTHERS = ["#e69f00", "#0072b2", "#8dd3c7", "#fb8072", "#bebada"];
const KNOWN = ["angry", "fear", "happy", "neutral", "sad", "surprise"];

/** A probability as a whole percentage, rounded down: 0.3999 is not shown as 40 % beside a threshold of 40 %. */
export function percent(probability) {
  return `${Math.floor(100 * probability + 1e-9)} %`;
}

/** Seconds as m:ss.t. */
export function clockTime(seconds) {
  const tenths = Math.round(seconds * 10);
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}

export class View {
  constructor(root) {
    this.at = (id) => root.getElementById(id);
    this.strip = this.at("strip");
    this.begin([], 1);
    new ResizeObserver(() => this.#drawStrip()).observe(this.strip);
  }

  /** A run begins: its emotions, the decision window in segments, the label threshold. */
  begin(labels, window, threshold = null) {
    this.labels = labels;
    this.window = window;
    this.moments = [];
    this.hops = 0;
    this.latest = null;
    this.late = [];
    this.at("utterances").replaceChildren();
    this.at("none").hidden = false;
    this.at("bars").replaceChildren(...labels.flatMap((label) => this.#row(label, threshold)));
    this.#headline(null);
    this.#drawStrip();
    this.#figures();
  }

  /** Let an event change what is seen; `lateMs`: how long after its sound it came, where that is known. */
  take(event, lateMs) {
    if (event.type === "decision") this.#decision(event, lateMs);
    else if (event.type === "utterance") this.#utterance(event);
    else if (event.type === "end") this.#headline(null);
    else return;
    this.pending ??= requestAnimationFrame(() => {
      this.pending = null;
      this.#draw();
    });
  }

  #decision(event, lateMs) {
    this.latest = event;
    this.hops += 1;
    let spoken = 1;
    for (const { decision } of this.moments.slice(1 - this.window).reverse()) {
      if (!decision.speaking && decision.speech < 0.5) break;
      spoken += decision.speech >= 0.5;
    }
    this.moments.push({ decision: event, weight: event.salience * spoken });
    if (this.moments.length > STRIP_HOPS) this.moments.shift();
    if (lateMs !== undefined) {
      this.late.push(lateMs);
      if (this.late.length > 1000) this.late.shift();
    }
  }

  #utterance(event) {
    const body = this.at("utterances");
    const last = body.firstElementChild;
    if (last?.dataset.start === String(event.start)) last.remove(); // it was told while it went on
    const row = document.createElement("tr");
    row.dataset.start = event.start;
    const name = event.label ?? `uncertain, leaning ${event.leaning.label}`;
    const cells = [clockTime(event.start), event.final ? clockTime(event.end) : "goes on", name, percent(event.leaning.confidence)];
    for (const [place, text] of cells.entries()) {
      const cell = row.insertCell();
      if (place === 2) {
        const mark = document.createElement("i");
        mark.style.setProperty("--of", event.label ? this.colour(event.label) : "transparent");
        cell.append(mark);
      }
      cell.append(text);
    }
    body.prepend(row);
    while (body.childElementCount > 200) body.lastElementChild.remove();
    this.at("none").hidden = true;
  }

  #draw() {
    this.#headline(this.latest);
    this.#drawStrip();
    this.#figures();
  }

  #headline(decision) {
    const headline = this.at("headline");
    const label = decision?.label;
    const leaning = decision?.leaning;
    headline.textContent = label ?? (decision?.speaking ? "uncertain" : "nobody speaks");
    headline.classList.toggle("quiet", !label);
    headline.style.setProperty("--of", label ? this.colour(label) : "var(--line)");
    const said = label ? percent(decision.confidence) : leaning ? `leaning ${leaning.label}, ${percent(leaning.confidence)}` : "";
    this.at("leaning").textContent = said || "\u00a0";
    for (const name of this.labels) {
      const share = decision?.speaking ? (decision.emotions?.[name] ?? 0) : 0;
      const bar = this.at(`bar-${name}`);
      bar.querySelector("i").style.width = `${100 * share}%`;
      bar.setAttribute("aria-valuenow", Math.round(100 * share));
      this.at(`share-${name}`).textContent = decision?.speaking ? percent(share) : "\u2013";
    }
  }

  #row(label, threshold) {
    const term = document.createElement("dt");
    term.textContent = label;
    term.id = `name-${label}`;
    const cell = document.createElement("dd");
    const bar = document.createElement("div");
    bar.className = "bar";
    bar.id = `bar-${label}`;
    for (const [name, value] of Object.entries({ role: "meter", "aria-valuemin": 0, "aria-valuemax": 100, "aria-labelledby": term.id }))
      bar.setAttribute(name, value);
    bar.style.setProperty("--of", this.colour(label));
    bar.append(document.createElement("i"));
    if (threshold) {
      const mark = document.createElement("b");
      mark.style.left = `${100 * threshold}%`;
      mark.title = "from here on an emotion is named";
      bar.append(mark);
    }
    cell.append(bar);
    const share = document.createElement("dd");
    share.id = `share-${label}`;
    share.textContent = "\u2013";
    return [term, cell, share];
  }

  #drawStrip() {
    const { strip, moments } = this;
    const scale = globalThis.devicePixelRatio || 1;
    strip.width = Math.max(1, Math.round(strip.clientWidth * scale));
    strip.height = Math.max(1, Math.round(strip.clientHeight * scale));
    const pen = strip.getContext("2d");
    const wide = strip.width / STRIP_HOPS;
    const begin = STRIP_HOPS - moments.length;
    for (const [place, { decision, weight }] of moments.entries()) {
      if (decision.speech < 0.5 || !decision.emotions) continue;
      const likeliest = Object.entries(decision.emotions).reduce((best, one) => (one[1] > best[1] ? one : best))[0];
      const tall = strip.height * Math.min(1, 0.12 + 0.35 * weight);
      pen.fillStyle = this.colour(likeliest);
      pen.globalAlpha = decision.label ? 1 : 0.45;
      pen.fillRect((begin + place) * wide, strip.height - tall, Math.ceil(wide), tall);
    }
  }

  #figures() {
    const sorted = [...this.late].sort((one, other) => one - other);
    const late = sorted.length
      ? `, from sound to decision ${sorted[sorted.length >> 1].toFixed(0)} ms, at most ${sorted.at(-1).toFixed(0)} ms`
      : "";
    this.at("figures").textContent = this.hops ? `${this.hops} decisions${late}.` : "";
  }

  /** The colour of an emotion, the same wherever it is drawn. */
  colour(label) {
    if (KNOWN.includes(label)) return getComputedStyle(document.documentElement).getPropertyValue(`--${label}`).trim();
    return OTHERS[this.labels.filter((one) => !KNOWN.includes(one)).indexOf(label) % OTHERS.length];
  }
}
