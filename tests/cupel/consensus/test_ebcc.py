"""EBCC: with one kind it is IBCC; with kinds it sees through mistakes that annotators share."""

import numpy as np
import pyarrow as pa

from cupel.consensus.coding import Coded, code
from cupel.consensus.ebcc import EbccSettings, ebcc
from cupel.consensus.ibcc import IbccSettings, ibcc


def crowd(hard_share: float, seed: int = 3) -> tuple[Coded, np.ndarray]:
    """Return answers of ten annotators on 300 items; on hard items of class y all but three say x."""
    rng = np.random.default_rng(seed)
    truth = np.arange(300) % 2
    is_hard = (truth == 1) & (rng.random(300) < hard_share)
    rows = []
    for item in range(300):
        for annotator in range(10):
            is_fooled = is_hard[item] and annotator > 2
            label = 0 if is_fooled else truth[item] if rng.random() < 0.9 else 1 - truth[item]
            rows.append((f"{item:03}", f"w{annotator}", "xy"[label]))
    table = pa.table({key: [row[n] for row in rows] for n, key in enumerate(("item_id", "annotator", "label"))})
    return code(table, [f"{item:03}" for item in range(300)], ("x", "y")), truth


def test_with_one_kind_it_is_ibcc() -> None:
    coded, _ = crowd(0.3)
    one = ebcc(coded, EbccSettings(kinds=1, starts=1, tolerance=0.0, max_iterations=20))
    plain = ibcc(coded, IbccSettings(tolerance=0.0, max_iterations=20))
    np.testing.assert_allclose(one.posterior, plain.posterior, atol=1e-12)
    np.testing.assert_allclose(one.confusion, plain.confusion, atol=1e-6)


def test_every_round_raises_the_bound() -> None:
    coded, _ = crowd(0.3)
    fits = [ebcc(coded, EbccSettings(kinds=3, starts=1, tolerance=0.0, max_iterations=rounds)) for rounds in range(12)]
    assert (np.diff([fit.bound for fit in fits]) > -1e-9).all()


def test_the_best_start_counts() -> None:
    coded, _ = crowd(0.3)
    bounds = [ebcc(coded, EbccSettings(starts=starts)).bound for starts in (1, 4)]
    assert bounds[1] >= bounds[0]


def test_kinds_explain_shared_mistakes_and_are_left_empty_where_there_are_none() -> None:
    for hard_share, is_better in ((0.3, True), (0.0, False)):
        coded, _ = crowd(hard_share)
        several, one = (ebcc(coded, EbccSettings(kinds=kinds)) for kinds in (10, 1))
        assert (several.bound > one.bound) is is_better


def test_it_is_right_where_mistakes_are_independent() -> None:
    coded, truth = crowd(0.0)
    assert (ebcc(coded).posterior.argmax(axis=1) == truth).mean() > 0.98
