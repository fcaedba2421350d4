"""Lines that stand in many items of a batch: menus, footers, notices, left of a page when its text was taken."""

import duckdb

# Shorter lines are greetings, names and dates, which people write again and again.
LEAST_CHARACTERS = 15


def repeated_lines(items: duckdb.DuckDBPyRelation, least: int) -> frozenset[str]:
    """Return the lines that many items hold.

    Args:
        items: `raw_items` of a batch: item_id and text are read.
        least: In how many items a line must stand.

    Returns:
        The lines, without the spaces around them.
    """
    rows = items.query("raw_items", _REPEATED.replace("{least}", str(int(least)))).fetchall()
    return frozenset(row[0] for row in rows)


_REPEATED = rf"""
SELECT line FROM (
    SELECT DISTINCT item_id, unnest(list_transform(string_split(text, chr(10)),
                                    lambda line: trim(line, chr(32) || chr(9) || chr(13)))) AS line
    FROM raw_items
)
WHERE length(line) >= {LEAST_CHARACTERS} GROUP BY line HAVING count(*) >= {{least}} ORDER BY line
"""
