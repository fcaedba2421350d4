import numpy as np
import pytest

from benchmarks import certificate_designs as simulation
from benchmarks.certificate_sets import LIMIT, Setting, settings
from cupel.certificate.hypergeometric import clopper_pearson_lower

REPLAYS = 400
SETTINGS = {setting.name: setting for setting in settings(0.01, simulation.SIZE)}
WORST = ("uniform, twice the budget", "safe end", "behind every cut", "uniform, contested uniform")
DESIGNS = {
    "rising": simulation.rising,
    "e_process": simulation.e_process,
    "stratified": simulation.stratified,
    "imperfect": simulation.imperfect(0.9),
}


def low(is_false: np.ndarray) -> float:
    return clopper_pearson_lower(int(is_false.sum()), len(is_false), 0.999)


@pytest.mark.parametrize("name", WORST)
@pytest.mark.parametrize("design", DESIGNS)
def test_a_set_over_its_budget_is_rarely_certified_by_any_design(design: str, name: str) -> None:
    assert low(DESIGNS[design](SETTINGS[name], REPLAYS)) <= 0.05


def test_the_harness_catches_a_test_for_one_look_that_is_made_after_each_item() -> None:
    assert low(simulation.naive_looks(SETTINGS["safe end"], REPLAYS)) > LIMIT


def test_the_harness_sees_false_certificates_where_they_are_allowed() -> None:
    found = {
        design: max(float(DESIGNS[design](SETTINGS[name], REPLAYS).mean()) for name in WORST[:2])
        for design in ("rising", "e_process")
    }
    assert min(found.values()) > 0.01


def test_the_worst_row_of_each_design_is_told() -> None:
    rows = [{"design": "a", "certified_falsely_share": share} for share in (0.1, 0.3, 0.2)]
    assert simulation.worst_of(rows)["a"]["certified_falsely_share"] == 0.3


def test_the_replayed_sets_are_over_their_budget() -> None:
    assert all(
        isinstance(setting, Setting) and setting.is_wrong.sum() > setting.allowed for setting in SETTINGS.values()
    )
