from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cupel.config.release import Certificate, Witness
from cupel.errors import WitnessError
from cupel.lake.draw_log import ASKED, DRAWN, DRAWS, FROZEN, awaits_witness, record_draw
from cupel.lake.lake import Lake
from cupel.release.nonces import draw_nonce, nonce_sentence
from cupel.release.witnessed_draws import find_draw_problem, find_witnessed_draws
from timestamp_authority import NAME, Authority

ONE, OTHER = "a" * 64, "b" * 64
Rows = dict[str, dict[str, Any]]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, "small")


def asks(*command: str) -> Certificate:
    """Return settings by which a program witnesses; it gets the hash as one more argument."""
    return Certificate(witness=Witness(command=command, timeout_seconds=20))


def events(lake: Lake) -> list[str]:
    return [str(one["event"]) for one in lake.log(DRAWS).read()]


@pytest.fixture(scope="module")
def stamped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, str]:
    """A draw that an authority witnessed, and its nonce."""
    folder = tmp_path_factory.mktemp("stamped")
    lake = Lake(folder / "lake", "small")
    with Authority(folder / "authority").serving() as authority:
        witness = Witness(timestamp_authority=authority.url, certificates="authority/roots.pem")
        nonce = draw_nonce(lake, "one-r1", "audit", ONE, Certificate(witness=witness), folder)
    return find_witnessed_draws(lake, "one-r1"), nonce.nonce


def test_a_stamped_draw_holds_all_that_its_check_needs(stamped: tuple[Rows, str]) -> None:
    draws, nonce = stamped
    assert find_draw_problem(draws["audit"], "one-r1", "audit", ONE, nonce) == ""
    said = nonce_sentence("witness", draws)
    assert f"a time-stamp authority, {NAME}, was told the freeze" in said
    assert str(draws["audit"]["at"]) in said
    assert "asked" not in said


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda draw: draw["freeze"]["event"].update(release="one-r2"), "was told another freeze"),
        (lambda draw: draw["freeze"]["event"].update(event="drawn"), "was told another freeze"),
        (lambda draw: draw["freeze"].update(sequence=2), "the freeze's event gives the hash"),
        (lambda draw: draw["freeze"].update(previous=OTHER), "the freeze's event gives the hash"),
        (lambda draw: draw.update(commitment=OTHER), "the freeze's event gives the hash"),
        (lambda draw: draw.update(receipt="AAAA"), "no time stamp by RFC 3161"),
        (lambda draw: draw.update(receipt="***"), "not base64"),
        (lambda draw: draw.update(witness="CN=Somebody else"), "witness is 'CN=Somebody else'"),
        (lambda draw: draw.update(at="2020-01-01T00:00:00+00:00"), "at is '2020"),
        (lambda draw: draw.update(receipt_kind="command"), "the receipt gives the nonce"),
        (lambda draw: draw.update(receipt_kind="oracle"), "receipt_kind is 'oracle'"),
    ],
)
def test_what_was_altered_in_a_witnessed_draw_is_named(
    stamped: tuple[Rows, str], change: Callable[[dict[str, Any]], None], problem: str
) -> None:
    draw = {**stamped[0]["audit"]}
    draw["freeze"] = {**draw["freeze"], "event": {**draw["freeze"]["event"]}}
    change(draw)
    assert problem in find_draw_problem(draw, "one-r1", "audit", ONE, stamped[1])


def test_a_receipt_of_another_freeze_does_not_fit(stamped: tuple[Rows, str], tmp_path: Path) -> None:
    draw, nonce = stamped[0]["audit"], stamped[1]
    assert "was told another freeze" in find_draw_problem(draw, "one-r1", "audit", OTHER, nonce)
    assert "gives the nonce" in find_draw_problem(draw, "one-r1", "audit", ONE, OTHER)
    other = draw | {"commitment": "", "freeze": draw["freeze"] | {"sequence": 7}}
    other["commitment"] = find_draw_problem(other, "one-r1", "audit", ONE, nonce).split("gives the hash ")[1][:64]
    assert "of another hash than that of the freeze" in find_draw_problem(other, "one-r1", "audit", ONE, nonce)


def test_a_program_that_witnesses_is_named_with_what_nobody_can_check(lake: Lake) -> None:
    nonce = draw_nonce(lake, "one-r1", "audit", ONE, asks("echo", "seen"))
    assert events(lake) == [FROZEN, ASKED, DRAWN]
    draws = find_witnessed_draws(lake, "one-r1")
    assert find_draw_problem(draws["audit"], "one-r1", "audit", ONE, nonce.nonce) == ""
    assert "the program echo was told the freeze and answered at no time that it says" in nonce_sentence(
        "witness", draws
    )


def test_a_witness_that_is_down_draws_nothing_and_each_asking_shows(lake: Lake) -> None:
    for _ in range(2):
        with pytest.raises(WitnessError, match="the witness false is awaited: the program failed with exit code 1"):
            draw_nonce(lake, "one-r1", "audit", ONE, asks("false"))
        assert awaits_witness(lake.log(DRAWS).read(), "one-r1")
    assert events(lake) == [FROZEN, ASKED, ASKED]
    draw_nonce(lake, "one-r1", "audit", ONE, asks("echo"))
    assert not awaits_witness(lake.log(DRAWS).read(), "one-r1")
    assert "A witness was asked 3 times, and one answer was used." in nonce_sentence(
        "witness", find_witnessed_draws(lake, "one-r1")
    )


def test_a_witness_that_answers_each_time_differently_is_asked_once(lake: Lake, tmp_path: Path) -> None:
    script = f"echo again >> {tmp_path}/count; wc -l < {tmp_path}/count"
    settings = asks("sh", "-c", script, "sh")
    first = draw_nonce(lake, "one-r1", "audit", ONE, settings)
    assert draw_nonce(lake, "one-r1", "audit", ONE, settings) == first
    assert (tmp_path / "count").read_text() == "again\n"


def test_a_kill_between_asking_and_drawing_leaves_a_second_asking(lake: Lake) -> None:
    def killed(commitment: str) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_draw(lake.log(DRAWS), "one-r1", "audit", ONE, killed, "echo")
    assert events(lake) == [FROZEN, ASKED]
    draw_nonce(lake, "one-r1", "audit", ONE, asks("echo"))
    assert events(lake) == [FROZEN, ASKED, ASKED, DRAWN]
    assert find_witnessed_draws(lake, "one-r1")["audit"]["asked"] == 2


def test_a_freeze_that_comes_back_is_another_event_and_is_told_anew(lake: Lake) -> None:
    for frozen in (ONE, OTHER):
        with pytest.raises(WitnessError):
            draw_nonce(lake, "one-r1", "audit", frozen, asks("false"))
    nonce = draw_nonce(lake, "one-r1", "audit", ONE, asks("echo"))
    assert events(lake) == [FROZEN, ASKED] * 3 + [DRAWN]
    draw = find_witnessed_draws(lake, "one-r1")["audit"]
    assert (draw["freeze"]["sequence"], draw["asked"]) == (5, 3)
    assert find_draw_problem(draw, "one-r1", "audit", ONE, nonce.nonce) == ""


def test_both_draws_of_a_release_are_told_of(lake: Lake) -> None:
    draw_nonce(lake, "one-r1", "audit", ONE, asks("echo"))
    draw_nonce(lake, "one-r1", "adjudicators", OTHER, asks("echo"))
    draws = find_witnessed_draws(lake, "one-r1")
    assert set(draws) == {"audit", "adjudicators"}
    assert "What another expert judged again was drawn by the receipt of a witness" in nonce_sentence("witness", draws)


def test_a_draw_that_nobody_witnessed_claims_no_witness(lake: Lake) -> None:
    draw_nonce(lake, "one-r1", "audit", ONE, Certificate())
    assert find_witnessed_draws(lake, "one-r1") == {}
    assert events(lake) == [FROZEN, DRAWN]
