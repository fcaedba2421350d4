import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

from cupel.accept.judging import Prices
from cupel.accept.plan import Settings, choose_size, make_plan
from cupel.show.audit_plan_page import chances_plot, plan_page

SETTINGS = Settings(error_budget=0.05, label_column="label", id_column="id", text_column="text",
                    annotator_column=None, classes=("bad", "good"))  # fmt: skip


def test_the_plan_has_a_page_with_cost_chances_and_a_plot(make_buyer: Callable[..., Any]) -> None:
    buyer = make_buyer(0)
    _, said = buyer.run(budget=0.05, prices=Prices(expert_answer=0.5))
    page = (buyer.folder / "plan.html").read_text()
    assert "plan.html" in said
    assert "Chance to be accepted" in page
    chosen = re.search(r'<tr class="chosen">(.*?)</tr>', page)
    assert chosen is not None
    cells = re.findall("<td>(.*?)</td>", chosen[1])
    assert cells[-1] == f"{int(cells[0]) * 0.5:,.2f} USD"
    assert "<script" not in page
    assert "http://" not in re.sub(r"http://www\.w3\.org\S*", "", page)


def test_the_page_tells_no_label_and_is_the_same_every_time(make_buyer: Callable[..., Any]) -> None:
    from cupel.accept.delivery import read_delivery

    delivery = read_delivery(make_buyer(0).delivery)
    choice = choose_size(1_000, 0.05, "aside", None)
    plan = make_plan(delivery, SETTINGS, choice.size, None, 7, ())
    page = plan_page(plan, choice, Prices())
    assert page == plan_page(plan, choice, Prices())
    assert b"cost" not in page
    assert "audits of" in ElementTree.fromstring(chances_plot(plan, choice)).attrib["aria-label"]
