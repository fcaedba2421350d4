"""The plan's page: what other sizes of the audit would cost, and how likely each accepts, by the true error."""

from html import escape

from cupel.accept.budget import money, percent
from cupel.accept.judging import Prices, earlier_words
from cupel.accept.part_plan import count_costs
from cupel.accept.plan import Choice, Plan, terms_of
from cupel.certificate.acceptance_plan import plan_first_looks
from cupel.show.line_chart import ChartLine, ChartMark, line_chart
from cupel.show.phone_tables import fit_phone

# The true error is followed from none to so many times the budget.
MOST_TIMES_BUDGET, POINTS = 2.0, 41
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:860px;margin:32px auto;padding:0 24px;color:#1d2733}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:5px 14px 5px 0;text-align:right;"
    "border-bottom:1px solid #e3e7eb}.earlier{border-left:4px solid #9a6a00;padding:2px 14px;background:#fbf6ea}"
    "h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.2rem}figure{margin:0}svg{max-width:100%;height:auto}.chosen{font-weight:600}"
)


def plan_page(plan: Plan, choice: Choice, prices: Prices) -> bytes:
    """Return the plan as a page without scripts or network.

    Chances are exact for a delivery without contested items; which error the delivery has, nobody knows yet.

    Args:
        plan: The plan.
        choice: Its size, and the others that were considered.
        prices: What a check costs and takes.
    """
    heads = ["check", "wrong allowed", *(f"if {percent(error)} are wrong" for error in choice.errors), "hours"]
    heads += [] if prices.expert_answer is None else ["cost"]
    rows = []
    for row in choice.table:
        cells = [f"{row.drawn:,}", "-" if row.most_wrong is None else str(row.most_wrong)]
        cells += [_chance(chance) for chance in row.chances]
        cells.append(f"{row.drawn * prices.expert_seconds / 3600:.1f}")
        cells += [] if prices.expert_answer is None else [money(row.drawn * prices.expert_answer, prices.currency)]
        chosen = ' class="chosen"' if row.drawn == plan.size else ""
        rows.append(f"<tr{chosen}>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    earlier = ""
    if plan.earlier is not None:
        words = earlier_words(plan.earlier, plan.labels, plan.attempt, plan.alpha)
        earlier = f'<p class="earlier"><b>Audited before.</b> {escape(words)}.</p>'
    limit = plan.settings.max_undecided
    undecided = "" if limit is None else f" and {percent(limit)} that cannot be decided"
    what = "that the whole keeps its budget" if plan.settings.budgets else "to be accepted"
    content = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width, initial-scale=1"><meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Plan of {escape(plan.delivery)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Audit {plan.size:,} of {plan.labels:,} labels</h1><p>{escape(plan.delivery)}, against a budget of "
        f"{percent(plan.settings.error_budget)} wrong{undecided}: {escape(choice.reason)}.</p>{earlier}"
        f"<h2>Chance {what} at the first look</h2><figure>{chances_plot(plan, choice)}</figure>"
        f"<table><thead><tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>{_write_costs(plan)}</body></html>\n"
    )
    return fit_phone(content).encode()


def _write_costs(plan: Plan) -> str:
    """Return what each budget of a part takes, as a table; nothing where there are none."""
    costs = count_costs(plan)
    if not costs:
        return ""
    rows = [
        (one.budget.option, f"{one.labels:,}", f"{one.drawn:,}", f"{one.drawn_others:,}", f"about {one.more:,}")
        for one in costs
    ]
    heads = ("budget", "labels", "check", "of others", "more than the whole alone")
    cells = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return (
        "<h2>Budgets of parts</h2><p>Each must be kept, as that of the whole, for the delivery to be accepted.</p>"
        f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead><tbody>{cells}</tbody></table>"
    )


def chances_plot(plan: Plan, choice: Choice) -> str:
    """Plot the chance to be accepted by the true error, for each size considered: one SVG element."""
    budget = plan.settings.error_budget
    errors = [min(1.0, budget * MOST_TIMES_BUDGET * point / (POINTS - 1)) for point in range(POINTS)]
    terms = terms_of(plan.labels, plan.settings, plan.attempt)
    curves = plan_first_looks(terms, [row.drawn for row in choice.table], errors)

    lines = [ChartLine(f"{curve.drawn:,}", curve.chances, curve.drawn == plan.size) for curve in curves]
    text = f"Chance to be accepted by the true share of wrong labels, for audits of {len(curves)} sizes."
    titles = ("labels that are wrong in truth", "chance to be accepted")
    return line_chart(text, errors, lines, ChartMark(budget, f"budget {percent(budget)}"), titles)


def _chance(chance: float) -> str:
    """Return a chance in whole percent that never looks surer than it is."""
    return "<1%" if 0 < chance < 0.01 else ">99%" if 0.99 < chance < 1 else f"{chance:.0%}"
