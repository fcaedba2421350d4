"""Attacks on a witness: what `cupel witness check` and `cupel verify` find of draws that somebody else has seen."""

import base64
import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.attacks.attack import Attack, AttackError, Finding, Outcome
from benchmarks.attacks.target import NAME, Target
from cupel.config.release import Certificate, Witness
from cupel.errors import CupelError
from cupel.lake.draw_log import DRAWS
from cupel.lake.lake import Lake
from cupel.release.nonces import draw_nonce, nonce_sentence
from cupel.release.receipt_check import check_issued_receipts, find_draw_logs
from cupel.release.witnessed_draws import find_draw_problem, find_witnessed_draws
from cupel.store.event_log import HEAD, JsonLines, SegmentLog, end_of
from cupel.witness.asking import ask_command
from cupel.witness.receipt_files import read_receipts

DOOR = "a witness"
# Prints a receipt, and keeps a list of what it gave for which hash.
_PROGRAM = """
import base64, json, os, sys
receipt = os.urandom(32).hex().encode()
with open({issued!r}, "a") as file:
    row = {{"receipt": base64.b64encode(receipt).decode(), "hash": sys.argv[1]}}
    file.write(json.dumps(row) + chr(10))
sys.stdout.write(receipt.decode())
"""


class Operator:
    """An operator whose draws a program witnesses; the program is somebody else's, and so is its list.

    Attributes:
        folder: Where lake and list are.
        issued: The witness's list.
        command: How it is asked.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()
        self.issued = self.folder / "issued.jsonl"
        program = self.folder / "witness.py"
        program.write_text(_PROGRAM.format(issued=str(self.issued)))
        self.command = (sys.executable, str(program))

    @property
    def lake(self) -> Lake:
        """The lake."""
        return Lake(str(self.folder / "lake"), NAME)

    def draw(self, release: str, content: str = "") -> str:
        """Freeze a release with some content, and draw it; return the nonce."""
        settings = Certificate(witness=Witness(command=self.command))
        return draw_nonce(self.lake, release, "audit", hash_of(release + content), settings).nonce

    def check(self, issued: Path | None = None) -> Finding:
        """Return what `cupel witness check` finds."""
        try:
            logs = find_draw_logs(self.folder / "lake")
            found = check_issued_receipts(read_receipts(issued or self.issued), logs)
        except CupelError as error:
            return Finding(Outcome.REFUSED, str(error))
        if found.problems:
            return Finding(Outcome.REFUSED, f"does not fit: {found.problems[0]}")
        return Finding(Outcome.NOT_CAUGHT, f"{len(found.fitting)} receipts fit")


def make_operator(target: Target) -> Operator:
    """Return an operator with an empty folder."""
    return Operator(target.folder / "witnessed")


def hash_of(text: str) -> str:
    """Return the hash that stands for something frozen."""
    return hashlib.sha256(text.encode()).hexdigest()


def draw_honestly(target: Target) -> Finding:
    """Nothing: two releases are drawn, and the witness lists two receipts."""
    operator = make_operator(target)
    operator.draw("one-r1")
    operator.draw("two-r1")
    return operator.check()


def delete_lake(target: Target) -> Finding:
    """Delete the whole lake after a draw, and draw the same release in a new one."""
    operator = make_operator(target)
    operator.draw("one-r1")
    shutil.rmtree(operator.folder / "lake")
    operator.draw("one-r1", "with other labels")
    return operator.check()


def rewrite_log(target: Target) -> Finding:
    """Delete the last draw from the log, set its head back, and draw again with other labels."""
    operator = make_operator(target)
    operator.draw("one-r1")
    operator.draw("two-r1")
    segments = sorted((operator.lake.folder / DRAWS).glob("0*.jsonl"))
    # In a folder of its own, for this process remembers the log that it has read.
    other = Operator(target.folder / "rewritten")
    other.issued, other.command = operator.issued, operator.command
    folder = other.lake.folder / DRAWS
    folder.mkdir(parents=True)
    for segment in segments[: len(segments) // 2]:
        shutil.copy(segment, folder)
    left = SegmentLog(other.lake.store, DRAWS, JsonLines()).verify_segments()
    (folder / HEAD).write_text(json.dumps(end_of(left)._asdict()))
    other.draw("two-r1", "with other labels")
    return other.check()


def ask_again(target: Target) -> Finding:
    """Ask the witness twice for one freeze, and draw by one of the receipts."""
    operator = make_operator(target)
    operator.draw("one-r1")
    commitment = json.loads(operator.issued.read_text().splitlines()[0])["hash"]
    ask_command(operator.command, commitment, 30)
    return operator.check()


def omit_receipts(target: Target) -> Finding:
    """Throw the first draw away with its lake, and let the operator hand in the list, without it."""
    operator = make_operator(target)
    operator.draw("one-r1")
    shutil.rmtree(operator.folder / "lake")
    operator.draw("one-r1", "with other labels")
    short = operator.folder / "short.jsonl"
    short.write_text(operator.issued.read_text().splitlines()[1] + "\n")
    return operator.check(short)


def use_second_key(target: Target) -> Finding:
    """Let the witness know the operator under a second name, and throw the draw under the first away."""
    first = make_operator(target)
    first.draw("one-r1")
    shutil.move(first.folder, first.folder.with_name("first"))
    second = make_operator(target)
    second.draw("one-r1", "with other labels")
    return second.check()


def write_own_witness(target: Target) -> Finding:
    """Name a program of the operator's own as the witness, which prints what the operator wants."""
    operator = make_operator(target)
    program = operator.folder / "own.py"
    program.write_text("print('a number that pleases')")
    operator.command = (sys.executable, str(program))
    nonces = {operator.draw("one-r1"), operator.draw("two-r1")}
    if len(nonces) > 1:
        raise AttackError("the program prints what it was told, but the draws differ")
    words = nonce_sentence("witness", find_witnessed_draws(operator.lake, "one-r1")).strip()
    return Finding(Outcome.TOLD if "program" in words else Outcome.NOT_CAUGHT, f"the certificate: {words}")


def take_other_receipt(target: Target) -> Finding:
    """Put the receipt of another freeze into a release's certificate."""
    operator = make_operator(target)
    operator.draw("one-r1")
    nonce = operator.draw("two-r1")
    other = find_witnessed_draws(operator.lake, "two-r1")["audit"]
    problem = find_draw_problem(other, "one-r1", "audit", hash_of("one-r1"), nonce)
    return Finding(Outcome.REFUSED if problem else Outcome.NOT_CAUGHT, problem or "the receipt fits")


def edit_receipt(target: Target) -> Finding:
    """Change the receipt in a release's certificate, so that another nonce follows."""
    operator = make_operator(target)
    nonce = operator.draw("one-r1")
    draw = {**find_witnessed_draws(operator.lake, "one-r1")["audit"]}
    draw["receipt"] = base64.b64encode(b"a number that pleases").decode()
    problem = find_draw_problem(draw, "one-r1", "audit", hash_of("one-r1"), nonce)
    return Finding(Outcome.REFUSED if problem else Outcome.NOT_CAUGHT, problem or "the receipt fits")


def stop_witness(target: Target) -> Finding:
    """Let the witness fail, so that another number draws."""
    operator = make_operator(target)
    (operator.folder / "witness.py").write_text("raise SystemExit(1)")
    try:
        nonce = operator.draw("one-r1")
    except CupelError as error:
        return Finding(Outcome.REFUSED, str(error))
    return Finding(Outcome.NOT_CAUGHT, f"drawn by {nonce[:12]}")


_R, _N = Outcome.REFUSED, Outcome.NOT_CAUGHT
_TRIED: tuple[tuple[str, Callable[[Target], Finding], Outcome], ...] = (
    ("honest-draws", draw_honestly, Outcome.PASSED),
    ("lake-deleted", delete_lake, _R),
    ("log-rewritten", rewrite_log, _R),
    ("asked-twice", ask_again, _R),
    ("receipt-of-another-freeze", take_other_receipt, _R),
    ("receipt-edited", edit_receipt, _R),
    ("down", stop_witness, _R),
    ("of-ones-own", write_own_witness, Outcome.TOLD),
    ("list-shortened", omit_receipts, _N),
    ("second-operators-key", use_second_key, _N),
)
ATTACKS = tuple(Attack(f"witness-{name}", DOOR, str(attempt.__doc__), said, attempt) for name, attempt, said in _TRIED)
