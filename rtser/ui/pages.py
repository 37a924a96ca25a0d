"""The other pages of the view: the figures of the run, help, and the choice of devices."""

from __future__ import annotations

from textwrap import wrap

from rich.text import Text

import rtser
from rtser.engine.contract import SAMPLE_RATE
from rtser.statistics import summary_ms
from rtser.ui.bars import MARK
from rtser.ui.style import DIM, clock_time, percent
from rtser.ui.view_state import ViewState

TERM_CELLS, FACT_CELLS = 16, 11
WIDEST = 100
"""Longer lines are hard to read."""
HELP = {
    "large word": "The emotion that is named now, and its probability. It follows the average of the last decisions, "
    "so that it does not flicker, and may differ from the longest bar for a moment. held: its probability has fallen "
    "below the threshold, but not by 10%, or not for long.",
    "uncertain": "Somebody speaks, but no emotion reaches the threshold. The likeliest one is shown dim, with a "
    "question mark. It may well be wrong.",
    "no speech": "Nobody speaks, or the sound does not resemble speech. No emotion is shown then.",
    "level": "How loud the sound is, in dB of full scale; -40 to -10 is good. no signal: nothing arrives. too quiet: "
    "nothing was louder than -60 dB for 10 s. clipping: the sound is too loud, and its peaks are cut off.",
    "speech": "How likely it is that the last third of a second holds speech.",
    "bars": f"The probability of each emotion over the window. {MARK} is the threshold. Empty without speech.",
    "emotion": "The emotions over time; now is at the right. Colour and word: the emotion (a word that does not fit "
    "is left out). Brightness: its probability. ░: uncertain. Empty: no speech.",
    "attention": "How much each moment counts for the decision, relative to an even share.",
    "utterance": "Speech without a pause, newest first: its time, the emotion, its probability, and the next "
    "likeliest emotions. …: it has not ended yet.",
}
KEY_HELP = {
    "q": "Quit. A summary is left on the terminal. Ctrl-C does the same, with exit code 130.",
    "space": "Pause, or continue. During a pause a file waits; the sound of a microphone is thrown away.",
    "d": "Choose the device to listen to.",
    "+-": "Change the threshold from which an emotion is named, in steps of 5%. Lower: more emotions, and more errors.",
    "w": "Change the length of the decision window: 1, 2, 4 or 8 s. Shorter: quicker, and less sure.",
    "r": "Restart: forget everything heard so far.",
    "s": "Save the last minute, sound and events, as rtser-DATE-TIME.flac and .jsonl in the current folder.",
    "f": "Show the figures of the run: the model, times, missing sound.",
    "h": "Show this help (also ?); press again for its next part, and to go back.",
}


def help_page(state: ViewState, width: int, height: int) -> list[Text]:
    """The present part of the help; also sets the number of parts."""
    entries = [*HELP.items(), *((f"{key} {word}", KEY_HELP[key]) for key, word in state.keys.items())]
    parts: list[list[Text]] = [[]]
    for term, meaning in entries:
        rows = _entry(term, meaning, min(width, WIDEST))
        if parts[-1] and len(parts[-1]) + len(rows) > height:
            parts.append([])
        parts[-1] += rows[:height]
    state.parts, state.part = len(parts), min(state.part, len(parts) - 1)
    return parts[state.part]


def _entry(term: str, meaning: str, width: int) -> list[Text]:
    """A term and its meaning, side by side, or one below the other if the terminal is narrow."""
    if width < 4 * TERM_CELLS:
        return [Text(f" {term}", style="bold"), *(Text(f"   {line}") for line in wrap(meaning, max(10, width - 4)))]
    lines = wrap(meaning, width - TERM_CELLS - 3)
    first = Text(f" {term:<{TERM_CELLS}} ", style="bold").append(lines[0], style="not bold")
    return [first, *(Text(" " * (TERM_CELLS + 2) + line) for line in lines[1:])]


def figures_page(state: ViewState, width: int, height: int) -> list[Text]:
    """The costs and the parts of the run; as many as fit."""
    statistics, source = state.statistics, state.source
    step = summary_ms(statistics.steps_s)
    facts = {"time": clock_time(int(state.uptime_s))[:-2]}
    if step["p50"] is not None:
        facts["a decision"] = f"takes {step['p50']:.1f} ms of 60 (p99 {step['p99']:.1f}, most {step['max']:.1f})"
    if statistics.latency_s is not None:
        facts["delay"] = f"{1000 * statistics.latency_s:.0f} ms from the last sample to the decision"
    facts["lost sound"] = (
        f"{statistics.dropped_samples / SAMPLE_RATE:.1f} s dropped, because it came late or during a pause; "
        f"{statistics.missing_samples / SAMPLE_RATE:.0f} s missing, while the source was lost"
    )
    if source:
        rate = statistics.sample_rate or source.sample_rate
        rates = f"{rate / 1000:g} kHz" if rate == SAMPLE_RATE else f"{rate / 1000:g} to {SAMPLE_RATE / 1000:g} kHz"
        facts["sound"] = f"{rates}, {statistics.level_db:.0f} dB"
        facts["model"] = f"{source.model.name} ({source.model.sha256[:12]})"
        facts["runs on"] = source.provider.removesuffix("ExecutionProvider")
    if state.recorded:
        facts["recording"] = state.recorded
    facts["window"] = f"{state.window} segments" + (f", {state.window_s:g} s" if state.window_s else "")
    facts["threshold"] = "the server's" if state.threshold is None else percent(state.threshold)
    facts["rtser"] = rtser.__version__
    if source:
        facts["run"] = source.run
    rows = []
    for name, said in facts.items():
        first, *others = wrap(said, max(10, width - FACT_CELLS - 2))
        rows.append(Text(f" {name:<{FACT_CELLS}}", style=DIM).append(first, style="default"))
        rows += [Text(" " * (FACT_CELLS + 1) + line) for line in others]
    return rows[:height]


def devices_page(state: ViewState, width: int, height: int) -> list[Text]:
    """The devices to choose from, as many as fit around the selected one."""
    del width
    if state.devices is None:
        return [Text(" looking for devices ...", style=DIM)]
    if not state.devices:
        return [Text(" there is no audio input device; connect a microphone, then press d again")]
    how = Text(" choose a device: its digit, or arrows and Enter; Esc goes back", style=DIM)
    most = max(1, height - 1)
    first = max(0, min(state.chosen - most // 2, len(state.devices) - most))
    rows = []
    for at, name in enumerate(state.devices[first : first + most], first):
        digit = str(at + 1) if at < 9 else " "
        used = "  (in use)" if name == state.in_use else ""
        rows.append(Text(f" {digit}  {name}{used} ", style="reverse" if at == state.chosen else ""))
    return [how, *rows]
