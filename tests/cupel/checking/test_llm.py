"""A language model as the checker, asked over a real connection by a server that misbehaves."""

import itertools
import json
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dying_store import kill_at_change
from pydantic import ValidationError

from chat_server import Behaviour, ChatServer, Said, reply, served
from cupel.checking import asking, chat, replies
from cupel.checking import llm as module
from cupel.checking.chat import Endpoint
from cupel.checking.llm import Asked, ask
from cupel.checking.replies import RepliesLog
from cupel.config.checking import Checking, LlmChecker
from cupel.config.labeling import Labeling
from cupel.errors import CheckerError
from cupel.store.event_log import EventLog
from cupel.store.local import LocalStore

LABELING = Labeling.model_validate(
    {"question": "Is it good?", "classes": ["bad", "good"], "experts": {"description": "one"}}
)
KEY = "sk-of-nobody-123"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def asked(server: ChatServer, folder: Path, texts: list[str], waits: list[float] | None = None, **keys: Any) -> Asked:
    settings = settings_of(server, **keys)
    waited = [] if waits is None else waits
    with Endpoint(settings, {"KEY": KEY}, waited.append) as endpoint:
        return ask(texts, settings, LABELING, RepliesLog(LocalStore(folder), "one"), endpoint)


def written(folder: Path) -> dict[str, bytes]:
    """Return what is on the disk."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def settings_of(server: ChatServer, **keys: Any) -> LlmChecker:
    return LlmChecker.model_validate({"url": server.url, "model": "tiny", "timeout_seconds": 5, "retries": 2} | keys)


def by_text(number: int, prompt: str) -> Said:
    """Answer with the last word of the text."""
    return reply(prompt.split()[-1], [-0.1])


def replies_of(behaviour: Behaviour, tmp_path: Path, **keys: Any) -> tuple[Asked, ChatServer]:
    with served(behaviour) as server:
        return asked(server, tmp_path, ["this is good"], **keys), server


def test_answers_become_opinions_with_the_models_own_certainty(tmp_path: Path) -> None:
    with served(by_text) as server:
        found = asked(server, tmp_path, ["this is good", "that is bad"], key_env="KEY")
    assert found.opinions.abstention.null_count == 2
    sure = math.exp(-0.1)
    np.testing.assert_allclose(np.exp(found.opinions.scores), [[1 - sure, sure], [sure, 1 - sure]])
    request = server.heard[0]
    assert request.path == "/v1/chat/completions"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.body["model"] == "tiny"
    assert request.body["temperature"] == 0
    assert all(part in server.prompts()[0] for part in ("Is it good?", "bad\ngood", "th"))


@pytest.mark.parametrize(("content", "reason"), [
    ("good", None), ("Good.", None), ('"good"', None), ("**good**\n", None),
    ("it is good", asking.OUTSIDE_ONTOLOGY), ("great", asking.OUTSIDE_ONTOLOGY), ("good bad", asking.OUTSIDE_ONTOLOGY),
    ("", asking.NO_ANSWER), (" \n", asking.NO_ANSWER), (None, asking.NO_ANSWER),
])  # fmt: skip
def test_an_answer_that_names_no_class_is_an_abstention(tmp_path: Path, content: str | None, reason: str) -> None:
    found, server = replies_of(lambda *_: reply(content), tmp_path)
    assert found.opinions.abstention.to_pylist() == [reason]
    assert np.isnan(found.opinions.scores).all() == (reason is not None)
    assert len(server.heard) == 1


@pytest.mark.parametrize("logprobs", [[math.nan], [math.inf], [-math.inf, math.nan], [], ["x"], [None], [5.0]])
def test_a_log_probability_that_is_none_leaves_the_answer_and_no_certainty(tmp_path: Path, logprobs: list[Any]) -> None:
    found, _ = replies_of(lambda *_: reply("good", logprobs), tmp_path)
    np.testing.assert_allclose(np.exp(found.opinions.scores), [[0.2, 0.8]])


def test_an_answer_is_likeliest_however_unlikely_its_wording() -> None:
    found = asking.understood(
        [chat.Reply("good", -9.0, None, None), chat.Reply("bad", 0.0, None, None)], ["bad", "good"]
    )
    assert found.scores.argmax(axis=1).tolist() == [1, 0]
    assert np.isfinite(found.scores).all()


@pytest.mark.parametrize(("bad", "reason"), [
    (Said(500), "the endpoint failed: status 500"),
    (Said(503), "the endpoint failed: status 503"),
    (Said(429), "the endpoint failed: status 429"),
    (Said(body=b"<html>busy</html>"), chat.UNREADABLE),
    (Said(body=b""), chat.UNREADABLE),
    (Said(body=reply("good").body[:40]), chat.UNREADABLE),
    (Said(body=b'{"choices": []}'), chat.UNREADABLE),
    (Said(body=b'{"choices": [{"message": {"content": ["good"]}}]}'), chat.UNREADABLE),
    (Said(body=b"[" * 100_000), chat.UNREADABLE),
    (Said(body=b"\xff\xfe", headers={"Content-Encoding": "gzip"}), chat.NO_CONNECTION),
    (Said(body=b"{", headers={"Content-Length": "100"}), chat.NO_CONNECTION),
    (Said(body=reply("good").body, wait_seconds=1), chat.TOO_LATE),
    (Said(body=reply("good").body, drip=True), chat.TOO_LATE),
])  # fmt: skip
def test_what_passes_is_tried_again_and_what_stays_is_an_abstention(tmp_path: Path, bad: Said, reason: str) -> None:
    found, server = replies_of(lambda *_: bad, tmp_path, timeout_seconds=0.3, retries=1)
    assert found.opinions.abstention.to_pylist() == [reason]
    assert len(server.heard) == 2
    with served(lambda number, _: bad if number == 1 else reply("good")) as server:
        again = asked(server, tmp_path / "again", ["this is good"], timeout_seconds=0.3)
    assert again.opinions.abstention.null_count == 1


def test_a_question_that_is_refused_is_not_put_again(tmp_path: Path) -> None:
    found, server = replies_of(lambda *_: Said(400), tmp_path)
    assert found.opinions.abstention.to_pylist() == ["the endpoint refused the question: status 400"]
    assert len(server.heard) == 1


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_a_wrong_key_or_address_is_one_error_at_once(tmp_path: Path, status: int) -> None:
    with served(lambda *_: Said(status)) as server, pytest.raises(CheckerError, match=f"status {status}.*KEY") as error:
        asked(server, tmp_path, [f"text {number}" for number in range(200)], key_env="KEY")
    assert len(server.heard) <= 8
    assert KEY not in str(error.value)


def test_an_endpoint_that_always_fails_is_left_alone_after_a_while(tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(200)]
    with served(lambda *_: Said(500)) as server, pytest.raises(CheckerError, match="one after the other failed"):
        asked(server, tmp_path, texts, retries=0)
    assert len(server.heard) <= module.FAILURES_IN_A_ROW + 8


def test_nobody_at_the_address_is_one_clear_error_and_costs_nothing(tmp_path: Path) -> None:
    with served(by_text) as server:
        pass
    with pytest.raises(CheckerError, match="cannot be reached"):
        asked(server, tmp_path, [f"text {number}" for number in range(50)], retries=0)
    assert written(tmp_path) == {}


def test_waiting_doubles_and_heeds_what_the_endpoint_asks_for(tmp_path: Path) -> None:
    waits: list[float] = []
    bad = [Said(500), Said(429, headers={"Retry-After": "7"}), Said(429, headers={"Retry-After": "1e9"}),
           Said(429, headers={"Retry-After": "soon"})]  # fmt: skip
    with served(lambda number, _: bad[number - 1] if number <= 4 else reply("good")) as server:
        asked(server, tmp_path, ["text"], waits, retries=9)
    assert waits == [1.0, 7.0, 60.0, 8.0]


def test_requests_keep_their_pace(tmp_path: Path) -> None:
    waits: list[float] = []
    with served(by_text) as server:
        asked(server, tmp_path, [f"text {n} good" for n in range(5)], waits, requests_per_minute=60)
    assert len(waits) == 5
    assert max(waits) > 3.5, "the fifth may start four seconds after the first"


def test_no_more_questions_are_under_way_than_allowed(tmp_path: Path) -> None:
    three = threading.Barrier(3)

    def answer_three_at_once(number: int, prompt: str) -> Said:
        three.wait(timeout=30)
        return reply("good")._replace(wait_seconds=0.05)

    with served(answer_three_at_once) as server:
        asked(server, tmp_path, [f"text {number}" for number in range(21)], concurrency=3)
    assert server.most_under_way == 3


def test_what_was_answered_is_not_asked_again_and_the_same_comes_out(tmp_path: Path) -> None:
    texts = ["one good", "two bad", "one good", "three maybe"]
    with served(by_text) as server:
        first = asked(server, tmp_path, texts, key_env="KEY")
        assert len(server.heard) == 3, "texts that are alike are one question"
        before = written(tmp_path)
        again = asked(server, tmp_path, texts, key_env="KEY")
        assert len(server.heard) == 3
    assert written(tmp_path) == before
    content = b"".join(before.values())
    assert again.opinions.abstention.equals(first.opinions.abstention)
    np.testing.assert_array_equal(again.opinions.scores, first.opinions.scores)
    assert KEY.encode() not in content
    assert b"one good" not in content, "the record holds no text"


@pytest.mark.parametrize("change", [
    {"model": "other"}, {"prompt": "{classes} {text}"}, {"revision": "2"}, {"parameters": {"seed": 1}},
    {"asks_logprobs": False},
])  # fmt: skip
def test_another_model_or_prompt_is_asked_anew(tmp_path: Path, change: dict[str, Any]) -> None:
    with served(by_text) as server:
        asked(server, tmp_path, ["one good"])
        asked(server, tmp_path, ["one good"], **change)
        assert len(server.heard) == 2
        settings = [settings_of(server), settings_of(server, **change)]
    assert len({asking.version(one, LABELING, 5, 7) for one in settings}) == 2


def test_a_reply_survives_a_kill_at_every_change_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "MOST_WAITING", 2)
    texts = ["one good", "two bad", "three good"]
    kept = []
    for number in itertools.count():
        folder = tmp_path / str(number)
        with served(by_text) as server:
            with kill_at_change(number) as kill:
                asked(server, folder, texts, max_cost=1e9, **PRICES)
            kept.append(len(RepliesLog(LocalStore(folder), "one").replies))
            before = len(server.heard)
            found = asked(server, folder, texts, max_cost=1e9, **PRICES)
            assert found.opinions.abstention.null_count == 3
            assert len(server.heard) - before == 3 - kept[-1], "what was kept is not asked again"
            assert found.cost == asked(server, folder, texts, max_cost=1e9, **PRICES).cost == 33, "each is counted once"
        assert len(EventLog(LocalStore(folder), "replies/one").read()) == 3, "none stands twice"
        assert not any("waiting" in name for name in written(folder))
        if not kill.is_done:
            break
    assert kept == sorted(kept), "a reply that was kept is lost by no later kill"
    assert kept[:2] == [0, 1]
    assert kept[-1] == 3


PRICES = {"million_input_tokens_price": 1e6, "million_output_tokens_price": 1e6, "concurrency": 1}


def test_it_stops_before_it_would_exceed_its_budget_and_says_so(tmp_path: Path) -> None:
    texts = [f"text {number} good" for number in range(10)]
    with served(by_text) as server:
        settings = settings_of(server)
        most = sum(asking.question(texts[0], settings, LABELING).most_tokens)
        found = asked(server, tmp_path, texts, max_cost=most + 33, **PRICES)
        # A reply takes 11 tokens: after three the most that a fourth can cost is just left, after four it is not.
        assert found.opinions.abstention.to_pylist() == [None] * 4 + [module.OVER_BUDGET] * 6
        assert found.cost == 44 <= most + 33
        again = asked(server, tmp_path, texts, max_cost=most + 33, **PRICES)
        assert len(server.heard) == 4, "what earlier runs cost counts"
        assert again.opinions.abstention.equals(found.opinions.abstention)
        more = asked(server, tmp_path, texts, max_cost=10 * most, **PRICES)
        assert more.opinions.abstention.null_count == 10


@pytest.mark.parametrize("threads", [2, 8])
def test_many_at_a_time_stay_within_the_budget_and_end(tmp_path: Path, threads: int) -> None:
    texts = [f"text {number} good" for number in range(60)]
    with served(lambda *_: reply("good")._replace(wait_seconds=0.01)) as server:
        most = sum(asking.question(texts[-1], settings_of(server), LABELING).most_tokens)
        keys = PRICES | {"concurrency": threads, "max_cost": most * 1.5}
        found = asked(server, tmp_path, texts, **keys)
    assert 0 < found.cost <= most * 1.5
    assert found.cost > most * 0.5 - 11, "the budget is used, not set aside for good"


@pytest.mark.parametrize(("said", "cost"), [
    (reply("good", tokens=None), "most"), (reply("good", tokens=(-1, 2)), "most of the question"),
    (Said(body=b"{"), "most"), (Said(500), "nothing"),
    (Said(body=reply("good").body, wait_seconds=2), "most"),
])  # fmt: skip
def test_what_may_have_been_charged_counts(tmp_path: Path, said: Said, cost: str) -> None:
    with served(lambda *_: said) as server:
        settings = settings_of(server)
        tokens = asking.question("this is good", settings, LABELING).most_tokens
        found = asked(server, tmp_path, ["this is good"], retries=0, max_cost=1e9, timeout_seconds=0.3, **PRICES)
    assert found.cost == {"most": sum(tokens), "most of the question": tokens[0] + 2, "nothing": 0}[cost]


def test_a_budget_of_nothing_asks_nothing(tmp_path: Path) -> None:
    with served(by_text) as server:
        found = asked(server, tmp_path, ["a", "b"], max_cost=0, **PRICES)
    assert server.heard == []
    assert found.opinions.abstention.to_pylist() == [module.OVER_BUDGET] * 2


def test_a_text_is_no_place_to_be_filled_in_and_no_place_is_lost(tmp_path: Path) -> None:
    body = asking.question("{classes} {question} {text}", LlmChecker(url="http://a", model="m"), LABELING).body
    assert body["messages"][0]["content"].endswith("{classes} {question} {text}")


def test_parameters_replace_and_remove_fields() -> None:
    settings = LlmChecker(url="http://a", model="m", parameters={"max_tokens": None, "max_completion_tokens": 900})
    one = asking.question("text", settings, LABELING)
    assert "max_tokens" not in one.body
    assert one.body["max_completion_tokens"] == one.most_tokens[1] == 900
    assert LlmChecker(url="http://a", model="m", parameters={"messages": "x"}).model == "m"
    assert (
        asking.question("text", LlmChecker(url="http://a", model="m", parameters={"model": "x"}), LABELING).body[
            "model"
        ]
        == "m"
    )


@pytest.mark.parametrize("value", ["", "  ", "two words", "käse", "a\nb"])
def test_a_key_that_is_missing_or_none_is_an_error_that_does_not_show_it(value: str) -> None:
    with pytest.raises(CheckerError, match="KEY") as error:
        Endpoint(LlmChecker(url="http://a", model="m", key_env="KEY"), {"KEY": value})
    assert not value.strip() or value not in str(error.value)


def test_a_reply_without_end_is_cut_off(tmp_path: Path) -> None:
    endless = Said(body=json.dumps({"choices": [{"message": {"content": "x" * (2 << 20)}}]}).encode())
    found, _ = replies_of(lambda *_: endless, tmp_path, retries=0)
    assert found.opinions.abstention.to_pylist() == [chat.UNREADABLE]


@pytest.mark.parametrize(("keys", "said"), [
    ({"url": "http://user:pass@host/v1"}, "url"),
    ({"url": "http://host/v1?key=secret"}, "url"),
    ({"url": "host/v1"}, "url"),
    ({"key_env": "sk-abc"}, "key_env"),
    ({"prompt": "Judge {text}"}, "lacks {classes}"),
    ({"million_input_tokens_price": 1}, "max_cost"),
    ({"concurrency": 0}, "concurrency"),
    ({"timeout_seconds": 0}, "timeout_seconds"),
])  # fmt: skip
def test_settings_that_cannot_be_are_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        LlmChecker.model_validate({"url": "http://host/v1", "model": "m"} | keys)


@pytest.mark.parametrize("checker", ["predictions", "llm"])
def test_a_checker_without_its_section_is_refused(checker: str) -> None:
    with pytest.raises(ValidationError, match=f"add a section {checker}"):
        Checking.model_validate({"checker": checker})
