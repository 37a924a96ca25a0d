"""The decider for one stream, written plainly in Python: what the vectorised one is held to."""

from __future__ import annotations

import math

from rtser.engine.decider import FULL_HOPS, HOP_S, KNOWING


class ReferenceDecider:
    def __init__(self, kinds, label_threshold, settings):
        self.settings, self.kinds = settings, kinds
        self.enter, self.leave = settings.thresholds(label_threshold)
        self.share = 1 - math.exp(-HOP_S / settings.smoothing_s) if settings.smoothing_s else 1.0
        self.hold, self.report = round(settings.hold_s / HOP_S), round(settings.report_s / HOP_S)
        durations_s = settings.onset_s, settings.hangover_s, settings.silence_s
        self.onset, self.hangover, self.silence = (max(1, round(seconds / HOP_S)) for seconds in durations_s)
        self.close()
        self.drop_label()

    def close(self):
        self.hops = self.silent = 0
        self.sums, self.weight = [0.0] * self.kinds, 0.0

    def drop_label(self):
        self.label, self.held, self.average = None, 0, None

    @property
    def idle(self):
        return self.hops == 0

    def push(self, segment, speech, emotions):
        """Speaking, label, confidence, leaning, its confidence, utterance as (first, last, means, final) or None."""
        begun = self.hops >= self.onset
        if speech >= (self.settings.speech_leave if begun else self.settings.speech_enter):
            if not self.hops:
                self.first = self.told = segment
            self.hops += 1
            self.silent = 0
            self.last = segment
            if any(emotions):
                weight = speech * (min(self.hops, FULL_HOPS) / FULL_HOPS) ** KNOWING
                self.weight += weight
                self.sums = [total + weight * value for total, value in zip(self.sums, emotions, strict=True)]
        elif begun:
            self.silent += 1
        else:
            self.close()
        speaking = self.hops >= self.onset and self.silent < self.hangover
        leaning = None
        if speaking and any(emotions):
            self.choose(emotions)
            leaning = max(range(self.kinds), key=self.average.__getitem__)
        else:
            self.drop_label()
        told = self.tell(segment)
        confidence = self.average[self.label] if self.label is not None else None
        return speaking, self.label, confidence, leaning, None if leaning is None else self.average[leaning], told

    def choose(self, emotions):
        before = self.average or emotions
        self.average = [old + self.share * (new - old) for old, new in zip(before, emotions, strict=True)]
        self.held += 1
        if self.label is not None and self.held < self.hold:
            return
        best = max(range(self.kinds), key=self.average.__getitem__)
        label = best if self.average[best] >= self.enter else None
        if label is None and self.label is not None and self.average[self.label] >= self.leave:
            return
        if label != self.label:
            self.label, self.held = label, 0

    def tell(self, segment):
        ends = self.silent >= self.silence
        if not ends and not (self.hops >= self.onset and segment - self.told >= self.report):
            return None
        self.told = segment
        means = [total / self.weight for total in self.sums] if self.weight else None
        told = (self.first, self.last, means, ends) if means else None
        if ends:
            self.close()
        return told
