"""What was measured of a batch, summed up for the page: what normalising changed, which languages were found."""

import duckdb

from cupel.cleaning.repairs import STEPS

# Languages are many; these are shown, the commonest first.
MOST_LANGUAGES = 20


def repairs_table(signals: duckdb.DuckDBPyRelation) -> str:
    """Return as Markdown how many items each step of normalising changed, and how many lines it took away in all."""
    counted = dict(signals.query("s", "SELECT step, count(*) FROM (SELECT unnest(repairs) AS step FROM s) GROUP BY 1")
                   .fetchall())  # fmt: skip
    items, changed, lines = signals.query(
        "s", "SELECT count(*), count(*) FILTER (is_changed), coalesce(sum(lines_removed), 0)::BIGINT FROM s"
    ).fetchall()[0]
    rows = [f"| {step.replace('_', ' ')} | {counted[step]:,} |" for step in STEPS if step in counted]
    head = f"{changed:,} of {items:,} texts were changed; {lines:,} lines were removed."
    return "\n".join([head, "", "| step | texts |", "| --- | --- |", *rows]) if rows else head


def languages_table(signals: duckdb.DuckDBPyRelation) -> str:
    """Return as Markdown how many items are in each language, the commonest first."""
    rows = signals.query(
        "s",
        "SELECT language, count(*) AS items, avg(language_confidence), count(*) FILTER (NOT is_declared_language) "
        "FROM s GROUP BY 1 ORDER BY items DESC, language",
    ).fetchall()
    shown = [f"| {name} | {items:,} | {mean:.2f} | {other:,} |" for name, items, mean, other in rows[:MOST_LANGUAGES]]
    more, others = (sum(row[column] for row in rows[MOST_LANGUAGES:]) for column in (1, 3))
    if more:
        shown.append(f"| {len(rows) - MOST_LANGUAGES:,} more | {more:,} | | {others:,} |")
    head = "| language | items | mean confidence | declared as another |"
    return "\n".join([head, "| --- | --- | --- | --- |", *shown])
