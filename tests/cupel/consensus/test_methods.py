"""What every consensus method must keep, whatever its model."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from cupel.consensus.coding import Coded, code
from cupel.consensus.methods import METHODS

CLASSES = ("a", "b", "c")
IDS = [f"{item:04}" for item in range(120)]


def crowd(votes: int = 4, annotators: int = 10, seed: int = 1) -> pa.Table:
    """Return answers on items whose true class is their number modulo 3, right 7 times in 10."""
    rng = np.random.default_rng(seed)
    rows = []
    for item in range(len(IDS)):
        for annotator in rng.choice(annotators, votes, replace=False):
            label = item % 3 if rng.random() < 0.7 else (item + rng.integers(1, 3)) % 3
            rows.append({"item_id": IDS[item], "annotator": f"w{annotator:02}", "label": CLASSES[label]})
    return pa.Table.from_pylist(rows)


def without_names(table: pa.Table) -> pa.Table:
    return table.set_column(1, "annotator", pa.nulls(table.num_rows, pa.string()))


def coded(table: pa.Table, ids: list[str] = IDS) -> Coded:
    return code(table, ids, CLASSES)


methods = pytest.mark.parametrize("name", sorted(METHODS))


@methods
@pytest.mark.parametrize("votes", [1, 4])
@pytest.mark.parametrize("is_named", [True, False])
def test_it_finds_what_the_crowd_knows(name: str, votes: int, is_named: bool) -> None:
    table = crowd(votes) if is_named else without_names(crowd(votes))
    posterior = METHODS[name](coded(table)).posterior
    np.testing.assert_allclose(posterior.sum(axis=1), 1)
    assert (posterior >= 0).all()
    assert (posterior.argmax(axis=1) == np.arange(len(IDS)) % 3).mean() > (0.6 if votes == 1 else 0.75)


@methods
def test_row_order_and_names_do_not_matter(name: str) -> None:
    table = crowd()
    plain = METHODS[name](coded(table)).posterior
    order = np.random.default_rng(2).permutation(table.num_rows)
    assert METHODS[name](coded(table.take(order), IDS[::-1])).posterior.tobytes() == plain.tobytes()
    assert METHODS[name](coded(table)).posterior.tobytes() == plain.tobytes()


@methods
def test_annotators_who_never_meet_are_believed(name: str) -> None:
    rows = [(item, f"w{n}", CLASSES[n % 3]) for n, item in enumerate(IDS)]
    table = pa.table({key: [row[n] for row in rows] for n, key in enumerate(("item_id", "annotator", "label"))})
    assert METHODS[name](coded(table)).posterior.argmax(axis=1).tolist() == [0, 1, 2] * 40


@methods
def test_items_without_answers_get_chances_and_change_nothing(name: str) -> None:
    table = crowd()
    plain = METHODS[name](coded(table)).posterior
    more = METHODS[name](coded(table, [*IDS, "9999"])).posterior
    np.testing.assert_allclose(more[:-1], plain, atol=1e-9)
    np.testing.assert_allclose(more[-1], 1 / 3, atol=0.15)


@methods
def test_a_batch_without_answers_has_equal_chances(name: str) -> None:
    empty = pa.table({key: pa.array([], pa.string()) for key in ("item_id", "annotator", "label")})
    np.testing.assert_allclose(METHODS[name](coded(empty, ["a", "b"])).posterior, 1 / 3)


@methods
def test_classes_never_used_and_unanimous_answers_are_no_trouble(name: str) -> None:
    rows = {"item_id": IDS * 2, "annotator": ["p"] * 120 + ["q"] * 120, "label": ["a"] * 240}
    posterior = METHODS[name](coded(pa.table(rows))).posterior
    assert np.isfinite(posterior).all()
    assert (posterior.argmax(axis=1) == 0).all()


def test_the_command_line_starts_without_compiled_loops() -> None:
    watch = "import sys, cupel.cli, cupel.consensus.methods, cupel.checking.fusion; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", watch], check=False).returncode == 0
