"""The whole measurement: contestants, corpora and conditions in, a report out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rtser.errors import InputError
from rtser.versions import installed_version
from rtser_train.data.corpora import Recording
from rtser_train.evaluation.nonspeech import FalseAlarms
from rtser_train.intervals import poisson
from rtser_train.progress import ProgressReporter
from rtser_train.robustness.conditions import CLEAN, NOISE_OF_RELIABILITY, conditions_of
from rtser_train.robustness.contestants import Contestant
from rtser_train.robustness.hearing import Outcomes
from rtser_train.robustness.kept import Kept
from rtser_train.robustness.listening import Listening
from rtser_train.robustness.results import (
    AlarmResult,
    AlarmScore,
    ConditionResult,
    CorpusResult,
    Detail,
    JoinedResult,
    Measured,
    Report,
)
from rtser_train.robustness.scores import Scorer, reliability
from rtser_train.robustness.selection import MERGED, Selection, merges, select
from rtser_train.robustness.sounds import Sounds

POOLED = "all together"


@dataclass(frozen=True)
class Request:
    """What is to be measured.

    Attributes:
        contestants: one, or two that are compared.
        roots: where each corpus lies.
        sounds: noise, rooms, and sounds without speech.
        groups: groups of conditions.
        merge: FROM=TO, what corpus emotions count as; None: as in the training, or calm as neutral.
        limit: maximum number of utterances of a corpus; None for all.
        speakers: only these; all if empty.
        seed: of all draws.
        command: the command that asked for it.
    """

    contestants: tuple[Contestant, ...]
    roots: Mapping[str, Path]
    sounds: Sounds
    groups: Collection[str]
    merge: Sequence[str] | None
    limit: int | None
    speakers: Collection[str]
    seed: int
    command: str


def measure(request: Request, kept: Path, reporter: ProgressReporter, jobs: int = -1) -> Report:
    """Measure; an interrupted measurement goes on.

    Args:
        request: what to measure.
        kept: folder of the results so far.
        reporter: reports the progress.
        jobs: processes; -1 for one per core.

    Raises:
        InputError: a corpus or a recording cannot be read, or nothing is left to measure on.
        OutputError: a result cannot be kept.
    """
    contestants = _named_apart(request.contestants)
    store = Kept(kept)
    listening = Listening(request.sounds.material, store, reporter, jobs)
    selections = _selections(request, contestants)
    corpora = {
        selection.corpus: _corpus(request, contestants, selection, listening, reporter) for selection in selections
    }
    alarms = []
    if "nonspeech" in request.groups and "nonspeech" not in request.sounds.missing:
        alarms = _alarms(request.sounds, contestants, listening)
    if store.found:
        reporter.line(f"{store.found} results were measured by an earlier call")
    return Report(
        rtser=installed_version("rtser") or "",
        written=datetime.now(UTC).isoformat(timespec="seconds"),
        command=request.command,
        seed=request.seed,
        models=[_measured(one) for one in contestants],
        corpora=corpora,
        alarms=alarms,
        notes=[*request.sounds.notes, *notes_of(request, contestants)],
    )


def _named_apart(contestants: Sequence[Contestant]) -> list[Contestant]:
    """The contestants, with names that differ."""
    if len({one.name for one in contestants}) == len(contestants):
        return list(contestants)
    return [replace(one, name=f"{one.name} {number}") for number, one in enumerate(contestants, start=1)]


def _selections(request: Request, contestants: Sequence[Contestant]) -> list[Selection]:
    labels = [label for label in contestants[0].labels if all(label in one.labels for one in contestants)]
    if not labels:
        raise InputError("the models have no label in common, so they cannot be compared")
    merge = merges(request.merge, labels, contestants[0].merge or MERGED)
    asked = set(request.speakers)

    found: set[str] = set()
    keys: set[tuple[str, str]] = set()

    def wanted(recording: Recording) -> bool:
        if asked and recording.speaker not in asked and recording.group not in asked:
            return False
        found.update({recording.speaker, recording.group})
        keys.add(recording.key)
        return all(one.part_of(recording) is not None for one in contestants)

    selections = [
        select(corpus, root, labels, merge, wanted, request.limit, request.seed)
        for corpus, root in request.roots.items()
    ]
    if asked - found:
        raise InputError(
            f"--speakers: no corpus has a speaker {min(asked - found)}", "name them as the corpus does, with commas"
        )
    tested = {key for one in contestants for part in one.parts for key in part.tests or () if key[0] in request.roots}
    if not asked and tested - keys:
        raise InputError(
            f"{' '.join(min(tested - keys))} was tested and is no longer there",
            "say where its corpus lies with --data or --corpus",
        )
    return selections


def _corpus(
    request: Request,
    contestants: Sequence[Contestant],
    selection: Selection,
    listening: Listening,
    reporter: ProgressReporter,
) -> CorpusResult:
    """Measure on one corpus."""
    scorer = Scorer(selection, request.seed)
    clean: list[Outcomes] = []
    noisy: list[Outcomes] = []
    results = []
    for condition in conditions_of(set(request.groups) - request.sounds.missing):
        outcomes = [listening.outcomes(one, selection, condition) for one in contestants]
        if condition == CLEAN:
            clean = outcomes
        if condition.name == NOISE_OF_RELIABILITY:
            noisy = outcomes
        scores = [
            scorer.score(said, one.label_threshold, None if condition == CLEAN else before)
            for said, before, one in zip(outcomes, clean, contestants, strict=True)
        ]
        difference = scorer.difference([scorer.hits(one.decided) for one in outcomes])
        results.append(
            ConditionResult(
                name=condition.name,
                group=condition.group,
                title=condition.title,
                scores=scores,
                difference=difference,
            )
        )
        said = ", ".join(f"{one.ua.value:.1f} %" for one in scores)
        reporter.line(f"{selection.corpus}, {condition.title}: UA {said}")
    truth = selection.truth
    details = [
        Detail(
            by_sex=scorer.by_sex(one),
            by_speaker=scorer.by_speaker(one),
            confusion=scorer.confusion(one),
            answers=[*one.labels, ""],
            coverage=scorer.coverage(one),
            reliability={CLEAN.name: reliability(one, truth)}
            | ({NOISE_OF_RELIABILITY: reliability(noisy[number], truth)} if noisy else {}),
            curve=scorer.curve(one),
        )
        for number, one in enumerate(clean)
    ]
    return CorpusResult(
        utterances=len(selection.spoken),
        available=selection.available,
        speakers=len(selection.speakers),
        emotions=list(selection.emotions),
        merge=dict(selection.merge),
        left_out=dict(selection.left_out),
        trained_on=[one.name for one in contestants if one.trained_on(selection.corpus)],
        conditions=results,
        speech=scorer.speech(clean) if "speech" in request.groups else [],
        details=details,
        joined=_joined(scorer, contestants, selection, listening) if "joined" in request.groups else None,
    )


def _joined(
    scorer: Scorer, contestants: Sequence[Contestant], selection: Selection, listening: Listening
) -> JoinedResult | None:
    told = [listening.joined(one, selection) for one in contestants]
    if not len(told[0].places):
        return None
    scores = [scorer.joined(said, one.labels) for said, one in zip(told, contestants, strict=True)]
    return JoinedResult(utterances=len(told[0].places), scores=scores)


def _alarms(sounds: Sounds, contestants: Sequence[Contestant], listening: Listening) -> list[AlarmResult]:
    """The false alarms on each folder, and on all of them together where there are several."""
    counts = {
        name: [listening.alarms(one, name, files) for one in contestants]
        for name, files in sounds.without_speech.items()
    }
    if len(counts) > 1:
        counts[POOLED] = [FalseAlarms.pooled(column) for column in zip(*counts.values(), strict=True)]
    return [
        AlarmResult(sounds=name, files=row[0].files, hours=row[0].hours, scores=[_alarm(one) for one in row])
        for name, row in counts.items()
    ]


def _alarm(found: FalseAlarms) -> AlarmScore:
    return AlarmScore(
        alarms=found.alarms,
        an_hour=found.an_hour,
        interval=poisson(found.alarms, found.hours) if found.samples else (0.0, 0.0),
        taken_for_speech=100 * found.taken_share,
    )


def _measured(one: Contestant) -> Measured:
    return Measured(
        name=one.name,
        source=one.source,
        sha256={part.fold: part.sha256 for part in one.parts},
        labels=list(one.labels),
        label_threshold=one.label_threshold,
        trained_on=list(one.corpora),
        protocol=one.protocol,
    )


def notes_of(request: Request, contestants: Sequence[Contestant]) -> list[str]:
    """Notes to read before the figures."""
    notes = []
    for one in contestants:
        heard = [corpus for corpus in request.roots if one.trained_on(corpus)]
        if heard:
            notes.append(
                f"{one.name} was trained on {' and '.join(heard)}: its figures there are of speakers that it was "
                "trained on, and do not say how good it is for others."
            )
    for one in contestants:
        for sounds in sorted(request.sounds.without_speech):
            name, _, part = sounds.partition(",")
            if name not in one.noise:
                continue
            if not part:
                notes.append(f"{one.name} was trained with sounds of {name}: its false alarms there are too few.")
            elif name not in one.held_out:
                notes.append(
                    f"{one.name} was trained with noise from {name}. Only the third of it that is held out is used "
                    "here; whether its training left that third out is not known."
                )
    return notes
