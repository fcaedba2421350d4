import base64
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cupel.cli import main
from cupel.config.release import Certificate, Witness
from cupel.errors import WitnessError
from cupel.lake.draw_log import DRAWS
from cupel.lake.lake import Lake
from cupel.release.nonces import draw_nonce
from cupel.release.receipt_check import check_issued_receipts, find_draw_logs
from cupel.witness.receipt_files import read_receipts
from cupel.witness.timestamps import read_roots
from timestamp_authority import Authority

RELEASES = ("one-r1", "two-r1", "three-r1")


def sha(release: str) -> str:
    return release.encode().hex().ljust(64, "0")


class Office:
    """An operator with a lake and an authority that keeps what it issued, a file each."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.folder, self.authority, self.lake = folder, authority, Lake(folder / "lake", "small")
        witness = Witness(timestamp_authority=authority.url, certificates="roots.pem")
        self.settings = Certificate(witness=witness)

    def draw(self, release: str) -> None:
        draw_nonce(self.lake, release, "audit", sha(release), self.settings, self.authority.folder)

    def write_receipts(self) -> Path:
        folder = self.folder / "receipts"
        folder.mkdir(exist_ok=True)
        for number, content in enumerate(self.authority.issued, 1):
            (folder / f"{number}.tsr").write_bytes(content)
        return folder

    def problems(self, is_signed: bool = False) -> list[str]:
        roots = read_roots(self.authority.roots) if is_signed else None
        logs = find_draw_logs(self.folder / "lake")
        return check_issued_receipts(read_receipts(self.write_receipts()), logs, roots).problems


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Office:
    folder = tmp_path_factory.mktemp("office")
    with Authority(folder / "authority").serving() as authority:
        office = Office(folder, authority)
        for release in RELEASES:
            office.draw(release)
    return office


@pytest.fixture
def office(drawn: Office, tmp_path: Path) -> Office:
    """A copy of the office, to do things with that its witness must see; its authority still stamps."""
    shutil.copytree(drawn.folder, tmp_path / "office")
    authority = Authority.__new__(Authority)
    authority.__dict__ = {**drawn.authority.__dict__, "issued": [*drawn.authority.issued]}
    return Office(tmp_path / "office", authority)


def test_receipts_of_all_that_was_drawn_fit(drawn: Office) -> None:
    found = check_issued_receipts(
        read_receipts(drawn.write_receipts()), find_draw_logs(drawn.folder / "lake"), read_roots(drawn.authority.roots)
    )
    assert found.problems == []
    assert len(found.fitting) == 3
    assert "small, one-r1 (audit), event 1: 1.tsr (20" in found.fitting[0]


def test_a_log_that_was_cut_is_missing_the_freeze_that_the_witness_saw(office: Office) -> None:
    shutil.rmtree(office.folder / "lake" / "small" / DRAWS)
    draw_nonce(Lake(office.folder / "lake", "small"), "one-r1", "audit", sha("another"), Certificate(nonce="chosen"))
    problems = office.problems()
    assert len(problems) == 3
    assert all("of a freeze that is in none of the logs: a log was cut" in one for one in problems)


def test_a_second_receipt_of_one_freeze_was_one_to_choose_from(office: Office) -> None:
    chain = office.lake.log(DRAWS).read_chain()
    office.authority.stamp_commitment(chain[0].hash)
    (problem,) = office.problems()
    assert problem.startswith("4.tsr")
    assert "but the draw used another receipt: the witness was asked again" in problem


def test_a_receipt_that_drew_nothing_was_thrown_away(office: Office) -> None:
    with pytest.raises(WitnessError):  # asked, and then the program is said to have failed
        draw_nonce(office.lake, "four-r1", "audit", sha("x"), Certificate(witness=Witness(command=("false",))))
    office.authority.stamp_commitment(office.lake.log(DRAWS).read_chain()[-2].hash)
    (problem,) = office.problems()
    assert "of small, four-r1 (audit), event 10, but the log holds no draw by it" in problem


def test_a_draw_by_a_receipt_that_the_witness_does_not_know_is_told(office: Office) -> None:
    del office.authority.issued[1]
    assert office.problems() == [
        "small, two-r1 (audit), event 4: drawn by a receipt that is not among those of the witness: it is not the "
        "witness's, or the list is not whole"
    ]


def test_a_receipt_that_is_older_than_what_its_freeze_rests_on_is_out_of_order(office: Office) -> None:
    receipts = [
        one._replace(receipt=one.receipt._replace(at=f"2026-01-0{day}T00:00:00+00:00"))
        for one, day in zip(read_receipts(office.write_receipts()), (2, 3, 1), strict=True)
    ]
    problems = check_issued_receipts(receipts, find_draw_logs(office.folder / "lake")).problems
    assert [one.split(":")[0] for one in problems] == ["3.tsr (2026-01-01T00", "3.tsr (2026-01-01T00"]
    assert all("was in the log first" in one for one in problems)


def test_a_forged_list_is_seen_by_the_authority_s_certificates(office: Office, tmp_path: Path) -> None:
    forger = Authority(tmp_path / "forger")
    office.authority.issued[0] = forger.stamp_commitment(office.lake.log(DRAWS).read_chain()[0].hash)
    assert any("1.tsr: no authority under the given certificates" in one for one in office.problems(is_signed=True))


def draw_by_program(folder: Path, *releases: str) -> list[dict[str, str]]:
    """Draw releases by a program; return what it would list, in order."""
    lake, listed = Lake(folder / "lake", "small"), []
    for release in releases:
        draw_nonce(lake, release, "audit", sha(release), Certificate(witness=Witness(command=("echo", release))))
        commitment = lake.log(DRAWS).read_chain()[-3].hash
        content = f"{release} {commitment}\n".encode()
        listed.append({"hash": commitment, "receipt": base64.b64encode(content).decode()})
    return listed


def check_list(folder: Path, listed: list[dict[str, str]]) -> list[str]:
    (folder / "listed.jsonl").write_text("".join(json.dumps(one) + "\n" for one in listed))
    return check_issued_receipts(read_receipts(folder / "listed.jsonl"), find_draw_logs(folder / "lake")).problems


def test_a_program_s_list_is_held_against_the_log_by_hash_and_by_order(tmp_path: Path) -> None:
    listed = draw_by_program(tmp_path, *RELEASES)
    assert check_list(tmp_path, listed) == []
    assert check_list(tmp_path, [{"receipt": one["receipt"]} for one in listed]) == []
    swapped = check_list(tmp_path, [listed[1], listed[0], listed[2]])
    assert len(swapped) == 1
    assert (
        "of small, two-r1 (audit), event 4, given before listed.jsonl, line 2, but that was in the log first"
        in swapped[0]
    )
    second = {"hash": listed[0]["hash"], "receipt": base64.b64encode(b"another answer").decode()}
    assert any("the draw used another receipt" in one for one in check_list(tmp_path, [*listed, second]))
    stray = {"hash": "f" * 64, "receipt": base64.b64encode(b"stray").decode()}
    assert any("in none of the logs" in one for one in check_list(tmp_path, [*listed, stray]))


def test_the_command_says_what_fits_what_does_not_and_what_it_cannot_see(office: Office) -> None:
    places = ["--lake", str(office.folder / "lake")]
    receipts = office.write_receipts()
    roots = ["--witness", str(office.authority.roots)]
    done = CliRunner().invoke(main, ["witness", "check", str(receipts), *places, *roots])
    assert done.exit_code == 0, done.output
    assert "3 receipts, 3 of them drew; 0 do not fit; logs of small" in done.output
    assert "What this cannot see" in done.output
    assert "another operator's name or key" in done.output
    (receipts / "stray.tsr").write_bytes(office.authority.stamp_commitment("f" * 64))
    done = CliRunner().invoke(main, ["witness", "check", str(receipts), *places])
    assert done.exit_code == 1
    assert "DOES NOT FIT  stray.tsr" in done.output
    assert "Signatures were not checked" in done.output
    done = CliRunner().invoke(main, ["witness", "check", str(receipts), *places, "--project", "none"])
    assert "project none has no log of draws" in done.output
