"""The chain where a time-stamp authority gives the numbers that draw: nothing is drawn while it is down."""

import json
import shutil
from pathlib import Path

import dagster as dg
from click.testing import CliRunner
from forged_releases import failed, forge

from cupel.cli import main
from cupel.kinds.projects import load_project
from cupel.lake.draw_log import DRAWS
from cupel.lake.gates import is_awaiting, release_state
from cupel.release import layout
from cupel.release.places import release_folder
from cupel.release.verify import verify_release
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds
from small_project import write_project
from timestamp_authority import NAME, Authority

OTHER = {"warm": "cold", "cold": "warm"}


def write_witnessed_project(folder: Path, authority: Authority) -> Deployment:
    """Write a project whose two experts call so many labels wrong that some must be adjudicated, whatever is drawn.

    Nobody knows the draw before: its number is the authority's.
    """
    witness = {"timestamp_authority": authority.url, "certificates": "roots.pem", "timeout_seconds": 60}
    certificate = {"nonce": None, "witness": witness, "adjudicators_audited": 300}
    release = {"audit_size": 150, "error_budget": 0.06, "max_experts_seen_share": 1.0, "certificate": certificate}
    deployment = write_project(folder, crew_error=0.14, release=release)
    shutil.copy(authority.roots, deployment.data / "roots.pem")
    path = deployment.data / "small" / "answers.csv"
    lines = [line for line in path.read_text().splitlines() if ",expert," not in line]
    for number, line in enumerate(line for line in path.read_text().splitlines() if ",expert," in line):
        where, _, label = line.rpartition(",")
        lines.append(f"{where},{OTHER[label] if number % 15 == 0 else label}")
    lines += [line.replace(",eve,", ",finn,") for line in lines if ",expert," in line]
    path.write_text("\n".join(lines) + "\n")
    return deployment


def run(deployment: Deployment, instance: dg.DagsterInstance) -> tuple[Done, Rounds]:
    rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, instance)
    return rounds.run(), rounds


def test_a_release_waits_for_its_witness_and_says_afterwards_who_that_was(tmp_path: Path) -> None:
    with Authority(tmp_path / "authority").serving() as authority, dg.DagsterInstance.ephemeral() as instance:
        deployment = write_witnessed_project(tmp_path, authority)
        authority.stamps_left = 0
        done, rounds = run(deployment, instance)
        lake = rounds.lake
        assert done.broken == []
        assert lake.partitions("release_plan") == []
        state = release_state(lake, "one-r1")
        rows = lake.read("gate_results", "release_plan--one-r1").to_pylist()
        assert (rows[0]["outcome"], "the witness 127.0.0.1 is awaited" in rows[0]["reason"]) == ("open", True), state

        authority.stamps_left = 1  # for the audit; none for what another expert judges again
        done, _ = run(deployment, instance)
        assert done.broken == []
        assert lake.partitions("release_plan") == ["one-r1"]
        assert lake.read("audit_result", "one-r1")["status"][0].as_py() == "open"
        assert lake.partitions("certificate") == []
        assert not is_awaiting(lake, "release_plan", "one-r1")

        authority.stamps_left = None
        done, _ = run(deployment, instance)
        assert done.broken == []
    assert lake.partitions("certificate") == ["one-r1"], lake.read("audit_result", "one-r1").to_pylist()
    assert release_state(lake, "one-r1").outcome == "pass"
    said = lake.read("certificate", "one-r1")["wording"][0].as_py()
    assert f"a time-stamp authority, {NAME}, was told the freeze" in said
    assert "What another expert judged again was drawn by the receipt of a witness" in said
    events = [(one["event"], one["part"]) for one in lake.log(DRAWS).read()]
    assert events.count(("drawn", "audit")) == events.count(("drawn", "adjudicators")) == 1
    assert events.count(("asked", "audit")) >= 2
    assert events.count(("asked", "adjudicators")) >= 2

    folder = tmp_path / "copy"
    shutil.copytree(release_folder(lake, "one-r1"), folder)
    shown = CliRunner().invoke(main, ["verify", str(folder)])
    assert (shown.exit_code, "was not checked against anybody's key" in shown.output) == (0, True), shown.output
    shown = CliRunner().invoke(main, ["verify", str(folder), "--witness", str(authority.roots)])
    assert (shown.exit_code, "not checked" in shown.output) == (0, False), shown.output
    stranger = Authority(tmp_path / "stranger").roots
    shown = CliRunner().invoke(main, ["verify", str(folder), "--witness", str(stranger)])
    assert shown.exit_code == 1
    assert "no authority under the given certificates" in " ".join(shown.output.split())

    path = folder / layout.CERTIFICATE_FILE
    content = json.loads(path.read_bytes())
    draws = content[layout.WITNESSED]
    draws["audit"]["receipt"], draws["adjudicators"]["receipt"] = (
        draws["adjudicators"]["receipt"], draws["audit"]["receipt"]
    )  # fmt: skip
    path.write_bytes(layout.json_bytes(content))
    forge(folder)
    assert failed(verify_release(folder)) == {"each draw that was witnessed follows from the receipt"}
    del content[layout.WITNESSED]
    path.write_bytes(layout.json_bytes(content))
    forge(folder)
    assert "the audit is the sample that its seed draws" in failed(verify_release(folder))
