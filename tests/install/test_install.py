"""The label buyer's installation from nothing, on each Python that is here (`make test-install`)."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from interpreters import VERSIONS, find_interpreters

pytestmark = pytest.mark.install

REPOSITORY = Path(__file__).parent.parent.parent
MOST_MEGABYTES = 300
LABELS, WRONG, CLASSES = 3_000, 9, ("bad", "good")
FOUND = find_interpreters()


def run(*command: object, folder: Path = REPOSITORY, code: int = 0) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).parent / "uv"
    run(uv, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def verdicts_here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the chain's environment says of the delivery."""
    return audit(Path(sys.executable).parent / "cupel", tmp_path_factory.mktemp("chain"))


def audit(cupel: Path, folder: Path) -> dict[str, Any]:
    """Plan, fill in the sheet and judge, as a buyer does; return plan, verdict and the vendor's table."""
    folder.mkdir(exist_ok=True)
    right = {}
    with (folder / "delivery.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "label"])
        for number in range(LABELS):
            text = f"text {number}"
            right[text] = CLASSES[number % 2]
            writer.writerow([f"i{number}", text, CLASSES[(number + (number < WRONG)) % 2]])
    arguments = (cupel, "accept", "delivery.csv", "--budget", "2%", "--seed", 7, "--vendor", "acme", "--no-suspicious")
    run(*arguments, folder=folder, code=3)
    sheet = folder / "delivery.audit" / "sheet.csv"
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with sheet.open("w", newline="") as file:
        filled = csv.DictWriter(file, list(rows[0]))
        filled.writeheader()
        filled.writerows({**row, "label": right[row["text"]]} for row in rows)
    judged = run(*arguments, "--json", "verdict.json", folder=folder)
    plan = json.loads((folder / "delivery.audit" / "plan.json").read_text())
    return {"plan": plan, "verdict": json.loads((folder / "verdict.json").read_text()), "said": judged.stdout}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_buyers_installation_is_small_and_says_what_the_chain_says(
    version: str, wheel: Path, tmp_path: Path, verdicts_here: dict[str, Any]
) -> None:
    if version not in FOUND:
        pytest.skip(f"no Python {version} here; name one: make test-install PYTHONS=python{version}")
    uv, environment = Path(sys.executable).parent / "uv", tmp_path / "environment"
    run(FOUND[version], "-m", "venv", environment)
    python, cupel = environment / "bin" / "python", environment / "bin" / "cupel"
    run(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, wheel)
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
    size = sum(path.stat().st_blocks * 512 for path in packages.rglob("*") if not path.is_symlink()) / 1e6
    assert size <= MOST_MEGABYTES, f"site-packages of Python {version}: {size:.0f} MB"
    print(f"Python {version}: {size:.0f} MB")

    run(python, "-W", "error", "-m", "compileall", "-q", "-f", packages / "cupel")
    assert "accept" in run(cupel, "--help", folder=tmp_path).stdout
    assert audit(cupel, tmp_path / "buyer") == verdicts_here
    for arguments, extra in (
        (("rebuild", "movies-r1"), "make setup|cupel[chain]"),
        (("signals", "sentiment"), "cupel[chain]"),
        (("import", "verdict.json", "--batch", "one", "--answers", "answers.csv"), "cupel[tables]"),
        (("verify", "."), "cupel[verify]"),
    ):
        said = run(cupel, *arguments, folder=tmp_path / "buyer", code=1).stderr
        assert any(word in said for word in extra.split("|")), said
        assert "Traceback" not in said
