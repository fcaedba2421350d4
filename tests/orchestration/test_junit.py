import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.findings import Finding, Outcome, is_failure
from orchestration.junit import junit, write_junit

WORDS = st.text(max_size=40)
FINDINGS = st.builds(
    Finding, project=WORDS, partition=WORDS, stage=WORDS, table=WORDS, check=WORDS,
    outcome=st.sampled_from(get_args(Outcome)), severity=st.sampled_from(["critical", "warning"]), reason=WORDS,
    remedy=WORDS, observed=st.none() | st.floats(), bound=st.none() | st.floats(),
    comparison=st.sampled_from(["at most", "at least"]), threshold=st.floats(),
    item_ids=st.tuples(WORDS), seconds=st.floats(0, 1000),
)  # fmt: skip
COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
# What the schema of the Ant task, which CI systems follow, allows inside what.
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "error", "skipped", "system-out"},
}
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testcase": {"classname", "name", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "system-out": set[str](),
}


def finding(outcome: Outcome, severity: str = "critical", check: str = "kept_share") -> Finding:
    place = ("small", "one", "cleaning", "clean_items", check)
    return Finding(*place, outcome, severity, "too few", "look", 0.4, None, "at least", 0.5, ("i1", "i2"), 0.25)


@given(st.lists(FINDINGS, max_size=8), st.booleans())
def test_whatever_was_found_is_junit_that_can_be_read(found: list[Finding], is_strict: bool) -> None:
    root = ET.fromstring(junit(found, is_strict))
    assert root.get("tests") == str(len(found)) == str(len(root.findall("testsuite/testcase")))
    for element in root.iter():
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
        assert set(element.attrib) == ATTRIBUTES[element.tag]
    for suite in (root, *root):
        cases = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(cases))
        assert all(len(case) <= 1 for case in cases)
        for attribute, tag in COUNTED.items():
            assert suite.get(attribute) == str(len(list(suite.iter(tag))))
        assert re.fullmatch(r"\d+\.\d{3}", suite.get("time", ""))
    closed = sum(is_failure(row, is_strict) for row in found)
    assert int(root.get("failures", "")) + int(root.get("errors", "")) == closed


@pytest.mark.parametrize(
    ("outcome", "severity", "tag"),
    [
        ("pass", "critical", None),
        ("fail", "critical", "failure"),
        ("fail", "warning", "system-out"),
        ("error", "warning", "error"),
        ("missing", "critical", "error"),
        ("stale", "critical", "error"),
        ("open", "critical", "skipped"),
        ("not judged", "critical", "skipped"),
    ],
)
def test_each_outcome_has_its_element(outcome: Outcome, severity: str, tag: str | None) -> None:
    case = ET.fromstring(junit([finding(outcome, severity)]))[0][0]
    assert [child.tag for child in case] == ([] if tag is None else [tag])
    assert case.get("classname") == "small.cleaning"
    assert case.get("name") == "clean_items: kept_share [one]"
    assert case.get("time") == "0.250"


def test_a_failure_says_what_was_measured_what_is_allowed_and_what_to_do() -> None:
    failure = ET.fromstring(junit([finding("fail")])).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "fail: too few"
    for words in ("observed: 0.4", "allowed: at least 0.5", "items: i1, i2", "what to do: look"):
        assert words in (failure.text or "")


def test_what_is_awaited_fails_where_that_is_asked_for() -> None:
    assert ET.fromstring(junit([finding("open")], is_strict=True)).get("failures") == "1"


def test_the_same_findings_are_the_same_bytes_in_any_order_of_stages() -> None:
    one, other = finding("pass"), finding("fail")._replace(stage="raw")
    assert junit([one, other]) == junit([other, one])


def test_the_file_is_whole_and_its_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "gate.xml"
    write_junit([finding("pass")], path)
    write_junit([finding("fail")], path)
    assert path.read_bytes() == junit([finding("fail")])
    assert [file.name for file in path.parent.iterdir()] == ["gate.xml"]
