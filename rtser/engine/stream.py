"""Stream: it takes one stream of samples and gives decisions and utterances."""

from __future__ import annotations

from collections.abc import Iterator

from rtser.engine.bank import Bank, Decisions
from rtser.engine.contract import SAMPLE_RATE, Float32
from rtser.engine.decider import DecideSettings
from rtser.engine.decision import Decision, Utterance
from rtser.engine.model import Model
from rtser.engine.voice import StreamVoice


class Stream:
    """A `Bank` of one stream. You may cut the samples in any way: the decisions are the same, bit for bit.

    Args and errors: those of `Bank`; `voice` is that of `Bank.open`.

    Attributes:
        samples: how many were pushed since the last `reset`.
        window: length of the decision window in segments.
    """

    def __init__(
        self,
        model: Model,
        window_s: float | None = None,
        decide: DecideSettings | None = None,
        embeddings: bool = False,
        voice: StreamVoice | None = None,
    ) -> None:
        self._bank = Bank(model, window_s, decide, embeddings)
        self._number = self._bank.open(voice)
        self.samples, self.window = 0, self._bank.window

    @property
    def time_s(self) -> float:
        """How many seconds of sound were pushed since the last `reset`."""
        return self.samples / SAMPLE_RATE

    def push(self, samples: Float32) -> list[Decision | Utterance]:
        """Take samples (`Bank.push`), and decide at the end of every segment that they complete.

        Returns:
            decisions, oldest first, each followed by the utterance that it ends or reports; often none.
        """
        found: list[Decision | Utterance] = []
        for decided in self.steps(samples):
            found.append(decided.decision(0))
            if utterance := decided.readings[0].utterance:
                found.append(utterance)
        return found

    def steps(self, samples: Float32) -> Iterator[Decisions]:
        """As `push`, one step at a time; each decides on one segment. All must be taken."""
        self._bank.push(self._number, samples)
        self.samples += len(samples)
        while self._bank.due:
            if decided := self._bank.step():
                yield decided

    def change(self, decide: DecideSettings) -> None:
        """As `Bank.change`."""
        self._bank.change(decide)

    def reset(self) -> Utterance | None:
        """Forget everything; time starts again at zero. Returns the utterance that ends by this, if any."""
        self.samples = 0
        return self._bank.reset(self._number)
