import pytest

from cupel.certificate.binomial_interval import binomial_interval
from cupel.certificate.hypergeometric import clopper_pearson_lower, clopper_pearson_upper
from cupel.errors import AuditError


@pytest.mark.parametrize("audited", [1, 2, 37, 1000, 20_000])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.5, 0.97, 1.0])
@pytest.mark.parametrize("confidence", [0.6, 0.975, 0.9995])
def test_the_interval_is_scipys_to_twelve_decimals(audited: int, share: float, confidence: float) -> None:
    wrong = round(audited * share)
    low, high = binomial_interval(wrong, audited, confidence)
    assert low == pytest.approx(clopper_pearson_lower(wrong, audited, confidence), rel=0, abs=1e-12)
    assert high == pytest.approx(clopper_pearson_upper(wrong, audited, confidence), rel=0, abs=1e-12)


def test_without_an_error_the_bound_has_a_closed_form() -> None:
    assert binomial_interval(0, 59, 0.95) == (0.0, pytest.approx(1 - 0.05 ** (1 / 59), abs=1e-14))


@pytest.mark.parametrize(("wrong", "audited", "confidence"), [(-1, 5, 0.9), (6, 5, 0.9), (0, 0, 0.9), (1, 5, 1.0)])
def test_what_no_audit_can_find_is_refused(wrong: int, audited: int, confidence: float) -> None:
    with pytest.raises(AuditError, match="found"):
        binomial_interval(wrong, audited, confidence)
