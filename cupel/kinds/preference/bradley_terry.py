"""Bradley-Terry: how good each response is, from comparisons by annotators of unequal skill and with a bias.

One annotator's answer on a comparison of two responses whose strengths differ by d is, with skill g > 0, position
bias b and half the width of a tie t:

    first   sigmoid( g (d - t) + b)
    second  sigmoid(-g (d + t) - b)
    tie     the rest

mixed with the annotator's chance of a slip, an answer drawn blindly. An annotator without noise or bias would
say `first` where d > t, `second` where d < -t, and `tie` between: that is the label.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]

# Places of the answers in `CLASSES`.
FIRST, SECOND, TIE = 0, 1, 2


class BradleyTerrySettings(NamedTuple):
    """How the model is fitted.

    The spread of strengths is the unit of the scale. `skill_spread` is the spread of the log of skills around their
    common one, `common_skill_spread` that of the common one around 0; `bias_spread` and `common_bias_spread` likewise
    of position biases; `width_spread` that of the log of the tie's half-width around that of `usual_width`, and
    `slip_spread` that of the log-odds of slips around those of `usual_slip`. Expectations over a normal difference
    take `nodes` points; steps are taken in turn until no habit changes by more than `tolerance`, `rounds` times at
    most, each of at most `max_iterations` iterations.
    """

    skill_spread: float = 0.75
    common_skill_spread: float = 1.5
    bias_spread: float = 0.5
    common_bias_spread: float = 1.0
    usual_width: float = 0.3
    width_spread: float = 1.0
    usual_slip: float = 0.03
    slip_spread: float = 1.0
    nodes: int = 7
    rounds: int = 40
    tolerance: float = 0.01
    max_iterations: int = 200


class BradleyTerry(NamedTuple):
    """What the model found.

    `strength` and `variance` have one entry per response, `skill` and `bias` one per annotator, `posterior` is of
    shape comparisons x (first, second, tie). `common_bias` above 0 is towards what stands first; `tie_width` is t,
    0 where no answer was a tie. `is_converged` is false where the rounds came to their end first.
    """

    strength: Reals
    variance: Reals
    skill: Reals
    bias: Reals
    common_bias: float
    tie_width: float
    posterior: Reals
    is_converged: bool


class Compared(NamedTuple):
    """Comparisons and answers as integers.

    `first` and `second` are places of responses, one entry per comparison; `comparison`, `annotator` and `answer`
    have one entry per answer.
    """

    first: Integers
    second: Integers
    comparison: Integers
    annotator: Integers
    answer: Integers
    responses: int
    annotators: int


def bradley_terry(compared: Compared, settings: BradleyTerrySettings | None = None) -> BradleyTerry:
    """Fit strengths, skills, biases and the width of ties, and say of each comparison which label is how likely.

    Two steps in turn: the strengths that are likeliest under the habits of the annotators, with their variances; and
    the habits that are likeliest when each difference of strengths is normal with those variances (together, the
    strengths would shrink to nothing while skills grow). Variances know each response by itself (the diagonal of the
    curvature), so that the labels' chances are approximate.

    Args:
        compared: Comparisons and answers; comparisons without answers are allowed.
        settings: How it is fitted.

    Returns:
        The fit. Without answers `first` and `second` are equally likely.

    Source: Bradley and Terry (1952), Biometrika 39; ties: Rao and Kupper (1967), JASA 62; annotators' skill: Chen,
    Bennett, Collins-Thompson and Horvitz (2013), WSDM.

    >>> two = Compared(*(np.array(x) for x in ([0], [1], [0, 0, 0], [0, 1, 2], [0, 0, 0])), responses=2, annotators=3)
    >>> bradley_terry(two).posterior.argmax(axis=1).tolist()
    [0]
    """
    settings = settings or BradleyTerrySettings()
    model = _Model(compared, settings)
    habits, strength = _Habits.usual(compared.annotators, settings), np.zeros(compared.responses)
    is_converged = False
    for _ in range(settings.rounds):
        strength = model.strengths(strength, habits)
        variance = model.variance(strength, habits)
        new = model.habits(habits, strength, variance)
        is_converged = bool(np.abs(new.vector - habits.vector).max() <= settings.tolerance)
        habits = new
        if is_converged:
            break
    width = habits.width if model.has_ties else 0.0
    posterior = _labels(compared, strength, variance, width)
    return BradleyTerry(
        strength, variance, habits.skill, habits.bias, habits.common_bias, width, posterior, is_converged
    )  # fmt: skip


class _Habits:
    """How annotators answer, as one vector: log skills, biases, log-odds of slips, then what they have in common."""

    def __init__(self, vector: Reals) -> None:
        self.vector = vector
        self.annotators = (len(vector) - 3) // 3
        self.common_log_skill, self.common_bias, self.log_width = (float(value) for value in vector[-3:])

    @classmethod
    def usual(cls, annotators: int, settings: BradleyTerrySettings) -> "_Habits":
        """Return the habits that nothing is known of."""
        slip = np.log(settings.usual_slip / (1 - settings.usual_slip))
        common = [0.0, 0.0, np.log(settings.usual_width)]
        return cls(np.concatenate([np.zeros(2 * annotators), np.full(annotators, slip), common]))

    @property
    def skill(self) -> Reals:
        """Skill of each annotator."""
        return np.asarray(np.exp(self.common_log_skill + self.vector[: self.annotators]))

    @property
    def bias(self) -> Reals:
        """Position bias of each annotator."""
        return np.asarray(self.common_bias + self.vector[self.annotators : 2 * self.annotators])

    @property
    def slip(self) -> Reals:
        """Chance of each annotator's slip."""
        return np.asarray(1 / (1 + np.exp(-self.vector[2 * self.annotators : 3 * self.annotators])))

    @property
    def width(self) -> float:
        """Half the width of a tie."""
        return float(np.exp(self.log_width))


class _Slopes(NamedTuple):
    """The chance of each answer, and its slopes in the difference of strengths, log skill, bias and log width."""

    chance: Reals
    difference: Reals
    log_skill: Reals
    bias: Reals
    log_width: Reals


class _Model:
    """The two steps of the fit, each an optimisation of its own."""

    def __init__(self, compared: Compared, settings: BradleyTerrySettings) -> None:
        self._compared, self._settings = compared, settings
        self._first, self._second = compared.first[compared.comparison], compared.second[compared.comparison]
        self.has_ties = bool((compared.answer == TIE).any())
        far = settings
        own = [far.skill_spread, far.bias_spread, far.slip_spread]
        common = [far.common_skill_spread, far.common_bias_spread, far.width_spread]
        self._spread = np.concatenate([np.repeat(own, compared.annotators), common])
        self._usual = _Habits.usual(compared.annotators, settings).vector
        nodes, weights = np.polynomial.hermite_e.hermegauss(settings.nodes)
        self._nodes = list(zip(nodes, weights / weights.sum(), strict=True))

    def strengths(self, start: Reals, habits: _Habits) -> Reals:
        """Return the strengths that are likeliest under the habits."""

        def objective(strength: Reals) -> tuple[float, Reals]:
            slopes = self._slopes(self._difference(strength), habits, self._compared.answer)
            value, weight, _ = self._mixed(slopes, habits)
            slope = self._to_responses(weight * slopes.difference, -1) - strength
            return float(np.sum(strength**2) / 2 - value), -slope

        return self._optimum(objective, start)

    def habits(self, start: _Habits, strength: Reals, variance: Reals) -> _Habits:
        """Return the habits that are likeliest when the differences of strengths are as uncertain as they are."""
        mean = self._difference(strength)
        scale = np.sqrt(variance[self._first] + variance[self._second])
        people, count = self._compared.annotator, self._compared.annotators

        def objective(vector: Reals) -> tuple[float, Reals]:
            habits, far = _Habits(vector), vector - self._usual
            value, slope = float(np.sum((far / self._spread) ** 2) / 2), far / self._spread**2
            for node, share in self._nodes:
                slopes = self._slopes(mean + node * scale, habits, self._compared.answer)
                found, weight, by_slip = self._mixed(slopes, habits)
                log_skill, bias = weight * slopes.log_skill, weight * slopes.bias
                common = [log_skill.sum(), bias.sum(), (weight * slopes.log_width).sum()]
                own = [np.bincount(people, part, count) for part in (log_skill, bias, by_slip)]
                value, slope = value - share * found, slope - share * np.concatenate([*own, common])
            return value, slope

        return _Habits(self._optimum(objective, start.vector))

    def variance(self, strength: Reals, habits: _Habits) -> Reals:
        """Return the variance of each strength: one over the information in its comparisons and in its prior.

        An answer's information is the sum, over the answers it could have been, of (slope of its chance)^2 / chance.
        """
        difference, information = self._difference(strength), np.zeros(len(self._first))
        for answer in range(2 + self.has_ties):
            slopes = self._slopes(difference, habits, np.full(len(self._first), answer))
            information += slopes.difference**2 / np.maximum(slopes.chance, 1e-12)
        return np.asarray(1 / (1 + self._to_responses(information, 1)))

    def _difference(self, strength: Reals) -> Reals:
        return np.asarray(strength[self._first] - strength[self._second])

    def _mixed(self, slopes: _Slopes, habits: _Habits) -> tuple[float, Reals, Reals]:
        """Return the log-likelihood with slips, the weight of chances' slopes in its own, and its slopes in slips."""
        slip, blind = habits.slip[self._compared.annotator], 1 / (2 + self.has_ties)
        mixed = (1 - slip) * slopes.chance + slip * blind
        by_slip = (blind - slopes.chance) * slip * (1 - slip) / mixed
        return float(np.log(mixed).sum()), (1 - slip) / mixed, by_slip

    def _slopes(self, difference: Reals, habits: _Habits, said: Integers) -> _Slopes:
        from scipy.special import expit

        skill, bias = habits.skill[self._compared.annotator], habits.bias[self._compared.annotator]
        width = habits.width if self.has_ties else 0.0
        first, second = expit(skill * (difference - width) + bias), expit(-skill * (difference + width) - bias)
        up, down = first * (1 - first), second * (1 - second)

        def of(to_first: Reals, to_second: Reals) -> Reals:
            """Return the slope of what was said; the three slopes add up to 0."""
            return np.where(said == FIRST, to_first, np.where(said == SECOND, to_second, -to_first - to_second))

        return _Slopes(
            np.where(said == FIRST, first, np.where(said == SECOND, second, np.maximum(0.0, 1 - first - second))),
            of(up * skill, -down * skill),
            of(up * skill * (difference - width), -down * skill * (difference + width)),
            of(up, -down),
            of(-up * skill * width, -down * skill * width),
        )

    def _to_responses(self, values: Reals, sign: int) -> Reals:
        """Return sums over each response's comparisons; the sign is that of those in which it stands second."""
        count = self._compared.responses
        first, second = np.bincount(self._first, values, count), np.bincount(self._second, values, count)
        return np.asarray(first + sign * second)

    def _optimum(self, objective: Callable[[Reals], tuple[float, Reals]], start: Reals) -> Reals:
        from scipy.optimize import minimize

        options = {"maxiter": self._settings.max_iterations, "ftol": 1e-10, "gtol": 1e-5}
        return np.asarray(minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x)


def _labels(compared: Compared, strength: Reals, variance: Reals, width: float) -> Reals:
    """Return the chance of each label, the difference of strengths being normal; shape comparisons x 3."""
    from scipy.special import ndtr

    mean = strength[compared.first] - strength[compared.second]
    scale = np.sqrt(variance[compared.first] + variance[compared.second])
    first, second = ndtr((mean - width) / scale), ndtr((-mean - width) / scale)
    return np.column_stack([first, second, np.maximum(0.0, 1 - first - second) if width else np.zeros(len(first))])
