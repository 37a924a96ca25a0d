"""The texts above the tables of a report: how the figures below were measured."""

from __future__ import annotations

PROTOCOL = (
    "Every utterance is a stream of its own, streamed from its beginning through the engine as rtser file does. "
    "What counts is {decision}. The model may answer any of its labels. UA is the mean recall of the emotions named"
    " under each corpus. In brackets stands the 95 % interval by bootstrap over the speakers (2,000 resamples; an "
    "utterance of an unknown speaker is drawn alone). One speaker has no interval, and that of a few speakers is "
    "too narrow. All draws follow from the seed. An utterance meets the same piece of noise at each level of noise."
    " It meets the same noise and the same room with each model."
)
CONDITIONS = (
    "Levels: louder or quieter by this much, clipped to full scale. Noise: a random piece of a recording of the "
    "held-out third of the folder, mean power over the utterance, clipped to full scale. Room: a random impulse "
    "response, at the level of the recording. Opus and MP3: libsndfile at its middle setting. Speed: like a tape, so"
    " the pitch changes too. Less clean: points of UA below clean speech. No decision: such utterances count as "
    "wrong. ECE: of the utterances with a decision, ten bins, over all labels of the model. Named: the decision's "
    "probability reaches the model's label threshold."
)
SPEECH = (
    "The utterance is cut after this much speech. Speech is counted in segments to which the model itself gives a "
    "speech probability above 0.5: 0.335 s for the first, 60 ms for each further one. Shorter utterances are heard "
    "to their end. The decision is that of rtser file on the cut file. A window with too little speech has no "
    "decision."
)
JOINED = (
    "Each speaker's utterances in random order, at most 40 in a sequence, with pauses of 0.5 to 1 s. The first of "
    "each sequence is left out ({count} remain). An utterance counts as named if the recogniser's utterance that "
    "overlaps it most has a label."
)
BY_SPEAKER = (
    "Clean speech. By sex if the corpus's publisher states it. A speaker's UA is over the emotions that the speaker"
    " has. report.json has every speaker."
)
CONFIDENCE = (
    "Clean speech: how many are wrong (accuracy, not UA) among the utterances whose decision has the highest "
    "probability. Those without a decision come last."
)
THRESHOLD = (
    "The label threshold that keeps the share of wrong labels below a limit, and how many utterances of clean speech "
    "are named then. It was found on these utterances themselves, for the decision on the whole file. A dash: there is "
    "none. With fewer than a hundred utterances it is a guess."
)
NO_SPEECH = (
    "A false alarm is a label that appears, with the default settings of rtser listen. Each file is a stream of its"
    " own. In brackets stands the exact 95 % interval of a Poisson rate. The models of several folds are counted "
    "together."
)
