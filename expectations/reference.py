"""The reference page of the gates: made from the suites and thresholds, so that it cannot say anything else."""

from expectations.suite import Check, Suite
from expectations.suites import all_suites
from expectations.team import FILLED_BY_ANSWERS, MAY_BE_EMPTY, MOST_ROWS
from expectations.thresholds import Threshold

COMMAND = "python -m expectations.reference > docs/reference/gates.md"

_INTRODUCTION = f"""\
<!-- Made by `{COMMAND}`; a test holds it to the code. -->
# The gates: what every check asks

A gate judges one table of a stage when the table is written. Each of its checks says:

| outcome | meaning | what follows |
|---|---|---|
| `pass` | what was measured keeps the threshold | the chain goes on |
| `fail` | it does not; or nothing could be measured (null, NaN, an empty table, an error of the judge) | `critical`: \
nothing behind the table runs, and no release takes the batch; `warning`: it is shown |
| `open` | answers are awaited | what asks for the answers runs; no release takes the batch |

Outcomes are rows of the table `gate_results`, one partition a gate and batch or release (`raw--movies`): observed \
value, bound, threshold, reason, the hash of the table that was judged, and up to 20 ids of items that break the \
check. A release takes a batch only if every gate has passed for its tables as they are now.

DuckDB measures each table in one scan to one row of numbers, and Great Expectations judges that row.

## A threshold of your own

```yaml
thresholds:
  unreadable_row_share: {{value: 0.1, reason: scanned letters; the scanner loses pages}}
```

Thresholds that are a setting of the project, such as the error budget, are changed there.

## An expectation of your own

```yaml
expectations:
  - table: clean_items
    expectation: ExpectColumnValueLengthsToBeBetween
    arguments: {{column: text, min_value: 10, max_value: 2000}}
    severity: critical
    reason: shorter and longer texts cannot be shown in our tool
```

Any stock column expectation of Great Expectations can be asked of any table but `answers` and `gate_results`. It \
becomes the check `team_<columns>_<expectation>` on that table. It runs on the columns that it names only, and on a \
fixed sample of {MOST_ROWS:,} rows of a larger table; the outcome says so. A column without any value fails, and so \
does an empty table, but for two kinds. Those that answers fill ({", ".join(sorted(FILLED_BY_ANSWERS))}) are open \
while empty. Those of what went wrong ({", ".join(sorted(MAY_BE_EMPTY))}) keep every rule for rows while empty.
"""


def gates_page() -> str:
    """Return docs/reference/gates.md."""
    return "\n".join([_INTRODUCTION, *(_section(suite) for suite in all_suites())])


def _section(suite: Suite) -> str:
    title = f"## {suite.stage.capitalize()}: `{suite.table}`"
    return "\n".join([title, "", *(_entry(check) for check in suite.checks)])


def _entry(check: Check) -> str:
    threshold = check.threshold
    lines = [
        f"### `{check.name}`",
        check.question,
        "",
        f"- **Allowed:** {_allowed(threshold)} ({threshold.unit}), {threshold.severity}"
        + (", judged by the confidence bound" if check.judges_bound else ""),
        f"- **Why:** {threshold.reason}",
        f"- **When it fails:** {check.remedy}",
        "",
    ]
    return "\n".join(lines)


def _allowed(threshold: Threshold) -> str:
    value = f"the project's `{threshold.setting}`" if threshold.value is None else f"{threshold.value:g}"
    return f"{threshold.comparison} {value}"


if __name__ == "__main__":
    print(gates_page(), end="")
