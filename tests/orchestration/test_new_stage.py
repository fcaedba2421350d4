"""A stage more is one record and one asset file: everything else reads the record."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestration.deployment import REPOSITORY

TABLE = '''"""Demo: how long items are."""

from cupel.contract.columns import INTEGER, ITEM, Column
from cupel.contract.table import Table

DEMO_ITEMS = Table(
    "demo_items", "how long an item is", ("item_id",), (ITEM, Column("letters", INTEGER, "Characters of its text."))
)
'''
RECORD = """
STAGES["demo"] = Stage(
    "demo", "batch", "assets.demo", gate="demo_items", settings=("labeling",),
    steps=(StageStep("count_letters", ("demo_items",), ("clean_items",)),),
)
"""
ASSETS = '''"""Demo: count the letters of every item."""

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from assets.bench import Bench
from assets.spec import materialized

MORE = 0


def count_letters(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Count the letters of every item."""
    with bench.step(context) as step:
        items = step.read("clean_items", columns=["item_id", "text"])
        letters = pc.add(pc.utf8_length(items["text"]).cast(pa.int64()), MORE)
        return materialized(step, step.write("demo_items", pa.table({"item_id": items["item_id"], "letters": letters})))
'''


def copy_code(folder: Path) -> Path:
    for name in ("cupel", "assets", "expectations", "orchestration"):
        # With the machine code of compiled loops: to make it anew takes longer than the test.
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("tmp*"))
    shutil.copy(REPOSITORY / "requirements.lock", folder)
    (folder / "cupel" / "contract" / "tables" / "demo.py").write_text(TABLE)
    (folder / "assets" / "demo.py").write_text(ASSETS)
    with (folder / "cupel" / "contract" / "stages.py").open("a") as file:
        file.write(RECORD)
    with (folder / "cupel" / "contract" / "tables" / "__init__.py").open("a") as file:
        file.write("\nfrom cupel.contract.tables.demo import DEMO_ITEMS\n\nTABLES[DEMO_ITEMS.name] = DEMO_ITEMS\n")
    return folder


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    code, before = (copy_code(tmp_path_factory.mktemp(name)) for name in ("code", "before"))
    (before / "assets" / "demo.py").write_text(ASSETS.replace("MORE = 0", "MORE = 1"))
    for name in ("small_project.py", "orchestration/demo_stage.py"):
        shutil.copy(REPOSITORY / "tests" / name, code)
    run = [sys.executable, "demo_stage.py", str(tmp_path_factory.mktemp("small")), str(before)]
    environment = {**os.environ, "PYTHONPATH": str(code)}
    done = subprocess.run(run, cwd=code, env=environment, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_it_is_made_for_every_batch(known: dict[str, Any]) -> None:
    assert known["broken"] == []
    assert known["rows"] == known["clean"] > 0


def test_the_page_shows_it_in_a_group_and_by_batch_with_its_checks(known: dict[str, Any]) -> None:
    assert (known["group"], known["partitions"], len(known["checks"])) == ("small_demo", "small_batches", 1)


def test_its_gate_judges_and_a_batch_must_pass_it_to_be_released(known: dict[str, Any]) -> None:
    assert known["gate"] == [["demo", "pass"]]
    assert (known["batch"], known["release"]) == ("pass", "frozen")


def test_a_trace_tells_what_it_says_of_an_item_and_what_its_gate_does(known: dict[str, Any]) -> None:
    assert any(line.startswith("demo_items: letters ") for line in known["trace"])
    assert any(line.startswith("demo ") and ": pass" in line for line in known["trace"])


def test_a_rebuild_makes_it_again(known: dict[str, Any]) -> None:
    assert (known["rebuilt"], known["is_same"]) == ([["demo", "same"]], True)


def test_a_change_of_its_code_is_told_since_a_commit(known: dict[str, Any]) -> None:
    assert known["since"] == ["demo"]
