"""JUnit XML: findings as the pages of CI systems read them."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from cupel.store.files import put_file
from cupel.store.outputs import Output, check_outputs, is_marked
from orchestration.findings import BROKEN_EVIDENCE, Finding, allowed, is_failure, is_warning, measured

# XML 1.0 has no way to write these, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def check_junit(path: Path) -> None:
    """Refuse to write findings over anything but findings.

    Raises:
        OutputError: Something else lies there.
    """
    check_outputs([Output("--junit", path, is_marked('<testsuites name="cupel gate"'))], ())


def write_junit(findings: Sequence[Finding], path: Path, is_strict: bool = False) -> None:
    """Write findings as JUnit XML, whole or not at all: a suite a project and stage, a case a check and partition.

    A failed critical check is a failure; a check that raised and a table that is missing or out of date
    are errors; open and not judged are skipped; a warning is a case that passed and says so. Names hold
    nothing that changes from run to run.

    Args:
        findings: The findings; none make a file without cases.
        path: The file; its folder is made if need be.
        is_strict: Answers that are awaited are failures.
    """
    put_file(path, junit(findings, is_strict))


def junit(findings: Iterable[Finding], is_strict: bool = False) -> bytes:
    """Return findings as JUnit XML; see `write_junit`."""
    rows = sorted(findings, key=_suite_name)
    root = ET.Element("testsuites", name="cupel gate")
    for name, group in groupby(rows, key=_suite_name):
        _add_suite(root, name, list(group), is_strict)
    _count(root, rows, is_strict)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _suite_name(finding: Finding) -> str:
    return _clean(f"{finding.project}.{finding.stage}")


def _add_suite(root: ET.Element, name: str, rows: list[Finding], is_strict: bool) -> None:
    suite = ET.SubElement(root, "testsuite", name=name)
    _count(suite, rows, is_strict)
    for row in rows:
        title = _clean(f"{row.table}: {row.check} [{row.partition}]")
        case = ET.SubElement(suite, "testcase", classname=name, name=title, time=f"{row.seconds:.3f}")
        kind = _kind(row, is_strict)
        if kind is not None:
            message = _clean(f"{row.outcome}: {row.reason}")
            element = ET.SubElement(case, kind, message=message)
            if kind != "skipped":
                element.set("type", row.severity if row.outcome == "fail" else row.outcome)
            element.text = _words(row)
        elif is_warning(row):
            ET.SubElement(case, "system-out").text = f"warning\n{_words(row)}"


def _count(element: ET.Element, rows: list[Finding], is_strict: bool) -> None:
    kinds = [_kind(row, is_strict) for row in rows]
    element.set("tests", str(len(rows)))
    element.set("failures", str(kinds.count("failure")))
    element.set("errors", str(kinds.count("error")))
    element.set("skipped", str(kinds.count("skipped")))
    element.set("time", f"{sum(row.seconds for row in rows):.3f}")


def _kind(row: Finding, is_strict: bool) -> str | None:
    if is_failure(row, is_strict):
        return "error" if row.outcome in BROKEN_EVIDENCE else "failure"
    return "skipped" if row.outcome in ("open", "not judged") else None


def _words(row: Finding) -> str:
    lines = {
        "why": row.reason,
        "observed": measured(row),
        "allowed": allowed(row),
        "severity": row.severity,
        "items": ", ".join(row.item_ids),
        "what to do": row.remedy,
    }
    return _clean("\n".join(f"{name}: {words}" for name, words in lines.items() if words))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
