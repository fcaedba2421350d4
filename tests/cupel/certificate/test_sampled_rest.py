import pytest
from scipy.stats import hypergeom

from cupel.certificate.sampled_rest import SampledRest


@pytest.mark.parametrize("known", [0, 4])
def test_the_largest_count_that_shows_no_more_than_allowed_is_that_of_the_exact_test(known: int) -> None:
    rest = SampledRest(1_000, 800, 300, known)
    limit = int((hypergeom.cdf(range(300), 800, 31 - known, 300) <= 0.03).sum()) - 1
    assert rest.find_most(30, 300, 0.03) == known + limit


def test_what_is_known_may_be_more_than_is_allowed() -> None:
    assert SampledRest(1_000, 800, 300, 31).find_most(30, 300, 0.03) is None


def test_known_items_count_whatever_the_sample_says() -> None:
    rest = SampledRest(1_000, 800, 800, known=7, known_contested=3)
    assert (rest.bound_upper(5, 0.01), rest.bound_lower(5, 0.01), rest.bound_contested(2, 0.01)) == (12, 12, 5)
    assert rest.count_allowed(0.1, 2, 0.01) == 99
    assert rest.bound_contested(2, 0.0) == 0
