"""95 % intervals by bootstrap over speakers, because the utterances of one speaker are not independent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import bootstrap, chi2

from rtser_train.metrics import RESAMPLES

Interval = tuple[float, float]
Floats = NDArray[np.float64]


def mean_of_recalls(units: Sequence[str], emotions: ArrayLike, values: ArrayLike, seed: int) -> Interval | None:
    """The interval of the mean over emotions of the mean of `values` in each, times 100.

    With values of 0 and 1 (wrong or right) this is the UA in per cent; with differences between two systems' values,
    it is the difference of their UAs. An emotion that a resample lacks is left out of its mean.

    Args:
        units: (n,), the drawn units: the speaker of each utterance.
        emotions: (n,), the emotion of each utterance.
        values: (n,).
        seed: of the resamples.

    Returns:
        the interval; None for fewer than two speakers.
    """
    _, rows = np.unique(np.asarray(units), return_inverse=True)
    kinds, columns = np.unique(np.asarray(emotions), return_inverse=True)
    shape = (int(rows.max(initial=-1)) + 1, len(kinds))
    sums, counts = (_table(rows, columns, shape, weights) for weights in (values, np.ones(len(rows))))

    def statistic(drawn: NDArray[np.int64], axis: int = -1) -> Floats:
        total, size = (np.take(one, drawn, axis=0).sum(axis=axis - 1) for one in (sums, counts))
        recalls = np.divide(total, size, out=np.zeros_like(total), where=size > 0)
        return np.asarray(100 * recalls.sum(-1) / (size > 0).sum(-1))

    return _percentiles(shape[0], statistic, seed)


def ratio(units: Sequence[str], parts: ArrayLike, wholes: ArrayLike, seed: int) -> Interval | None:
    """The interval of the sum of `parts` over that of `wholes`, in per cent.

    Args:
        units: (n,), the drawn units.
        parts: (n,), the counts.
        wholes: (n,), the totals.
        seed: of the resamples.

    Returns:
        the interval; None for fewer than two speakers. A resample without a whole counts as 0.
    """
    _, rows = np.unique(np.asarray(units), return_inverse=True)
    size = int(rows.max(initial=-1)) + 1
    above, below = (np.bincount(rows, np.asarray(one, np.float64), minlength=size) for one in (parts, wholes))

    def statistic(drawn: NDArray[np.int64], axis: int = -1) -> Floats:
        total = below[drawn].sum(axis=axis)
        return np.asarray(
            np.divide(100 * above[drawn].sum(axis=axis), total, out=np.zeros_like(total), where=total > 0)
        )

    return _percentiles(size, statistic, seed)


def poisson(events: int, exposure: float) -> Interval:
    """The exact interval of a rate, from the number of events and the time."""
    low = float(chi2.ppf(0.025, 2 * events)) / 2 if events else 0.0
    return low / exposure, float(chi2.ppf(0.975, 2 * events + 2)) / 2 / exposure


def _table(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int], weights: ArrayLike) -> Floats:
    table = np.zeros(shape)
    np.add.at(table, (rows, columns), np.asarray(weights, np.float64))
    return table


def _percentiles(units: int, statistic: Callable[..., Floats], seed: int) -> Interval | None:
    if units < 2:
        return None
    found = bootstrap(
        (np.arange(units),),
        statistic,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=100,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)
