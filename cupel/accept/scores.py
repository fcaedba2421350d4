"""The running score of vendors: a log of judged deliveries, and the table made from it."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from cupel.accept.judging import Verdict, rate
from cupel.accept.plan import Record
from cupel.certificate.binomial_interval import binomial_interval
from cupel.errors import AuditError
from cupel.store.event_log import Event, EventLog
from cupel.store.files import is_file, move, read_text
from cupel.store.local import LocalStore
from cupel.store.store import StoreError

SIDE_CONFIDENCE = 0.975
EARLIER_ENDING = ".jsonl"

# Of the lowest share of labels that were right at first look.
FIRST_LOOK_CONFIDENCE = 0.95


class Score(Record):
    """What one look at one delivery came to; an event of the log.

    `attempt` is 1 where no item of the delivery was audited before; null in scores of versions that did not tell.
    """

    vendor: str
    delivery: str
    delivery_sha256: str
    plan: str
    look: int
    verdict: Literal["ACCEPT", "REFUSE", "OPEN"]
    error_budget: float
    labels: int
    rows_rejected: int
    audited: int
    wrong: int
    contested: int
    error_bound: float
    currency: str
    labels_cost: float | None
    audit_cost: float | None
    right_by_estimate: int
    attempt: int | None = None


class Standing(NamedTuple):
    """A vendor's deliveries so far, each by its last look.

    `error` is the share of wrong among the settled audited labels of all deliveries, with an exact 95% interval
    for the error of the deliveries weighted by how many of their labels were audited (`low`, `high`).
    `per_right_label` is null where a delivery's price is not known, or currencies differ.

    First-time acceptance is of `first_looks`: deliveries whose first look is scored, and of whose items none was
    audited before, so that what was sent back and comes again counts in none. `first_accepted` of them were accepted at
    that look; `first_right` of the `first_settled` labels that it audited were right, and `first_low` is the exact 95%
    lower bound of that share.
    """

    vendor: str
    deliveries: int
    labels: int
    accepted: int
    refused: int
    open: int
    audited: int
    wrong: int
    contested: int
    error: float | None
    low: float
    high: float
    per_right_label: float | None
    currency: str
    first_looks: int = 0
    first_accepted: int = 0
    first_settled: int = 0
    first_right: int = 0
    first_low: float | None = None


def score_of(verdict: Verdict, vendor: str) -> Score:
    """Return the event that a verdict adds."""
    return Score(
        vendor=vendor,
        labels_cost=verdict.cost.labels,
        audit_cost=verdict.cost.audit,
        currency=verdict.cost.currency,
        right_by_estimate=verdict.cost.right_by_estimate,
        **{
            name: getattr(verdict, name)
            for name in ("delivery", "delivery_sha256", "plan", "look", "verdict", "error_budget", "labels",
                         "rows_rejected", "audited", "wrong", "contested", "error_bound", "attempt")
        },
    )  # fmt: skip


class ScoreLog:
    """The log of vendors' scores; none is ever changed.

    Earlier versions kept the scores as lines of a file. What of it the log does not hold is read behind the log, and
    appended with the next score; only then is the file set aside, so that a kill in between loses and doubles nothing.

    Args:
        path: The log's folder, such as `vendor_scores`, or the file of an earlier version, `vendor_scores.jsonl`.
    """

    def __init__(self, path: Path) -> None:
        self.folder = path.with_suffix("") if path.suffix == EARLIER_ENDING else path
        self.earlier_file = self.folder.with_name(f"{self.folder.name}{EARLIER_ENDING}")
        self.page = self.folder.with_suffix(".html")
        self._log = EventLog(LocalStore(self.folder.parent), self.folder.name)

    def read(self) -> list[Score]:
        """Return all scores, the earliest first; there may be none.

        Raises:
            AuditError: The log is broken, or holds no score; names file, and event or line.
        """
        earlier = self._read_earlier()  # before the log: another process may just move them into it
        try:
            events = self._log.read()
        except (StoreError, OSError) as error:
            raise self._unusable(error) from None
        return self._merge(events, earlier)

    def append(self, score: Score) -> bool:
        """Append a score, unless this look at this delivery is there already.

        Returns:
            Whether it was appended.

        Raises:
            AuditError: The same look stands there with other counts or another vendor, or the log is broken or cannot
                be written.
        """
        earlier = self._read_earlier()

        def decide(events: list[Event]) -> list[Event]:
            scores = self._merge(events, earlier)
            new = scores[len(events) :] + ([] if self._holds(scores, score) else [score])
            return [one.model_dump(mode="json") for one in new]

        try:
            appended = self._log.append(decide)
            if earlier:
                with suppress(FileNotFoundError):  # another process has just set it aside
                    move(self.earlier_file, self.earlier_file.with_name(f"{self.earlier_file.name}.old"))
        except (StoreError, OSError) as error:
            raise self._unusable(error) from None
        return score.model_dump(mode="json") in appended

    def refuse_second_audit(self, delivery_sha256: str, plan: str | None) -> None:
        """Refuse to judge a delivery by another plan than the one it was judged by before.

        Args:
            delivery_sha256: Hash of the delivery.
            plan: The plan at hand; None before there is one.

        Raises:
            AuditError: A score of the delivery is there under another plan.
        """
        for number, known in enumerate(self.read(), 1):
            if known.delivery_sha256 == delivery_sha256 and known.plan != plan:
                raise AuditError(
                    f"{self.folder}, event {number}: this delivery was judged before, by plan {known.plan}: "
                    f"{known.verdict}. Another audit of the same labels would be a second throw of the dice; go on "
                    "with the first one's folder"
                )

    def _holds(self, scores: Sequence[Score], score: Score) -> bool:
        for number, known in enumerate(scores, 1):
            if (known.delivery_sha256, known.plan, known.look) != (score.delivery_sha256, score.plan, score.look):
                continue
            if (known.vendor, known.wrong, known.contested) != (score.vendor, score.wrong, score.contested):
                raise AuditError(
                    f"{self.folder}, event {number}: this look at {score.delivery} stands there for vendor "
                    f"{known.vendor!r} with {known.wrong} wrong and {known.contested} undecided; now it is "
                    f"{score.vendor!r} with {score.wrong} and {score.contested}. Scores are never changed: mend "
                    "--vendor, or name another folder with --scores"
                )
            return True
        return False

    def _merge(self, events: Sequence[Event], earlier: Sequence[Score]) -> list[Score]:
        """Return the scores of the log, then those of an earlier version's file that it does not hold."""
        scores = []
        for number, event in enumerate(events, 1):
            try:
                scores.append(Score.model_validate(event))
            except ValidationError:
                raise AuditError(
                    f"{self.folder}, event {number}: not a vendor's score; name another folder with --scores"
                ) from None
        return scores + [score for score in earlier if score not in scores]

    def _read_earlier(self) -> list[Score]:
        path = self.earlier_file
        try:
            lines = read_text(path).splitlines() if is_file(path) else []
        except FileNotFoundError:  # another process has just set it aside
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise AuditError(f"{path}: cannot be read: {error}; name another folder with --scores") from None
        scores = []
        for number, line in enumerate(lines, 1):
            try:
                scores.append(Score.model_validate_json(line))
            except ValidationError:
                raise AuditError(f"{path}, line {number}: not a vendor's score; restore the file") from None
        return scores

    def _unusable(self, error: Exception) -> AuditError:
        if isinstance(error, OSError):
            return AuditError(
                f"{self.folder}: cannot be read or written: {error.strerror}; name another folder with --scores"
            )
        return AuditError(f"{error}; or name another folder with --scores")


def standings(scores: Iterable[Score]) -> list[Standing]:
    """Return the vendors' table, the lowest error first; a delivery counts once, by its last look.

    Args:
        scores: All scores, in any order.
    """
    last: dict[tuple[str, str], Score] = {}
    firsts: dict[tuple[str, str], Score] = {}
    for score in scores:
        if score.look == 1 and score.attempt in (1, None):
            firsts.setdefault((score.vendor, score.delivery_sha256), score)
        key = (score.vendor, score.delivery_sha256)
        if key not in last or (score.look, score.plan) > (last[key].look, last[key].plan):
            last[key] = score
    by_vendor: dict[str, list[Score]] = {}
    for score in last.values():
        by_vendor.setdefault(score.vendor, []).append(score)
    first_looks = {vendor: [one for (name, _), one in firsts.items() if name == vendor] for vendor in by_vendor}
    made = [_standing(vendor, by_vendor[vendor])._replace(**_first_time(first_looks[vendor])) for vendor in by_vendor]
    return sorted(made, key=lambda one: (one.error if one.error is not None else 2.0, one.vendor))


def _standing(vendor: str, scores: Sequence[Score]) -> Standing:
    """Pool a vendor's deliveries.

    One delivery has the interval of its verdict, which knows how many labels there are. Of several, the sum of
    the wrong labels found is a sum of independent chances, since each hypergeometric count is one; its tails are
    lighter than those of the binomial with the mean chance, so the interval holds.

    Source: Hoeffding (1956), Annals of Mathematical Statistics 27(3); Vatutin and Mikhailov (1982), Theory of
    Probability and its Applications 27(4).
    """
    wrong, settled = sum(s.wrong for s in scores), sum(s.audited - s.contested for s in scores)
    costs = [s.labels_cost for s in scores]
    right = sum(s.right_by_estimate for s in scores)
    currencies = sorted({s.currency for s in scores})
    is_priced = len(currencies) == 1 and right and None not in costs
    total = sum((s.labels_cost or 0.0) + (s.audit_cost or 0.0) for s in scores)
    verdicts = [s.verdict for s in scores]
    low, high = _interval(scores, wrong, settled)
    return Standing(
        vendor=vendor,
        deliveries=len(scores),
        labels=sum(s.labels for s in scores),
        accepted=verdicts.count("ACCEPT"),
        refused=verdicts.count("REFUSE"),
        open=verdicts.count("OPEN"),
        audited=sum(s.audited for s in scores),
        wrong=wrong,
        contested=sum(s.contested for s in scores),
        error=wrong / settled if settled else None,
        low=low,
        high=high,
        per_right_label=total / right if is_priced else None,
        currency=currencies[0] if len(currencies) == 1 else "",
    )


def _first_time(firsts: Sequence[Score]) -> dict[str, Any]:
    settled = sum(one.audited - one.contested for one in firsts)
    right = settled - sum(one.wrong for one in firsts)
    return {
        "first_looks": len(firsts),
        "first_accepted": sum(one.verdict == "ACCEPT" for one in firsts),
        "first_settled": settled,
        "first_right": right,
        "first_low": binomial_interval(right, settled, FIRST_LOOK_CONFIDENCE)[0] if settled else None,
    }


def _interval(scores: Sequence[Score], wrong: int, settled: int) -> tuple[float, float]:
    if len(scores) == 1:
        only = rate(scores[0].labels, scores[0].audited, wrong, scores[0].contested)
        return only.low, only.high
    if not settled:
        return 0.0, 1.0
    return binomial_interval(wrong, settled, SIDE_CONFIDENCE)
