"""What stands above the tables of a report: how the figures below were measured."""

from __future__ import annotations

PROTOCOL = (
    "Every utterance is streamed from its beginning through the engine as rtser file does, a stream of its own. What "
    "counts is {decision}. The model may answer any of its labels. UA is the mean recall of the emotions named under "
    "each corpus. In brackets stands the 95 % interval by bootstrap over the speakers (2,000 resamples; an utterance "
    "of an unknown speaker is drawn alone); one speaker has none, and the interval of a few speakers is too narrow. "
    "All draws follow from the seed: an utterance meets the same piece of noise at each level of noise, and with each "
    "model the same noise and the same room."
)
CONDITIONS = (
    "Levels: louder or quieter by so much, clipped to full scale. Noise: a random piece of a recording of the held-out "
    "third of the folder, mean power over the utterance. Room: a random impulse response, at the level of the "
    "recording. Opus and MP3: libsndfile at its middle setting. Speed: as a tape, so the pitch goes along. Less clean: "
    "points of UA. No decision: such utterances count as wrong. ECE: of the utterances with a decision, ten bins, over "
    "all labels of the model. Named: the decision's probability reaches the model's label threshold."
)
SPEECH = (
    "The utterance ends after so much speech: that many segments with a speech probability above 0.5, by the model "
    "itself, the first of 0.335 s, each further one 60 ms later. Shorter utterances are heard to their end. What is "
    "decided then is what rtser file decides of the cut file; a window with too little speech is not decided on."
)
JOINED = (
    "Each speaker's utterances in random order, at most 40 in a sequence, with pauses of 0.5 to 1 s; the first of each "
    "sequence is left out ({count} remain). An utterance is named where the utterance that the recogniser tells, the "
    "one that overlaps it most, has a label."
)
BY_SPEAKER = (
    "Clean speech. By sex where the corpus's publisher says it. A speaker's UA is over the emotions that the speaker "
    "has; report.json has every speaker."
)
CONFIDENCE = (
    "Clean speech: how many are wrong (accuracy, not UA) among the utterances with the highest probability of what was "
    "decided; those without a decision come last."
)
NO_SPEECH = (
    "A false alarm: a label appears that was not there, with the default settings of rtser listen; each file is a "
    "stream of its own. In brackets the exact 95 % interval of a Poisson rate. The models of several folds are counted "
    "together."
)
