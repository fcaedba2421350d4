"""Release: freeze, audit first, accept what it vouches for, adjudicate the rest, certify, hand over."""

import html
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import dagster as dg
import pyarrow as pa

import cupel
from assets.bench import Bench
from assets.labeling import read_items
from assets.plots import outlook_plot, stage_errors_plot
from assets.report import read_pictures
from assets.spec import materialized, picture
from cupel.cleaning.images.measured import download_limits
from cupel.cleaning.images.rules import NO_LANGUAGE
from cupel.contract.kind import are_equal
from cupel.contract.stages import STAGES
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.release import RELEASE_PLAN, TRAINING_SET, WITHHELD_ITEMS
from cupel.errors import WitnessError
from cupel.lake.gates import gate_partition, is_left_over, open_gate, refuse_for_terms
from cupel.lake.step import Step
from cupel.modalities.image.contents import read_content
from cupel.modalities.image.problems import ImageProblem
from cupel.people.answers.guidelines import (
    OWN_GUIDELINE,
    task_suffix,
    translate_answers,
    versions_until,
    with_older,
)
from cupel.people.answers.item_fit import find_misfits
from cupel.people.answers.known_labels import known_labels
from cupel.people.answers.model_answers import expert_answers_of_people
from cupel.people.answers.tasks import OF_EXPERTS, expert_tasks
from cupel.release import audit_tables, languages, overlaps, slice_bounds
from cupel.release.carried_columns import CarriedColumns
from cupel.release.contamination import EVIDENCE
from cupel.release.data_table import carried_names
from cupel.release.days import recorded_day
from cupel.release.facts import BATCH_TABLES, ReleaseFacts, release_facts
from cupel.release.folder import Provenance, ReleaseTables, write_release
from cupel.release.frozen_terms import FrozenTerms, find_models
from cupel.release.nonces import draw_nonce, lock_draws
from cupel.release.outcome import NEEDED_RELEASED, NEEDED_WITHHELD, released, withheld
from cupel.release.outlook import release_outlook
from cupel.release.pieces import Stored, reader
from cupel.release.places import release_folder, release_place
from cupel.release.plan import Planned, plan_release
from cupel.release.release_audit import load_release_audit
from cupel.release.release_images import release_images
from cupel.release.signed_share import VERDICTS, count_share, find_signed_answers
from cupel.release.stage_errors import NEEDED_ANNOTATIONS, NEEDED_ITEMS, stage_errors
from cupel.release.witnessed_draws import find_witnessed_draws
from cupel.show.outlook_views import NEITHER, budget_table, outlook_table, rising_saves
from cupel.show.release_documents import describe_release
from cupel.show.report import render_report
from cupel.show.report_facts import ReportFacts, report_facts
from cupel.sources.register import delivery_folder

Pictures = Callable[[ReleaseFacts, ReportFacts], Mapping[str, str]]


def freeze_release(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Freeze the batches whose gates have passed: ids, contents, labels and risk order, hashed before anybody audits.

    One release after another: which attempt it is, the tables of those before it tell.
    """
    with bench.step(context) as step, lock_draws(step.lake):
        day = partial(recorded_day, step.lake, step.partition)
        planned = plan_release(step, lambda batch: known_labels(step, bench.data, batch), day, data=bench.data)
        if planned.terms is None:
            context.log.info(open_gate(step, "release", "release_plan", planned.awaited or ""))
            return
        if planned.items is not None:
            yield materialized(step, step.write("release_items", planned.items, is_sorted=True))
        if planned.planted is not None:
            yield materialized(step, step.write("planted_items", planned.planted))
        if planned.left_out is not None:
            yield materialized(step, step.write("left_out_items", planned.left_out))
        plan = step.write("release_plan", from_rows([planned.terms.to_plan()], RELEASE_PLAN))
        if planned.terms.is_frozen and planned.terms.reason:
            context.log.info(planned.terms.reason)
        if planned.forbidden:
            context.log.info(refuse_for_terms(step, plan, planned.forbidden, str(planned.terms.reason)))
        yield materialized(step, plan, **_outlook(step, planned))


def sort_expert_answers(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Sort the experts' answers on the release's items into those that count and those that do not."""
    with bench.step(context) as step:
        items, terms, kind = step.read("release_items", columns=["batch", "item_id"]), _terms(step), step.project.kind
        versions = versions_until(step.guidelines(), terms.guideline)
        models = find_models(terms, [model.name for model in step.project.labeling.models])
        sorted_answers = []
        for batch in terms.batches:
            own = items.filter(pa.compute.equal(items["batch"], batch))["item_id"]
            translated = translate_answers(step.answers(batch, *OF_EXPERTS), versions, kind, OWN_GUIDELINE)
            kept, rejected = expert_answers_of_people(
                translated.answers, own, lambda labels: kind.parse(labels, terms.ontology), models,
                find_misfits(read_items(step, batch), kind, terms.ontology) if kind.fits else None,
            )  # fmt: skip
            sorted_answers.append((kept, with_older(rejected, translated.rejected)))
        for table, parts in zip(
            ("expert_answers", "rejected_expert_answers"), zip(*sorted_answers, strict=True), strict=True
        ):
            yield materialized(step, step.write(table, pa.concat_tables(parts)))


def try_auditors(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Hold what auditors say of planted items against their known labels; empty where none are planted."""
    with bench.step(context) as step:
        asked: tuple[str, ...] = ("planted_items", "expert_answers") if _terms(step).planted_errors else ()
        if asked and step.project.kind.is_same is not are_equal:
            asked = ("release_items", *asked)
        table = audit_tables.judge_planted_items(load_release_audit(step, *asked))
        return materialized(step, step.write("planted_verdicts", table))


def hold_audit(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Hold the labels drawn for the audit against what the experts say, blind to them."""
    with bench.step(context) as step:
        audit = load_release_audit(step, "release_items", "expert_answers", "planted_verdicts")

        def make_nonce(frozen_sha256: str) -> str | None:
            settings = step.project.release.certificate
            try:
                return draw_nonce(step.lake, step.partition, "adjudicators", frozen_sha256, settings, bench.data).nonce
            except WitnessError as error:
                step.awaits_draw()
                context.log.warning(f"{step.partition}: what another expert judges again is not drawn: {error}")
                return None

        table = audit_tables.draw_audit(audit, make_nonce)
        return materialized(step, step.write("audit", table))


def find_cut(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Find up to where the safest labels stand, by the declared method: the cuts tested, or the steps of the rise."""
    with bench.step(context) as step:
        table = audit_tables.find_cuts(load_release_audit(step, "release_items", "audit", "planted_verdicts"))
        return materialized(step, step.write("cuts", table))


def adjudicate(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Put the labels that the audit did not accept to the experts, if that stays within what the project allows."""
    with bench.step(context) as step:
        step.uses("cuts")
        audit = load_release_audit(step, "release_items", "audit", "expert_answers", "planted_verdicts")
        table = audit_tables.adjudicate_items(audit)
        return materialized(step, step.write("adjudications", table))


def ask_experts(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Fill the outbox: the questions to auditors and experts, answered and open."""
    with bench.step(context) as step:
        rejected = step.read("rejected_expert_answers")
        release = load_release_audit(step, "release_items", "audit", "adjudications", "planted_verdicts")
        terms = release.terms
        if terms.adjudicators_audited:  # the same item may be put to adjudicators and to auditors
            given = [step.answers(batch, *OF_EXPERTS).select(["sequence", "purpose"]) for batch in terms.batches]
            rejected = rejected.join(pa.concat_tables(given), "sequence", join_type="inner")
        audit = pa.concat_tables([release.audit, release.planted_beside])
        under = task_suffix(versions_until(step.guidelines(), terms.guideline))
        table = expert_tasks(step.project.project, audit, release.adjudications, rejected, terms.expert_answers, under)
        return materialized(step, step.write("release_tasks", table))


def estimate_stage_errors(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Estimate from the audit how wrong labels were after each stage."""
    with bench.step(context) as step:
        audit = load_release_audit(step, "release_items", "audit", "planted_verdicts", columns=NEEDED_ITEMS)
        annotations = [(batch, step.read("annotations", batch, NEEDED_ANNOTATIONS)) for batch in audit.terms.batches]
        table = stage_errors(audit, annotations)
        plot = picture(stage_errors_plot(table.to_pylist(), None), "label error after each stage, with intervals")
        return materialized(step, step.write("stage_errors", table), **{"error after each stage": plot})


def conclude_audit(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Say what the audit has shown so far: certified, refused, or open, with bounds."""
    with bench.step(context) as step:
        audit = load_release_audit(step, "release_items", "audit", "adjudications", "planted_verdicts")
        table = audit_tables.conclude_audit(audit)
        return materialized(step, step.write("audit_result", table))


def bound_slices(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Bound what is wrong or missed in each class and slice, together with the certificate at 95%."""
    with bench.step(context) as step:
        step.uses("cuts")
        audit = load_release_audit(
            step, "release_items", "audit", "adjudications", "planted_verdicts", columns=slice_bounds.NEEDED_ITEMS
        )
        return materialized(step, step.write("slice_bounds", slice_bounds.bound_slices(audit)))


def count_languages(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Count items in, kept and audited by language, and hold them to what the project promises."""
    with bench.step(context) as step:
        audit = load_release_audit(
            step, "release_items", "audit", "adjudications", "planted_verdicts", columns=languages.NEEDED_ITEMS
        )
        delivered = Counter[str]()
        for batch in audit.terms.batches:
            delivered.update(step.read("item_signals", batch, ["language"])["language"].to_pylist())
        table = languages.release_languages(audit, delivered, step.project.release.languages)
        return materialized(step, step.write("release_languages", table))


def count_images(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Count images in, kept and audited; they have no language."""
    with bench.step(context) as step:
        audit = load_release_audit(
            step, "release_items", "audit", "adjudications", "planted_verdicts", columns=languages.NEEDED_ITEMS
        )
        delivered = sum(step.uses("image_files", batch).rows for batch in audit.terms.batches)
        table = languages.release_languages(audit, {NO_LANGUAGE: delivered}, step.project.release.languages)
        return materialized(step, step.write("release_languages", table))


def look_for_overlaps(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Hold the frozen texts against the evaluation sets once more, as these are now; empty where none are named."""
    with bench.step(context) as step:
        cleaning = step.project.cleaning
        held = [overlaps.Held(one, bench.data, cleaning.max_overlap_share) for one in cleaning.overlap]
        for name, sha256 in (entry for one in held for entry in one.files.items()):
            step.file(name, sha256)
        pieces = step.read_batches("release_items", columns=overlaps.NEEDED_ITEMS)
        table = overlaps.release_overlaps(step.partition, held, pieces)
        return materialized(step, step.write("release_overlaps", table))


def certify(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Write the certificate, or the refusal; open, and yielding nothing, while experts' answers are awaited."""
    with bench.step(context) as step:
        result = step.read("audit_result")
        if result["status"][0].as_py() == "open":
            context.log.info(open_gate(step, "release", "certificate", result["reason"][0].as_py()))
            return
        found = _signed_answers(step)
        share = None if found is None else count_share(found, load_release_audit(step, *VERDICTS))
        planted = ("release_items", "planted_verdicts") if _terms(step).planted_errors else ()
        audit, witnessed = (
            load_release_audit(step, "expert_answers", *planted),
            find_witnessed_draws(step.lake, step.partition),
        )
        table = audit_tables.write_certificate(audit, result, share, witnessed)
        said = dg.MetadataValue.md(html.escape(table["wording"][0].as_py()))
        yield materialized(step, step.write("certificate", table), **{"word for word": said})


def release(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Repair what experts found wrong, hold back what they contest, release the rest."""
    with bench.step(context) as step:
        step.uses("certificate")
        audit = load_release_audit(step, "release_items", "audit", "adjudications")
        kept = (released(piece, audit) for piece in step.read_batches("release_items", columns=NEEDED_RELEASED))
        yield materialized(step, step.write("training_set", reader(kept, TRAINING_SET), is_sorted=True))
        held = (withheld(piece, audit) for piece in step.read_batches("release_items", columns=NEEDED_WITHHELD))
        yield materialized(step, step.write("withheld_items", reader(held, WITHHELD_ITEMS), is_sorted=True))


def hand_over(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Write the release as a folder of files, its manifest last: data, evidence, certificate, descriptions, report."""
    with bench.step(context) as step:
        return _hand_over(step, bench, {}, lambda facts, more: {})


def hand_over_images(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Write the release as a folder of files, with its images or the names and hashes of them."""
    with bench.step(context) as step:
        settings = step.project.images
        limits = download_limits(settings)

        def read(batch: str, location: str) -> bytes | ImageProblem:
            return read_content(delivery_folder(step.lake, batch, bench.data), location, limits)

        images = release_images(
            step.partition, step.read_batches("training_set", columns=["batch", "item_id"]),
            lambda batch: step.read("image_files", batch), read, settings, _frozen_hashes(step),
        )  # fmt: skip
        return _hand_over(step, bench, {"images": images}, partial(read_pictures, step, bench))


def _frozen_hashes(step: Step) -> dict[tuple[str, str], str]:
    """Return the hash of each item's content as it was frozen; of none that an older version froze."""
    names = ["batch", "item_id", "content_sha256"]
    rows = step.read("release_items", columns=names)
    columns = (rows[name].to_pylist() for name in names)
    return {(batch, item): sha256 for batch, item, sha256 in zip(*columns, strict=True) if sha256 is not None}


def _hand_over(step: Step, bench: Bench, more: dict[str, Any], pictures: Pictures) -> dg.MaterializeResult[None]:
    tables: dict[str, Any] = {name: _stored(step, name) for name in ("training_set", "release_items")}
    tables |= {name: step.read(name) for name in ("withheld_items", "audit", "adjudications", "cuts")}
    terms = _terms(step)
    if terms.planted_errors:
        tables |= {name: step.read(name) for name in ("planted_items", "planted_verdicts")}
    if (found := step.read("release_overlaps")).num_rows:
        tables["release_overlaps"] = found
    if terms.kind is not None:
        tables["expert_answers"] = step.read("expert_answers")
    if terms.licence_terms is not None:
        tables["left_out_items"] = step.read("left_out_items")
    if terms.bounds_slices:
        tables["slice_bounds"] = step.read("slice_bounds")
    facts = _facts_for_ever(step)
    contamination = _contamination(step, facts)
    gates = _gate_results(step, facts.terms.batches)
    known = max(facts.terms.answers_until, _last_answer(step, facts.terms.batches))
    provenance = Provenance(step.inputs, step.lake.answers.hash_at(known), cupel.__version__, bench.lock_sha256)
    folder = release_folder(step.lake, step.partition)  # checks the name
    if names := carried_names(facts):
        columns = ["item_id", "fields"]
        more = {**more, "carried": CarriedColumns(names, lambda batch: step.read_batches("raw_items", batch, columns))}
    held = ReleaseTables(
        **tables, **more, gate_results=gates, contamination=contamination, signed_answers=_signed_answers(step)
    )
    told = report_facts(step.lake, facts)
    page = render_report(facts, told, pictures(facts, told), answers_known=known).encode()
    describe = partial(describe_release, page=page)
    rows = write_release(step.lake.store, release_place(step.partition), facts, held, provenance, describe)
    return materialized(step, step.write("manifest", rows), folder=dg.MetadataValue.path(str(folder)))


def _facts_for_ever(step: Step) -> ReleaseFacts:
    """Return what is told of the release in its folder: all but whether another guideline has replaced its own."""
    facts = release_facts(step.lake, step.project, step.partition)
    return facts if facts.guideline is None else replace(facts, guideline=facts.guideline.when_frozen())


def _last_answer(step: Step, batches: Sequence[str]) -> int:
    """Return the last answer that the report's tables tell of, and remember these and the actions as inputs."""
    there = [(table, step.partition) for table in STAGES["release"].tables if table != "manifest"]
    there += [(table, batch) for batch in batches for table in BATCH_TABLES]
    last = 0
    for table, partition in there:
        if step.lake.commit(table, partition) is None:
            continue
        step.uses(table, partition)
        if any(column.name == "sequence" for column in TABLES[table].columns):
            numbers = step.lake.read(table, partition, ["sequence"])["sequence"]
            last = max(last, pa.compute.max(numbers).as_py() or 0)
    for batch in batches:
        step.actions(batch)
        step.send_backs(batch)
    return last


def _signed_answers(step: Step) -> dict[str, Any] | None:
    """Return the signed ones among the expert answers that verdicts rest on; None where the project names no keys."""
    if step.project.labeling.experts.keys is None:
        return None
    return find_signed_answers(step.lake, load_release_audit(step, "expert_answers", *VERDICTS))


def _gate_results(step: Step, batches: Sequence[str]) -> pa.Table:
    """Return what every gate said of the release and of its batches."""
    names = step.lake.partitions("gate_results")
    parts = [(gate, part) for gate, _, part in (name.partition("--") for name in names)]
    behind = [
        gate_partition(gate, part)
        for gate, part in parts
        if part in (*batches, step.partition) and not is_left_over(step.lake, gate, part)
    ]
    return pa.concat_tables([step.read("gate_results", name) for name in behind])


def _contamination(step: Step, facts: ReleaseFacts) -> dict[str, pa.Table]:
    """Return the evidence of what the certificate says of unwanted items; nothing where it says nothing."""
    if facts.together is None:
        return {}
    return {name: pa.concat_tables([step.read(name, b) for b in facts.terms.batches]) for name in EVIDENCE}


def _stored(step: Step, table: str) -> Stored:
    step.uses(table)
    return Stored(step.lake, table, step.partition)


def _outlook(step: Step, planned: Planned) -> dict[str, Any]:
    """Return for the page what the audit is expected to show experts and cost."""
    if planned.log_odds is None or planned.terms is None:
        return {}
    design, currency = planned.terms.design, step.project.prices.currency
    rows = release_outlook(step.project, planned.log_odds, planned.terms.attempt, design)
    plot = outlook_plot(rows, step.project.release.max_experts_seen_share)
    return {
        "outlook": dg.MetadataValue.md(
            "\n\n".join(
                (
                    NEITHER,
                    outlook_table(rows, currency),
                    budget_table(planned.budgets, currency),
                    rising_saves(rows, design),
                )
            )
        ),
        "what experts would see": picture(plot, "items that experts would see, by size of the audit"),
    }


def _terms(step: Step) -> FrozenTerms:
    """Return what was fixed when the release was frozen; the project file may have changed since."""
    return FrozenTerms.from_plan(step.read("release_plan").to_pylist()[0])
