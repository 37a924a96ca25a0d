"""What a report says, in words and tables, and the files that it is written into. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from rtser.words import counted
from rtser_train.evaluation.streaming import FILE_DECISION
from rtser_train.files import replacing
from rtser_train.robustness.document import Block, Code, Heading, Paragraph, Picture, Table, as_html, as_markdown
from rtser_train.robustness.figures import as_svg, clean_figure, conditions_figure
from rtser_train.robustness.results import CorpusResult, CoveragePoint, Detail, GroupScore, Report, Share
from rtser_train.robustness.words import (
    BY_SPEAKER,
    CONDITIONS,
    CONFIDENCE,
    JOINED,
    NO_SPEECH,
    PROTOCOL,
    SPEECH,
    THRESHOLD,
)

COVERAGES = (10, 20, 30, 50, 70, 90, 100)
RISKS = (10, 20, 30, 40, 50)


def write_report(report: Report, folder: Path) -> str:
    """Write report.json, report.md and report.html into a folder.

    Returns:
        the Markdown.

    Raises:
        OutputError: a file cannot be written.
    """
    report.write(folder / "report.json")
    blocks = list(contents(report))
    markdown = as_markdown(blocks)
    for name, text in (("report.md", markdown), ("report.html", as_html(blocks, _title(report)))):
        with replacing(folder / name) as part:
            part.write_text(text, encoding="utf-8")
    return markdown


def _title(report: Report) -> str:
    return f"How robust is {' beside '.join(one.name for one in report.models)}?"


def contents(report: Report) -> Iterator[Block]:
    """The report's blocks in order."""
    names = [one.name for one in report.models]
    yield Heading(1, _title(report))
    yield Code(report.command)
    for one in report.models:
        files = ", ".join(f"{fold} {digest[:12]}".strip() for fold, digest in one.sha256.items())
        yield Paragraph(f"{one.name} ({one.source}): {one.protocol}. SHA-256 {files}. Labels: {', '.join(one.labels)}.")
    yield Paragraph(f"rtser {report.rtser}, {report.written}, seed {report.seed}.")
    for note in report.notes:
        yield Paragraph(note, warns=True)
    yield Paragraph(PROTOCOL.format(decision=FILE_DECISION))
    for corpus, result in report.corpora.items():
        yield from _corpus(corpus, result, names)
    if report.alarms:
        yield from _alarms(report, names)


def _corpus(corpus: str, result: CorpusResult, names: Sequence[str]) -> Iterator[Block]:
    yield Heading(2, corpus)
    chosen = (
        "" if result.utterances == result.available else f" of {result.available}, balanced over emotions and speakers"
    )
    merged = "".join(f", {source} counted as {to}" for source, to in result.merge.items())
    out = ", ".join(f"{count} of {emotion}" for emotion, count in result.left_out.items())
    yield Paragraph(
        f"{counted(result.utterances, 'utterance')}{chosen}; {counted(result.speakers, 'speaker')}; "
        f"{', '.join(result.emotions)}{merged}; "
        f"chance {100 / len(result.emotions):.1f} %." + (f" Left out: {out}." if out else "")
    )
    if result.trained_on:
        yield Paragraph(f"{', '.join(result.trained_on)}: trained on these speakers.", warns=True)
    yield Heading(3, f"{corpus}: conditions")
    yield Paragraph(CONDITIONS)
    yield from _conditions(result, names)
    yield Picture(f"UA by condition, {corpus}", as_svg(conditions_figure(result, names, corpus)))
    if result.details:
        yield Picture(f"Confidence and seconds of speech, {corpus}", as_svg(clean_figure(result, names)))
    if result.speech:
        yield Heading(3, f"{corpus}: the first seconds of speech")
        yield Paragraph(SPEECH)
        yield _speech(result, names)
    if result.joined:
        yield Heading(3, f"{corpus}: one utterance after another")
        yield Paragraph(JOINED.format(count=result.joined.utterances))
        head = ["", "named %", "right of named %", "right of all %"]
        rows = zip(names, result.joined.scores, strict=True)
        yield Table(head, [[name, *map(_share, (one.named, one.right_of_named, one.right))] for name, one in rows])
    yield from _clean(corpus, result, names)


def _conditions(result: CorpusResult, names: Sequence[str]) -> Iterator[Block]:
    """A table for each model, and one that compares two."""
    for number, name in enumerate(names):
        head = ["UA of " + name, "UA %", "less clean", "no decision %", "ECE %", "named %", "right of named %"]
        rows = []
        for row in result.conditions:
            one = row.scores[number]
            figures = [_share(one.ua), _share(one.less_clean, sign=True), f"{one.undecided:.1f}"]
            figures += [_figure(one.calibration_error), _share(one.named), _share(one.right_of_named)]
            rows.append([row.title, *figures])
        yield Table(head, rows)
    if len(names) > 1:
        head = ["UA %", *names, f"{names[1]} less {names[0]}"]
        yield Table(
            head,
            [
                [row.title, *(_figure(one.ua.value) for one in row.scores), _share(row.difference, sign=True)]
                for row in result.conditions
            ],
        )


def _speech(result: CorpusResult, names: Sequence[str]) -> Table:
    columns = [[f"{name}: UA %" if len(names) > 1 else "UA %", "% of its final UA", "no decision %"] for name in names]
    head = ["seconds of speech", *chain(*columns)]
    head += [f"{names[1]} less {names[0]}"] if len(names) > 1 else []
    rows = []
    for row in result.speech:
        cells = [(_share(one.ua), _figure(one.share), _figure(one.undecided)) for one in row.scores]
        more = [_share(row.difference, sign=True)] if row.difference else []
        rows.append([f"{row.seconds:g}", *chain(*cells), *more])
    return Table(head, rows)


def _clean(corpus: str, result: CorpusResult, names: Sequence[str]) -> Iterator[Block]:
    """Clean speech in detail: by sex, speaker and emotion, confusions, and how far confidence can be trusted."""
    yield Heading(3, f"{corpus}: clean speech in detail")
    yield Paragraph(BY_SPEAKER)
    rows = [
        [f"{label}{_of(name, names)}", _share(one.ua), str(one.utterances), str(one.speakers)]
        for name, detail in zip(names, result.details, strict=True)
        for label, one in (*detail.by_sex.items(), *_spread(detail))
    ]
    if rows:
        yield Table(["who", "UA %", "utterances", "speakers"], rows)
    scores = result.conditions[0].scores
    yield Table(
        ["recall %", *result.emotions],
        [
            [name, *(f"{one.recall[emotion]:.1f}" for emotion in result.emotions)]
            for name, one in zip(names, scores, strict=True)
        ],
    )
    for name, detail in zip(names, result.details, strict=True):
        answers = [answer or "no decision" for answer in detail.answers]
        yield Table(
            [f"utterances{_of(name, names)}: is, taken for", *answers],
            [[is_, *map(str, row)] for is_, row in zip(result.emotions, detail.confusion, strict=True)],
        )
    yield Paragraph(CONFIDENCE)
    yield Table(
        ["wrong %, of the most confident", *(f"{coverage} %" for coverage in COVERAGES)],
        [
            [name, *(f"{detail.coverage[coverage - 1].risk:.1f}" for coverage in COVERAGES)]
            for name, detail in zip(names, result.details, strict=True)
        ],
    )
    yield Paragraph(THRESHOLD)
    yield Table(
        ["largest share of wrong labels", *(f"{risk} %" for risk in RISKS)],
        [
            [name, *(_threshold(detail.threshold(risk)) for risk in RISKS)]
            for name, detail in zip(names, result.details, strict=True)
        ],
    )


def _threshold(point: CoveragePoint | None) -> str:
    """A threshold, and the share of the utterances that it names."""
    return "-" if point is None else f"{point.confidence:.3f}: {point.coverage:.0f} %"


def _spread(detail: Detail) -> list[tuple[str, GroupScore]]:
    """The worst, the median and the best speaker."""
    ranked = sorted(detail.by_speaker.items(), key=lambda item: item[1].ua.value or 0.0)
    if not ranked:
        return []
    places = {"worst": 0, "median": (len(ranked) - 1) // 2, "best": len(ranked) - 1}
    return [(f"{word} speaker ({ranked[place][0]})", ranked[place][1]) for word, place in places.items()]


def _alarms(report: Report, names: Sequence[str]) -> Iterator[Block]:
    yield Heading(2, "Where nobody speaks")
    yield Paragraph(NO_SPEECH)
    rows = [
        [
            f"{row.sounds}{_of(name, names)}",
            str(row.files),
            f"{60 * row.hours:.1f}",
            str(one.alarms),
            f"{one.an_hour:.1f} ({one.interval[0]:.1f} to {one.interval[1]:.1f})",
            f"{one.taken_for_speech:.1f}",
        ]
        for row in report.alarms
        for name, one in zip(names, row.scores, strict=True)
    ]
    yield Table(["sounds", "files", "minutes", "false alarms", "an hour", "taken for speech %"], rows)


def _of(name: str, names: Sequence[str]) -> str:
    return f", {name}" if len(names) > 1 else ""


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _share(share: Share | None, sign: bool = False) -> str:
    """A figure with its interval."""
    if share is None or share.value is None:
        return ""
    form = "+.1f" if sign else ".1f"
    interval = "" if share.interval is None else f" ({share.interval[0]:{form}} to {share.interval[1]:{form}})"
    return f"{share.value:{form}}{interval}"
