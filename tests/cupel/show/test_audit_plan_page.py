import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

from cupel.accept.judging import Prices
from cupel.accept.plan import EarlierAudit, Settings, choose_size, make_plan, terms_of
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
    cells = re.findall("<td[^>]*>(.*?)</td>", chosen[1])
    assert cells[-1] == f"{int(cells[0]) * 0.5:,.2f} USD"
    assert "<script" not in page
    assert "http://" not in re.sub(r"http://www\.w3\.org\S*", "", page)


def test_the_page_tells_no_label_and_is_the_same_every_time(make_buyer: Callable[..., Any]) -> None:
    from cupel.accept.delivery import read_delivery

    delivery = read_delivery(make_buyer(0).delivery)
    choice = choose_size(terms_of(1_000, SETTINGS, 1))
    plan = make_plan(delivery, "a", SETTINGS, choice.size, None, ())
    page = plan_page(plan, choice, Prices())
    assert page == plan_page(plan, choice, Prices())
    assert b"cost" not in page
    assert "audits of" in ElementTree.fromstring(chances_plot(plan, choice)).attrib["aria-label"]


def test_the_page_says_which_items_were_audited_before_and_what_that_costs(make_buyer: Callable[..., Any]) -> None:
    from cupel.accept.delivery import read_delivery

    earlier = EarlierAudit(items=300, near_items=20, delivery="<b>", at="2026-11-30", size_alone=200, size_needed=250)
    choice = choose_size(terms_of(1_000, SETTINGS, 2))
    plan = make_plan(read_delivery(make_buyer(0).delivery), "a", SETTINGS, choice.size, None, (), 2, earlier)
    page = plan_page(plan, choice, Prices()).decode()
    assert (
        "300 of 1,000 items were audited before and 20 are nearly the same as such (last in &lt;b&gt;, 2026-11-30): "
        "this is attempt 2, its alpha is 0.5%; the audit is 25% larger for it (250 instead of 200)"
    ) in page
