from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cupel.people.label_studio.forecast import forecast, words

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def before(*hours: float) -> list[datetime]:
    return [NOW - timedelta(hours=hour) for hour in hours]


def test_without_enough_answers_or_time_there_is_no_pace() -> None:
    assert forecast([], 5, NOW) is None
    assert forecast(before(*range(1, 10)), 5, NOW) is None
    assert forecast(before(*[0.1] * 50), 5, NOW) is None
    assert forecast(before(*[9 * 24] * 50), 5, NOW) is None  # more than a week ago
    assert words(forecast([], 5, NOW)) == "no pace yet"


def test_an_even_pace_is_no_surer_than_chance_allows() -> None:
    found = forecast(before(*np.linspace(0.05, 10, 200)), 40, NOW)
    assert found is not None
    assert found.expected == pytest.approx(timedelta(hours=2), rel=0.01)
    assert found.latest is not None
    assert found.earliest < timedelta(hours=1.5) < timedelta(hours=2.5) < found.latest


def test_a_pace_that_may_have_ended_has_no_latest_time() -> None:
    found = forecast(before(*np.linspace(99, 100, 200)), 100, NOW)
    assert found is not None
    assert found.latest is None
    assert "may never end" in words(found)


def test_the_interval_holds_about_as_often_as_it_says() -> None:
    rng, held, told = np.random.default_rng(3), 0, 0
    for _ in range(400):
        rate, awaited = rng.uniform(5, 60), int(rng.integers(5, 300))
        gaps = rng.exponential(1 / rate, 3000)
        come = np.cumsum(gaps)
        found = forecast(before(*(10 - come[come < 10])), awaited, NOW)
        if found is None:
            continue
        told += 1
        truth = timedelta(hours=come[(come < 10).sum() + awaited - 1] - 10)
        held += found.earliest <= truth and (found.latest is None or truth <= found.latest)
    assert told > 350
    assert 0.92 <= held / told <= 1.0
