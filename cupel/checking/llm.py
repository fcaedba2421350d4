"""Llm: a language model as the checker, asked about each item once, within its budget."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from cupel.checking.asking import Question, question, understood
from cupel.checking.chat import Endpoint, Reply, Try
from cupel.checking.opinions import Opinions
from cupel.checking.replies import RepliesLog, price
from cupel.config.checking import LlmChecker
from cupel.config.labeling import Labeling
from cupel.errors import CheckerError

OVER_BUDGET = "the cost cap was reached before it was asked about"
# So many questions one after the other that all fail, each tried several times: the endpoint is out of order.
FAILURES_IN_A_ROW = 20
PIECE_ITEMS = 1_024


class Asked(NamedTuple):
    """What a language model says of some texts, how many questions were put now, and what all of it cost so far."""

    opinions: Opinions
    asked: int
    cost: float


def ask(
    texts: Sequence[str], settings: LlmChecker, labeling: Labeling, replies: RepliesLog, endpoint: Endpoint
) -> Asked:
    """Ask a language model about texts; what was answered before is not asked again.

    Before each try the most it can cost is set aside; where that would exceed the cap, it and all that
    come after are left out. A try that may have been charged counts, answered or not.

    Args:
        texts: The texts, in the order in which they are asked about.
        settings: Model, prompt, prices and cap.
        labeling: The question and the ontology.
        replies: What the delivery's questions were answered so far; what is answered now is added.
        endpoint: Where it is asked.

    Returns:
        An opinion for each text, or the reason why there is none.

    Raises:
        CheckerError: The endpoint refuses key, address or model, or fails again and again; what was answered
            is kept.
    """
    asking = _Asking(settings, replies, endpoint)
    said: list[Reply | str] = []
    try:
        with ThreadPoolExecutor(settings.concurrency) as threads:
            for start in range(0, len(texts), PIECE_ITEMS):
                piece = [question(text, settings, labeling) for text in texts[start : start + PIECE_ITEMS]]
                # Texts that are alike are one question.
                once = {one.key: one for one in piece}
                found = dict(zip(once, threads.map(asking.answer, once.values()), strict=True))
                if asking.broken is not None:
                    raise asking.broken
                said += [found[one.key] for one in piece]
    finally:
        replies.append_waiting()
    return Asked(understood(said, labeling.classes), asking.asked, replies.cost(settings))


class _Asking:
    """What the threads share: the replies, what is set aside, and whether to go on."""

    def __init__(self, settings: LlmChecker, replies: RepliesLog, endpoint: Endpoint) -> None:
        self._replies = replies
        self.broken: CheckerError | None = None
        self.asked = 0
        self._settings = settings
        self._endpoint = endpoint
        self._lock = threading.Condition()
        self._set_aside = (0, 0)
        self._is_spent = False
        self._failed = 0

    def answer(self, one: Question) -> Reply | str:
        known = self._replies.replies.get(one.key)
        if known is not None:
            return known
        if self.broken is not None:
            return ""
        try:
            last = self._endpoint.ask(one.body, lambda: self._may_try(one), lambda tried: self._tried(one, tried))
        except CheckerError as error:
            with self._lock:
                self.broken = error
                self._lock.notify_all()
            return ""
        if last is None:
            return OVER_BUDGET
        self._count(last)
        return last.reply if last.reply is not None else last.problem or ""

    def _may_try(self, one: Question) -> bool:
        """Set aside the most that a try can cost; false where that is not left, or the endpoint is out of order."""
        with self._lock:
            while not self._is_stopped() and self._is_over(_sum(self._set_aside, one.most_tokens)):
                # What is under way may turn out cheaper than the most that it can cost.
                self._is_spent = self._is_over(one.most_tokens)
                if not self._is_spent:
                    self._lock.wait()
            if self._is_stopped():
                self._lock.notify_all()
                return False
            self._set_aside = _sum(self._set_aside, one.most_tokens)
            return True

    def _tried(self, one: Question, tried: Try) -> None:
        self._replies.add(one.key, tried, one.most_tokens)  # counts twice until the next line, never not at all
        with self._lock:
            self._set_aside = _sum(self._set_aside, (-one.most_tokens[0], -one.most_tokens[1]))
            self._lock.notify_all()

    def _is_stopped(self) -> bool:
        return self._is_spent or self.broken is not None

    def _is_over(self, more: tuple[int, int]) -> bool:
        cap = self._settings.max_cost
        return cap is not None and self._replies.cost(self._settings) + price(self._settings, *more) > cap

    def _count(self, last: Try) -> None:
        with self._lock:
            self.asked += 1
            self._failed = 0 if last.reply is not None else self._failed + 1
            if self._failed >= FAILURES_IN_A_ROW and self.broken is None:
                self.broken = CheckerError(
                    f"{self._settings.url}: {self._failed} questions one after the other failed, the last because "
                    f"{last.problem}; see to the endpoint and run again, what was answered is kept"
                )
                self._lock.notify_all()


def _sum(tokens: tuple[int, int], more: tuple[int, int]) -> tuple[int, int]:
    return tokens[0] + more[0], tokens[1] + more[1]
