from functools import cache
from itertools import islice

import numpy as np
import pytest

from benchmarks import certificate as simulation
from benchmarks.certificate import Samples
from benchmarks.certificate_sets import LIMIT, Setting, settings
from cupel.certificate.attempts import Levels, attempt_alpha
from cupel.certificate.evidence import Evidence
from cupel.certificate.hypergeometric import Integers
from cupel.certificate.result import Terms, assay
from cupel.certificate.sample import draw
from cupel.certificate.sequence import cut_positions

REPLAYS = 1_500
SETTINGS = {
    (budget, size): {setting.name: setting for setting in settings(budget, size)}
    for budget, size in ((0.003, 2_000), (0.02, 20_000))
}
NAMES = [(budget, size, name) for (budget, size), named in SETTINGS.items() for name in named]
EVERY = [setting for named in SETTINGS.values() for setting in named.values()]


def of(setting: Setting) -> str:
    return f"{setting.error_budget:g} of {len(setting.is_wrong)}, {setting.name}"


@cache
def shipped_share(budget: float, size: int, name: str) -> float:
    return false_share(SETTINGS[budget, size][name], simulation.fixed_sequence)


def false_share(setting: Setting, rule: simulation.Rule, replays: int = REPLAYS) -> float:
    samples, levels = simulation.sample(setting, replays), setting.levels(1)
    return float(simulation.certified_falsely(setting, samples, levels, rule).mean())


def wald(setting: Setting, samples: Samples, levels: Levels) -> Integers:
    """The textbook's estimate plus 1.645 standard errors: a rule that must be caught."""
    share = samples.wrong[:, -1] / setting.drawn
    upper = share + 1.645 * np.sqrt(share * (1 - share) / setting.drawn)
    return np.where(upper <= setting.error_budget, len(setting.is_wrong), 0)


def largest_cut(setting: Setting, samples: Samples, levels: Levels) -> Integers:
    """The largest cut that passes by itself, whatever failed before it: a rule that must be caught."""
    is_passed = simulation.p_values(setting, samples, levels) <= levels.wrong
    last = is_passed.shape[1] - 1 - is_passed[:, ::-1].argmax(axis=1)
    return np.where(is_passed.any(axis=1), cut_positions(len(setting.is_wrong))[last], 0)


@pytest.mark.parametrize(("budget", "size", "name"), NAMES)
def test_a_set_over_its_budget_is_rarely_certified(budget: float, size: int, name: str) -> None:
    setting = SETTINGS[budget, size][name]
    assert int(setting.is_wrong.sum()) > setting.allowed
    assert shipped_share(budget, size, name) <= LIMIT


def test_the_harness_sees_false_certificates_where_they_are_allowed() -> None:
    assert max(shipped_share(*names) for names in NAMES) > 0.02


def test_the_harness_catches_the_normal_approximation() -> None:
    assert false_share(SETTINGS[0.02, 20_000]["uniform"], wald) > LIMIT


def test_the_harness_catches_a_search_for_the_largest_cut() -> None:
    assert false_share(SETTINGS[0.02, 20_000]["safe end"], largest_cut, replays=5_000) > LIMIT


def test_the_harness_catches_attempts_that_each_spend_the_first_ones_alpha() -> None:
    setting = SETTINGS[0.02, 20_000]["before the last cut"]
    ever = np.zeros(REPLAYS, dtype=bool)
    for attempt in range(1, 5):
        samples = simulation.sample(setting, REPLAYS, attempt)
        ever |= simulation.certified_falsely(setting, samples, setting.levels(1))
    assert ever.mean() > LIMIT


@pytest.mark.parametrize("setting", list(islice(EVERY, 0, None, 6)), ids=of)
def test_bounds_of_all_labels_rarely_fail(setting: Setting) -> None:
    as_frozen, with_contested = simulation.bounds_failed(
        setting, simulation.sample(setting, REPLAYS), setting.levels(1)
    )
    assert as_frozen.mean() <= LIMIT
    assert with_contested.mean() <= LIMIT


@pytest.mark.parametrize("name", ["behind every cut", "uniform, contested uniform"])
def test_the_harness_replays_the_rule_that_is_shipped(name: str) -> None:
    setting = SETTINGS[0.003, 2_000][name]
    size, can_be_contested = len(setting.is_wrong), bool(setting.is_contested.any())
    ids = [("batch", str(number)) for number in range(size)]
    cuts, shipped = cut_positions(size), []
    counts: list[list[Integers]] = [[], [], []]
    for seed in range(60):
        drawn = np.zeros(size, dtype=bool)
        drawn[draw(ids, setting.drawn, seed)] = True
        evidence = Evidence(drawn, drawn, setting.is_wrong & drawn, setting.is_contested & drawn)
        shipped.append(assay(evidence, Terms(setting.error_budget, 1, 1.0, can_be_contested)).result.accepted)
        for kept, array in zip(counts, (drawn, evidence.is_wrong, evidence.is_contested), strict=True):
            kept.append(np.cumsum(array)[cuts - 1])
    samples = Samples(*(np.array(kept) for kept in counts))
    assert simulation.fixed_sequence(setting, samples, setting.levels(1)).tolist() == shipped
    assert len(set(shipped)) > 1


def test_the_harness_is_held_to_the_first_attempts_alpha() -> None:
    assert all(sum(setting.levels(1)) == pytest.approx(attempt_alpha(1)) for setting in EVERY)
