import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cupel.cli import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def delivery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "delivery.csv"
    path.write_text("id,text,label\n" + "".join(f"{n},text {n},{('bad', 'good')[n % 2]}\n" for n in range(100)))
    return path


def fill(delivery: Path, wrong: bool = False) -> None:
    path = delivery.parent / "delivery.audit" / "sheet.csv"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    filled = [f"{line}{('bad', 'good')[(int(line.split()[1].split(',')[0]) + wrong) % 2]}" for line in lines[1:]]
    path.write_text("\n".join([lines[0], *filled]))


@pytest.mark.parametrize(("wrong", "code", "word"), [(False, 0, "ACCEPT"), (True, 4, "REFUSE")])
def test_only_an_accepted_delivery_is_success(delivery: Path, wrong: bool, code: int, word: str) -> None:
    arguments = ("accept", delivery, "--budget", "5%", "--no-suspicious", "--json", delivery.parent / "v.json")
    assert run(*arguments).exit_code == 3
    fill(delivery, wrong)
    result = run(*arguments)
    assert (result.exit_code, word in result.output) == (code, True)
    assert json.loads((delivery.parent / "v.json").read_text())["verdict"] == word


def test_an_error_is_one_message_and_exit_code_1(tmp_path: Path) -> None:
    result = run("accept", tmp_path / "missing.csv", "--budget", "1%")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {tmp_path / 'missing.csv'}: cannot be read")
    assert "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("accept", "d.csv", "--audit", "0")])
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("budget", ["1", "0", "100%", "one", "-1%"])
def test_a_budget_that_could_mean_two_things_is_refused(delivery: Path, budget: str) -> None:
    result = run("accept", delivery, f"--budget={budget}")
    assert (result.exit_code, "--budget" in result.stderr) == (1, True)


def test_every_option_is_explained() -> None:
    words = run("accept", "--help").output
    assert "0 ACCEPT, 1 error, 2 wrong usage, 3 OPEN or sheet awaited, 4 REFUSE" in " ".join(words.split())
    for parameter in main.commands["accept"].params:
        assert parameter.param_type_name == "argument" or getattr(parameter, "help", None), parameter.name


def test_the_command_itself_loads_no_data_library() -> None:
    code = "import sys, cupel.cli; print(sorted({'numpy', 'pyarrow', 'rich', 'sklearn'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_planning_loads_neither_pandas_nor_scipy(delivery: Path) -> None:
    code = (
        "import sys; from click.testing import CliRunner; from cupel.cli import main\n"
        f"result = CliRunner().invoke(main, ['accept', {str(delivery)!r}, '--budget', '5%'])\n"
        "print(result.exit_code, sorted({'pandas', 'scipy', 'sklearn', 'duckdb'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout.strip() == "3 []"


def test_verify_says_where_there_is_no_release(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["verify", str(tmp_path)])
    assert shown.exit_code == 1
    assert "no release here" in shown.output
