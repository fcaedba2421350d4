"""A Great Expectations suite as Dagster asset checks, of any asset: needs Dagster and Great Expectations, nothing else.

One check an expectation. The data may be a pandas or Polars data frame, a pyarrow table, a DuckDB relation, or a Batch
of any data source that Great Expectations knows.
"""

import json
import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import dagster as dg

if TYPE_CHECKING:
    from great_expectations import Checkpoint
    from great_expectations.core import ExpectationSuite
    from great_expectations.datasource.fluent.interfaces import Batch
    from great_expectations.expectations.expectation import Expectation

Load = Callable[[dg.AssetCheckExecutionContext], Any]
Asset = dg.AssetKey | str | Sequence[str] | dg.AssetsDefinition

MOST_ROWS = 20
_NAME = "dagster_check"
_NO_WORD = re.compile(r"\W+", re.ASCII)
_MOST_CHARACTERS = 300
# Expectations that hold of a column without a single value.
_ABOUT_NULLS = ("expect_column_values_to_be_null", "expect_column_values_to_not_be_null")


class CheckOfExpectation(NamedTuple):
    """An expectation and the name of its check."""

    name: str
    expectation: "Expectation"


def gx_asset_checks(
    asset: Asset,
    suite: "ExpectationSuite",
    load: Load | None = None,
    *,
    partitions_def: dg.PartitionsDefinition[str] | None = None,
    blocking: bool = False,
    may_be_empty: bool = False,
    id_column: str | None = None,
    most_rows: int = MOST_ROWS,
    name: str | None = None,
    required_resource_keys: Iterable[str] = (),
    retry_policy: dg.RetryPolicy | None = None,
) -> dg.AssetChecksDefinition:
    """Return the expectations of a suite as checks of an asset, one a check, judged together in one step.

    Args:
        asset: The asset.
        suite: The suite; it need not be in any Data Context. An expectation's check is named after its columns and
            what it expects, or as `meta={"dagster_check": ...}` of the expectation says.
        load: Returns the data of the run's partition (`context.partition_key`), or a Batch. None: the asset's own
            value, by its IO manager.
        partitions_def: Partitions of the asset.
        blocking: Critical expectations that fail stop what comes after the asset. Others only tell.
        may_be_empty: Expectations of every row hold where there are no rows; otherwise nothing to judge fails.
        id_column: Column that names the rows in the results; without one, their places in the data do.
        most_rows: Failing rows that a result names.
        name: Name of the step; None: of the suite.
        required_resource_keys: Resources that `load` uses, as `context.resources`.
        retry_policy: For a `load` that may fail.

    Returns:
        Checks that can be run one by one. A failed one is an ERROR where its expectation is critical and a WARN
        otherwise. An expectation that raises fails, with what it raised; where `load` raises, the step does.

    Raises:
        ValueError: The suite has no expectation, or two ask for the same name of their check.
    """
    key = _asset_key(asset)
    checks = name_checks(suite.expectations)
    if not checks:
        raise ValueError(f"suite {suite.name!r}: has no expectation, so it would check nothing; add one")

    def judge(context: dg.AssetCheckExecutionContext, data: Any) -> Iterator[dg.AssetCheckResult]:
        chosen = [one for one in checks if dg.AssetCheckKey(key, one.name) in context.selected_asset_check_keys]
        found = _validate(_batch(data), suite.name, chosen, id_column, most_rows)
        for one in chosen:
            yield _result(key, one, found.get(one.name), may_be_empty, id_column, most_rows)

    options: dict[str, Any] = {
        "name": name or f"{_NO_WORD.sub('_', suite.name)}_of_{'_'.join(map(_word, key.path))}",
        "specs": [_spec(key, one, blocking, partitions_def) for one in checks],
        "description": f"Judges {key.to_user_string()} by the suite {suite.name} of Great Expectations.",
        "compute_kind": "greatexpectations",
        "can_subset": True,
        "required_resource_keys": set(required_resource_keys),
        "retry_policy": retry_policy,
    }
    if load is None:

        @dg.multi_asset_check(**options, ins={"data": dg.AssetIn(key)})
        def checks_of_value(context: dg.AssetCheckExecutionContext, data: Any) -> Iterator[dg.AssetCheckResult]:
            yield from judge(context, data)

        return checks_of_value

    @dg.multi_asset_check(**options)
    def checks_of_data(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        yield from judge(context, load(context))

    return checks_of_data


def gx_checkpoint_asset_checks(
    asset: Asset | Mapping[str, Asset],
    checkpoint: "Checkpoint",
    batch_parameters: Callable[[dg.AssetCheckExecutionContext], dict[str, Any]] | None = None,
    *,
    partitions_def: dg.PartitionsDefinition[str] | None = None,
    blocking: bool = False,
    may_be_empty: bool = False,
    name: str | None = None,
    required_resource_keys: Iterable[str] = (),
) -> dg.AssetChecksDefinition:
    """Return all that a Checkpoint judges as checks, and run its actions, such as Data Docs or a message, with them.

    Args:
        asset: The asset; or, where its ValidationDefinitions judge several, the asset of each, by their names.
        checkpoint: The Checkpoint. It always judges all that it holds; checks that are not selected are not shown.
        batch_parameters: Returns what chooses the batch, such as the run's partition, or a data frame.
        partitions_def: Partitions of the asset.
        blocking: Critical expectations that fail stop what comes after the asset.
        may_be_empty: Expectations of every row hold where there are no rows.
        name: Name of the step; None: of the Checkpoint.
        required_resource_keys: Resources that `batch_parameters` uses.

    Raises:
        ValueError: A ValidationDefinition has no asset, or the Checkpoint holds no expectation.
    """
    asked = _asked_by(checkpoint, asset)

    @dg.multi_asset_check(
        name=name or _NO_WORD.sub("_", checkpoint.name),
        specs=[_spec(key, one, blocking, partitions_def) for key, checks in asked.values() for one in checks],
        description=f"Runs the Checkpoint {checkpoint.name} of Great Expectations.",
        compute_kind="greatexpectations",
        can_subset=True,
        required_resource_keys=set(required_resource_keys),
    )
    def checks_of_checkpoint(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        ran = checkpoint.run(batch_parameters=batch_parameters(context) if batch_parameters else None)
        results = {result.meta["validation_id"]: result for result in ran.run_results.values()}
        for definition in checkpoint.validation_definitions:
            key, checks = asked[definition.name]
            result = results.get(definition.id)
            found = [(entry, entry.expectation_config) for entry in ([] if result is None else result.results)]
            entries = {config.id: entry.to_json_dict() for entry, config in found if config is not None}
            for one in checks:
                if dg.AssetCheckKey(key, one.name) in context.selected_asset_check_keys:
                    yield _result(key, one, entries.get(one.expectation.id), may_be_empty, None, MOST_ROWS)

    return checks_of_checkpoint


def name_checks(expectations: "Iterable[Expectation]", taken: Iterable[str] = ()) -> list[CheckOfExpectation]:
    """Return expectations with names that are unique, the same in every process, and say what is expected of what.

    Args:
        expectations: They are named in their order: of two of the same kind and columns the second has `_2`.
        taken: Names that are given already.

    Raises:
        ValueError: A name that an expectation's meta gives is taken.
    """
    named, names = [], set(taken)
    for expectation in expectations:
        own = (expectation.meta or {}).get(_NAME)
        if own in names:
            raise ValueError(f"meta {_NAME}: {own!r} names two checks; give each expectation a name of its own")
        base = _word(own) if own else _describe_name(expectation)
        name, number = base, 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.add(name)
        named.append(CheckOfExpectation(name, expectation))
    return named


def _describe_name(expectation: "Expectation") -> str:
    kwargs = expectation.configuration.kwargs
    columns = [kwargs[one] for one in ("column", "column_A", "column_B") if isinstance(kwargs.get(one), str)]
    columns += kwargs.get("column_list") or []
    words = expectation.expectation_type.removeprefix("expect_").removeprefix("column_" if columns else "")
    return "_".join([*map(_word, columns), words])


def _word(text: str) -> str:
    return _NO_WORD.sub("_", text).strip("_") or "_"


def _asset_key(asset: Asset) -> dg.AssetKey:
    return asset.key if isinstance(asset, dg.AssetsDefinition) else dg.AssetKey.from_coercible(asset)


def _asked_by(checkpoint: "Checkpoint", asset: Any) -> dict[str, tuple[dg.AssetKey, list[CheckOfExpectation]]]:
    """Return the asset of each ValidationDefinition and its checks, whose names differ within an asset."""
    asked: dict[str, tuple[dg.AssetKey, list[CheckOfExpectation]]] = {}
    for definition in checkpoint.validation_definitions:
        if isinstance(asset, Mapping) and definition.name not in asset:
            raise ValueError(f"checkpoint {checkpoint.name!r}: no asset is given for {definition.name!r}")
        key = _asset_key(asset[definition.name] if isinstance(asset, Mapping) else asset)
        taken = [one.name for other, checks in asked.values() if other == key for one in checks]
        asked[definition.name] = (key, name_checks(definition.suite.expectations, taken))
    if not any(checks for _, checks in asked.values()):
        raise ValueError(f"checkpoint {checkpoint.name!r}: has no expectation, so it would check nothing; add one")
    return asked


def _spec(
    key: dg.AssetKey, one: CheckOfExpectation, blocking: bool, partitions_def: dg.PartitionsDefinition[str] | None
) -> dg.AssetCheckSpec:
    with warnings.catch_warnings():  # partitions of a check are in preview
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            one.name,
            asset=key,
            description=one.expectation.description or _describe(one.expectation),
            blocking=blocking and _is_critical(one.expectation),
            partitions_def=partitions_def,
            metadata={"expectation": one.expectation.expectation_type, "severity": _severity(one.expectation)},
        )


def _describe(expectation: "Expectation") -> str:
    """Return what is expected in words, as Data Docs have it; with its arguments, where they have none."""
    from great_expectations.render.renderer.inline_renderer import InlineRenderer

    try:
        (content,) = InlineRenderer(render_object=expectation.configuration).get_rendered_content()
        value: Any = content.to_json_dict()["value"]
        words = {name: str(parameter.get("value")) for name, parameter in (value.get("params") or {}).items()}
        return re.sub(r"\$(\w+)", lambda found: words.get(found[1], found[0]), value["template"])
    except Exception:  # a renderer of one's own may be wrong; the check is not
        return f"{expectation.expectation_type}({_describe_arguments(expectation)})"


def _describe_arguments(expectation: "Expectation") -> str:
    kwargs = {name: value for name, value in expectation.configuration.kwargs.items() if name != "batch_id"}
    return ", ".join(f"{name}={value!r}" for name, value in sorted(kwargs.items()))


def _severity(expectation: "Expectation") -> str:
    return str(getattr(expectation.severity, "value", expectation.severity))


def _is_critical(expectation: "Expectation") -> bool:
    return _severity(expectation) == "critical"


def _batch(data: Any) -> "Batch":
    """Return data as a Batch; one that is a Batch, or the definition of one, as it is."""
    if hasattr(data, "get_batch"):
        data = data.get_batch()
    if hasattr(data, "validate") and hasattr(data, "data_asset"):
        batch: Batch = data
        return batch
    for method in () if hasattr(data, "iloc") else ("to_pandas", "df", "toPandas"):
        if hasattr(data, method):
            data = getattr(data, method)()
            break
    if not hasattr(data, "iloc"):
        raise TypeError(
            f"load returned {type(data).__name__}; return a pandas or Polars data frame, a pyarrow table, a DuckDB "
            "relation, or a Batch of Great Expectations"
        )
    frame: Batch = _frames().get_batch({"dataframe": data})
    return frame


@cache
def _frames() -> Any:
    """Return a batch definition for data frames, of a context in memory; the caller's own context stays the current."""
    import great_expectations as gx
    from great_expectations.data_context.data_context.context_factory import project_manager
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.exceptions.exceptions import DataContextError

    try:
        current = project_manager.get_current_project()
    except DataContextError:
        current = None
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    if current is not None:
        project_manager.set_project(current)
    source = context.data_sources.add_pandas("dagster_asset_checks")
    return source.add_dataframe_asset("asset").add_batch_definition_whole_dataframe("whole")


def _validate(
    batch: "Batch", suite: str, checks: Sequence[CheckOfExpectation], id_column: str | None, most_rows: int
) -> dict[str, Any]:
    """Return what Great Expectations found, by check; where it raises as a whole, all that it raised."""
    from great_expectations.core import ExpectationSuite

    copies = []
    for one in checks:
        copy = one.expectation.configuration.to_domain_obj()
        copy.id, copy.meta = None, {**(copy.meta or {}), _NAME: one.name}
        copies.append(copy)
    detail: dict[str, Any] = {"result_format": "SUMMARY", "partial_unexpected_count": most_rows}
    if id_column is not None:
        detail |= {"unexpected_index_column_names": [id_column]}
    try:
        result = batch.validate(ExpectationSuite(name=suite, expectations=copies), result_format=detail)
    except Exception as error:  # whatever it is, nothing was judged
        about = {"raised_exception": True, "exception_message": f"{type(error).__name__}: {error}"}
        return {one.name: {"success": False, "result": {}, "exception_info": about} for one in checks}
    found = [(entry, entry.expectation_config) for entry in result.results]
    return {config.meta[_NAME]: entry.to_json_dict() for entry, config in found if config and config.meta}


def _result(
    key: dg.AssetKey,
    one: CheckOfExpectation,
    found: Any,
    may_be_empty: bool,
    id_column: str | None,
    most_rows: int,
) -> dg.AssetCheckResult:
    problem = _problem(one.expectation, found, may_be_empty)
    detail: dict[str, Any] = {} if found is None else found["result"]
    metadata: dict[str, Any] = {"expected": _describe(one.expectation), "severity": _severity(one.expectation)}
    for name in ("observed_value", "element_count", "missing_count", "unexpected_count", "unexpected_percent"):
        if detail.get(name) is not None:
            metadata[name] = _metadata_value(detail[name])
    if rows := _rows(detail, id_column)[:most_rows]:
        metadata["failing_ids" if id_column else "failing_rows"] = rows
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=one.name,
        passed=problem is None and bool(found["success"]),
        severity=dg.AssetCheckSeverity.ERROR if _is_critical(one.expectation) else dg.AssetCheckSeverity.WARN,
        description=problem,
        metadata=metadata,
    )


def _metadata_value(value: Any) -> Any:
    """Return a number or text as Dagster stores them, whatever library it is of; anything else as JSON."""
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        number = float(value)
        return str(number) if not math.isfinite(number) else int(value) if isinstance(value, int) else number
    return dg.MetadataValue.json(json.loads(json.dumps(value, default=str)))


def _problem(expectation: "Expectation", found: Any, may_be_empty: bool) -> str | None:
    """Return why there is no evidence; None where the expectation itself says whether it holds."""
    if found is None:
        return "Great Expectations returned no result"
    about = found.get("exception_info") or {}
    raised = [one for one in ([about] if "raised_exception" in about else about.values()) if one["raised_exception"]]
    if raised:
        message = " ".join(str(raised[0].get("exception_message") or "an error").split())
        return f"Great Expectations raised: {message[:_MOST_CHARACTERS]}"
    detail = found["result"]
    values, missing = detail.get("element_count"), detail.get("missing_count")
    if values == 0:
        return None if may_be_empty else "there are no rows to judge"
    if values and missing == values and expectation.expectation_type not in _ABOUT_NULLS:
        return "there is no value to judge"
    observed = detail.get("observed_value", 0)
    if "unexpected_count" not in detail and (observed is None or observed != observed):
        return "there is no value to judge"
    return None


def _rows(detail: dict[str, Any], id_column: str | None) -> list[int | str]:
    """Return the failing rows' ids or places, never what is in their other columns; a row without an id has none."""
    rows = detail.get("partial_unexpected_index_list") or []
    if id_column is not None:
        rows = [row.get(id_column) for row in rows if isinstance(row, dict)]
    plain = [row.item() if hasattr(row, "item") else row for row in rows]
    return [row if isinstance(row, int) else str(row) for row in plain if row is not None and row == row]
