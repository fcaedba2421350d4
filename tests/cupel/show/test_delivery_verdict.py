import csv
import io
import re
from collections.abc import Callable
from typing import Any

from cupel.accept.judging import Verdict
from cupel.accept.suspicious import Suspicion
from cupel.show.delivery_verdict import suspicious_csv, verdict_json, verdict_page


def verdict_of(make_buyer: Callable[..., Any], wrong: int) -> Verdict:
    buyer = make_buyer(wrong)
    buyer.run(budget=0.05, seed=2)
    buyer.fill()
    buyer.run()
    return Verdict.model_validate_json((buyer.folder / "verdict.json").read_text())


def test_the_json_reads_back_as_the_same_verdict(make_buyer: Callable[..., Any]) -> None:
    verdict = verdict_of(make_buyer, 300)
    assert Verdict.model_validate_json(verdict_json(verdict)) == verdict


def test_the_page_says_what_the_verdict_says_and_asks_no_network(make_buyer: Callable[..., Any]) -> None:
    verdict = verdict_of(make_buyer, 300)
    page = verdict_page(verdict).decode()
    assert "<h1>REFUSE</h1>" in page
    assert f"<b>{verdict.wrong}</b>" in page
    assert verdict.delivery_sha256 in page
    assert not re.search(r"<script|src=|href=|url\(|@import", page)


def test_the_page_escapes_what_comes_from_the_delivery(make_buyer: Callable[..., Any]) -> None:
    verdict = verdict_of(make_buyer, 300)
    hostile = "<img src=x onerror=alert(1)>"
    item = verdict.send_back[0].model_copy(update={"item_id": hostile, "text": hostile, "delivered": hostile})
    changed = verdict.model_copy(update={"send_back": (item,), "vendor": hostile, "delivery": hostile})
    page = verdict_page(changed).decode()
    assert hostile not in page
    assert page.count("&lt;img src=x") >= 4


def test_suspicious_labels_are_a_table_that_no_spreadsheet_runs() -> None:
    content = suspicious_csv([Suspicion("=1", 2, "a", "b", 0.1, 0.9, "+text")]).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content)))
    assert rows[0][:4] == ["item_id", "row", "delivered_label", "suggested_label"]
    assert rows[1] == ["'=1", "2", "a", "b", "0.1", "0.9", "'+text"]
