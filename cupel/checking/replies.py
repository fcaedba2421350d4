"""Replies: the record of what a language model said and what it may have cost; lines are added, never changed."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cupel.checking.chat import Reply, Try
from cupel.config.checking import LlmChecker

MILLION = 1_000_000


class Record:
    """The replies of one delivery, by the hash of the question, in a file of JSON lines.

    A reply is written as soon as it is there, so that what was paid for survives a kill. It holds no
    question and no key.

    Args:
        path: The file; made with its folder at the first line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.replies: dict[str, Reply] = {}
        self._tokens = [0, 0]
        content = path.read_bytes() if path.is_file() else b""
        self._is_cut = bool(content) and not content.endswith(b"\n")
        for line in content.splitlines():
            self._take(line)

    def add(self, key: str, tried: Try, most: tuple[int, int]) -> None:
        """Write a try that may be charged: with the tokens it took, or the most it can have taken where it is not told.

        Args:
            key: Hash of the question.
            tried: The try; one that is certainly free is left out.
            most: Tokens of question and answer, at most.
        """
        if not tried.may_be_charged:
            return
        line: dict[str, Any] = {"key": key}
        told: tuple[int | None, int | None] = (None, None)
        if tried.reply is not None:
            told = (tried.reply.input_tokens, tried.reply.output_tokens)
            line |= {"answer": tried.reply.answer, "log_probability": tried.reply.log_probability}
        else:
            line |= {"problem": tried.problem}
        line |= {
            "input_tokens": told[0], "output_tokens": told[1],
            "charged": [limit if tokens is None else tokens for tokens, limit in zip(told, most, strict=True)],
        }  # fmt: skip
        written = json.dumps(line, ensure_ascii=True, allow_nan=False).encode()
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                # A kill may have cut the last line short.
                file.write((b"\n" if self._is_cut else b"") + written + b"\n")
            self._is_cut = False
            self._take(written)

    def cost(self, settings: LlmChecker) -> float:
        """Return what all of it may have cost, at these prices."""
        with self._lock:
            return price(settings, *self._tokens)

    def _take(self, line: bytes) -> None:
        """Take a line in; one that a kill cut short is left out, and its question is put again."""
        try:
            found = json.loads(line)
            charged = [int(tokens) for tokens in found["charged"]]
            self._tokens = [before + more for before, more in zip(self._tokens, charged, strict=True)]
            if "answer" in found:
                self.replies[found["key"]] = _reply(found)
        except (ValueError, LookupError, TypeError):
            return


def price(settings: LlmChecker, input_tokens: int, output_tokens: int) -> float:
    """Return the price of some tokens."""
    return (
        input_tokens * settings.million_input_tokens_price + output_tokens * settings.million_output_tokens_price
    ) / MILLION


def _reply(line: Mapping[str, Any]) -> Reply:
    return Reply(str(line["answer"]), line["log_probability"], line["input_tokens"], line["output_tokens"])
