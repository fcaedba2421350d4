import numpy as np

from benchmarks.certificate_planted import GOLD, LIMIT, PLANTED, certified_falsely, plant
from benchmarks.certificate_sets import settings
from cupel.certificate.hypergeometric import clopper_pearson_upper

REPLAYS = 400
BY_NAME = {gold.name: gold for gold in GOLD}


def test_what_the_crew_got_wrong_is_planted_first() -> None:
    assert np.bincount(plant(BY_NAME["10% of 300 erred"])).tolist() == [30, 0, 70]
    assert np.bincount(plant(BY_NAME["a third erred: all planted did"])).tolist() == [PLANTED]


def test_planted_errors_of_the_crew_keep_the_promise_and_easy_ones_are_caught_breaking_it() -> None:
    bad = next(setting for setting in settings(0.02, 6_000) if setting.name == "safe end")
    false = {
        name: int(certified_falsely(bad, REPLAYS, 0.6, plant(gold), gold.counts_all).sum())
        for name, gold in BY_NAME.items()
    }
    for name, gold in BY_NAME.items():
        if gold.erred >= 9 and not gold.counts_all:
            assert clopper_pearson_upper(false[name], REPLAYS, 0.999) <= LIMIT, name
    assert false[GOLD[0].name] > 0.15 * REPLAYS
    assert false["10% of 300 erred, but all planted count"] > LIMIT * REPLAYS
