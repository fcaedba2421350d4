"""The project file's section `release`: what a release holds, how good it must be, and what proof may cost."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from cupel.config.base import Language, OpenShare, Positive, Section, Share, is_unset
from cupel.config.licences import Purpose

FieldName = Annotated[str, Field(min_length=1, max_length=200)]


class Splits(Section):
    """Shares of the splits; they add up to 1."""

    train: Share = 0.8
    """Share of groups for training."""
    validation: Share = 0.1
    """Share of groups for validation."""
    test: Share = 0.1
    """Share of groups for testing."""

    @model_validator(mode="after")
    def _shares_are_whole(self) -> "Splits":
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError("train, validation and test must add up to 1")
        return self


class AuditStratum(Section):
    """A part of the risk order with a sample of its own."""

    share: Annotated[float, Field(gt=0, le=1)]
    """Share of the items in it; the safest part comes first."""
    audited: Positive
    """Items drawn from it."""


class Witness(Section):
    """Somebody else who is told the freeze, and whose receipt draws the audit: an authority or a program."""

    timestamp_authority: Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$")] | None = None
    """Where a time-stamp authority (RFC 3161) takes requests over HTTP; no name, password or query in it."""
    certificates: Annotated[str, Field(min_length=1)] | None = None
    """PEM file of the authority's root certificates, relative to the data folder; needed with an authority."""
    command: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """A program and its arguments; it gets the hash as one more and prints a receipt."""
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0
    """Time for an answer; after it the release stays open, and the witness is asked again in the next round."""

    @model_validator(mode="after")
    def _is_one_witness(self) -> "Witness":
        if (self.timestamp_authority is None) != bool(self.command):
            raise ValueError("give a timestamp_authority or a command, one of the two")
        if (self.timestamp_authority is None) != (self.certificates is None):
            raise ValueError("give certificates with a timestamp_authority, and only there: they show whose word it is")
        return self

    @property
    def name(self) -> str:
        """Who is asked: the authority's host, or the program."""
        return self.command[0] if self.command else str(urlsplit(self.timestamp_authority or "").hostname)


class SliceShares(Section):
    """Budgets for one class, or one slice of the items."""

    wrong: OpenShare | None = None
    """Highest share of wrong labels among the items released in it: of a class, among those labelled so."""
    missed: OpenShare | None = None
    """Of a class: highest share of its items that are labelled otherwise."""
    audited: Positive | None = None
    """fixed_sequence: items of it that are audited; null: twice as many as would prove it without a find."""

    @model_validator(mode="after")
    def _something_is_bounded(self) -> "SliceShares":
        if self.wrong is None and self.missed is None:
            raise ValueError("give wrong, or of a class missed, as shares: there is nothing to hold it to")
        return self


SLICED_BY = ("class", "language", "source", "batch", "licence", "decided_by")


class Certificate(Section):
    """How the audit is drawn, extended and judged; every method keeps the same chance of a false certificate."""

    method: Literal["fixed_sequence", "rising", "stratified", "e_process"] = "fixed_sequence"
    """fixed_sequence: one sample; rising: fewest experts, in waves; stratified: by risk; e_process: ends at will."""
    gain: Annotated[float, Field(ge=0, le=100)] | None = None
    """rising: how much each error found raises the share, in shares of the first; null: fits size and budget."""
    steps: Annotated[int, Field(ge=1, le=40)] | None = None
    """rising: errors found after which all that follows is adjudicated; null: fits size and budget."""
    strata: tuple[AuditStratum, ...] = ()
    """stratified: the parts of the risk order, the safest first; their shares add up to 1."""
    adjudicators_audited: Positive | None = None
    """Adjudicated items that another expert judges again, at random; null: adjudicators are right by definition."""
    planted_errors: Positive | None = None
    """Items of `labeling.gold` put to auditors too, to bound what they overlook; null: auditors are always right."""
    nonce: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Draws the audit in place of what comes after the freeze, for samples and tests: the certificate says so."""
    witness: Witness | None = Field(None, exclude_if=is_unset)
    """Who else is told the freeze, and gives the number that draws the audit; null: the operating system gives it."""
    max_undecided_share: Share = 0.05
    """Largest share of the items that experts may leave undecided, by its upper bound."""
    look_every: Positive = 100
    """e_process: items between two looks."""
    by: dict[str, dict[str, SliceShares]] = Field({}, exclude_if=is_unset)
    """Budgets by class, language, source (file), batch, licence or decided_by, each held beside that of the whole."""
    audit_anyway: bool = Field(False, exclude_if=is_unset)
    """Ask experts even where the audit could not pass if they found nothing wrong: its bounds are all it can give."""
    guessed_errors: tuple[Share, ...] = ()
    """Guess for the outlook: share wrong in equal parts of the risk order, the safest first; empty: by log-odds."""

    @model_validator(mode="after")
    def _strata_are_whole(self) -> "Certificate":
        if (self.method == "stratified") != bool(self.strata):
            raise ValueError("give strata where the method is stratified, and only there")
        if self.strata and abs(sum(stratum.share for stratum in self.strata) - 1) > 1e-9:
            raise ValueError("the shares of strata must add up to 1")
        if (self.gain is None) != (self.steps is None):
            raise ValueError("give gain and steps together, or neither")
        if self.by and self.method not in ("fixed_sequence", "rising"):
            raise ValueError(f"by: found the method {self.method}; budgets need fixed_sequence or rising")
        if self.by and self.adjudicators_audited is not None:
            raise ValueError("by: a budget cannot count adjudicators' errors; remove adjudicators_audited, or by")
        for name, values in self.by.items():
            if name not in SLICED_BY:
                raise ValueError(f"by: found {name!r}; allowed: {', '.join(SLICED_BY)}")
            if name != "class" and any(budget.missed is not None for budget in values.values()):
                raise ValueError(f"by, {name}: missed is of classes alone; an item cannot be missed by its {name}")
        if self.nonce is not None and self.witness is not None:
            raise ValueError("nonce, witness: a nonce known before the freeze leaves nothing to witness; remove one")
        return self


class LanguagePromise(Section):
    """What a release promises of one language; the gate holds it to that."""

    least_items: Positive
    """Items in the language that the release holds at least."""
    error_budget: OpenShare | None = None
    """Highest label error in the language that the audit must show, beside the certificate's; null: none."""


class Release(Section):
    """What a release holds, how good it must be, and what proof may cost."""

    holds: Literal["each_batch", "all_batches"] = "each_batch"
    """One release a batch, so that a bad delivery never blocks a good one, or one of all that passed."""
    purpose: Purpose = "publish"
    """What the terms of licences are held to: publish, it is passed on; train, it stays in the house."""
    error_budget: OpenShare
    """Highest label error that a release may have, a share."""
    audit_size: Positive
    """Items drawn at random for the audit; e_process: at most; rising and stratified do not use it."""
    certificate: Certificate = Certificate()
    """How the audit is drawn, extended and judged."""
    max_experts_seen_share: Share
    """Largest share of the items that experts may see, audited or adjudicated."""
    seed: int = 20_140_601
    """Enters the audit's draw and the splits."""
    splits: Splits = Splits()
    """Shares of the splits."""
    carry: tuple[FieldName, ...] = Field((), exclude_if=is_unset)
    """Columns of the deliveries that are handed over with the labels, as they were delivered; empty: none."""
    carry_private: tuple[FieldName, ...] = Field((), exclude_if=is_unset)
    """Those of `carry` that may hold what cleaning masks in texts, such as e-mail addresses; empty: none may."""
    languages: dict[Language, LanguagePromise] = {}
    """What the release promises, by language_Script; empty: nothing."""
    description: str = ""
    """What the data are; for the card."""
    citation: str = ""
    """How to cite them; for the card."""

    @model_validator(mode="after")
    def _carried_columns_are_named_once(self) -> "Release":
        for key, names in (("carry", self.carry), ("carry_private", self.carry_private)):
            if twice := [name for name in names if names.count(name) > 1]:
                raise ValueError(f"{key}: {twice[0]!r} is there twice; name each column once")
        if strange := [name for name in self.carry_private if name not in self.carry]:
            raise ValueError(f"carry_private: found {strange[0]!r}, which carry does not name; name it there too")
        return self
