"""The doors of the fuzzer: which call reads a broken file, with which options and files beside it."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import yaml

from benchmarks.fuzz_inputs import PROJECT, ROWS, FuzzInput
from benchmarks.fuzz_mutations import ODD_TEXTS
from cupel.config.raw import Delivery

OUT = "out"
CLASSES = ("--kind", "multilabel", "--classes", "warm,cold")
ENDINGS = (".csv", ".tsv", ".jsonl", ".json", ".parquet", ".xml", ".csv.gz", ".txt", "")
TOOLS = ("label-studio", "cvat", "coco", "labelbox", "scale", "doccano", "table")


class Call(NamedTuple):
    """A call on a broken file: `command` is the arguments of `cupel`, or what is called in the working folder."""

    door: str
    command: tuple[str, ...] | Callable[[Path], None]
    name: str
    content: bytes
    others: tuple[tuple[str, bytes], ...] = ()

    def write(self, folder: Path) -> None:
        """Write the files of the call into a folder."""
        for name, content in (*self.others, (self.name, self.content)):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def describe(self) -> str:
        """Return the call as a person would write it."""
        return f"cupel {' '.join(self.command)}" if isinstance(self.command, tuple) else f"{self.door} {self.name}"


def make_call(one: FuzzInput, content: bytes, rng: random.Random, others: list[bytes]) -> Call:
    """Return a call that reads a broken file, chosen among those that read files of its kind."""
    makers = {
        "project": _project_call,
        "answers": _answers_call,
        "sheet": _sheet_call,
        "key": _key_call,
        "release": _release_call,
    }
    if one.door in makers:
        return makers[one.door](one, content, rng)
    name = one.name if rng.random() < 0.95 else f"{Path(one.name).stem}{rng.choice(ENDINGS)}"
    return rng.choice((_import_call, _import_call, _accept_call, _delivery_call, _inbox_call, _duplicates_call))(
        one._replace(name=name), content, rng
    )


def _import_call(one: FuzzInput, content: bytes, rng: random.Random) -> Call:
    options: list[str] = []
    if rng.random() < 0.2:
        options += CLASSES
    if rng.random() < 0.2:
        options += ["--tool", rng.choice(TOOLS)]
    if rng.random() < 0.2:
        options += [
            rng.choice(("--question", "--id", "--annotator")),
            rng.choice(("label", "id", *ODD_TEXTS)).replace("\0", ""),
        ]
    ending = rng.choice(("csv", "parquet"))
    command = (
        "import",
        one.name,
        "--batch",
        "b",
        "--answers",
        f"{OUT}/a.{ending}",
        "--items",
        f"{OUT}/i.jsonl",
        *options,
    )
    return Call("import", command, one.name, content)


def _accept_call(one: FuzzInput, content: bytes, rng: random.Random) -> Call:
    places = ("--scores", f"{OUT}/scores", "--record", f"{OUT}/record", "--vendor", "v") if rng.random() < 0.3 else ()
    options = rng.choice(((), ("--plan-only",), CLASSES, ("--audit", "3"), ("--by", "class:warm:wrong=20%")))
    return Call("accept", ("accept", one.name, "--budget", "20%", "--seed", "1", *places, *options), one.name, content)


def _duplicates_call(one: FuzzInput, content: bytes, rng: random.Random) -> Call:
    options = rng.choice(((), ("--id", "id"), ("--words", "2"), ("--against", one.name)))
    return Call("duplicates", ("duplicates", one.name, "--to", f"{OUT}.parquet", *options), one.name, content)


def _delivery_call(one: FuzzInput, content: bytes, rng: random.Random) -> Call:
    fields = rng.choice((None, "id")), rng.choice((None, "label"))

    def read(folder: Path) -> None:
        from cupel.sources.delivery import read_delivery

        delivery = Delivery(files=(one.name,), licence="CC0-1.0", id_field=fields[0], group_field=fields[1])
        for _ in read_delivery("one", delivery, folder, rows_per_chunk=7).chunks():
            pass

    return Call("delivery", read, one.name, content)


def _inbox_call(one: FuzzInput, content: bytes, rng: random.Random) -> Call:
    folder = rng.choice(("", "", "folder/", "answers/"))
    name = f"inbox/{folder}{one.name}"
    beside = rng.choice(
        ((), ((f"{name}.done", b""),), (("inbox/folder/delivery.yaml", b"files: ['*']\nid_field: id\n"),))
    )
    project = (("projects/small.yaml", yaml.safe_dump(PROJECT).encode()),)

    def take_all(folder: Path) -> None:
        from cupel.intake.collect_inputs import take_whole
        from cupel.lake.lake import Lake

        # Twice: what was refused, or is half taken, lies there the second time. Marked, so that nothing is waited for.
        for _ in range(2):
            for path in [*(folder / "inbox").glob("*"), *(folder / "inbox" / "answers").glob("*")]:
                is_note = path.name == "answers" or path.name.endswith((".done", ".refused.txt"))
                if not is_note:
                    mark = path / "_DONE" if path.is_dir() else path.with_name(f"{path.name}.done")
                    mark.write_bytes(b"")
            take_whole(folder / "projects", Lake(folder / "lake", "small"), folder / "inbox")

    return Call("inbox", take_all, name, content, (*project, *beside))


def _answers_call(one: FuzzInput, content: bytes, rng: random.Random) -> Call:
    def read(folder: Path) -> None:
        from cupel.people.answers.recorded_files import batches_in, rows_of

        for batch in batches_in(folder / one.name):
            rows_of([folder / one.name], batch)

    return Call("answers", read, one.name, content)


def _project_call(one: FuzzInput, content: bytes, rng: random.Random) -> Call:
    command = rng.choice((("guideline", "small"), ("signals", "small"), ("summary", "small"), ("upgrade", "small")))
    places = ("--projects", ".", "--lake", "lake", *(("--data", ".") if command[0] in ("guideline", "upgrade") else ()))
    return Call("project", (*command, *places), one.name, content)


def _sheet_call(one: FuzzInput, content: bytes, rng: random.Random) -> Call:
    """Return a call that plans an audit, fills its sheet in, breaks it, and has it judged."""
    seed = rng.random()
    table = "id,text,label\n" + "".join(f"{row['id']},{row['text']},{row['label']}\n" for row in ROWS)

    def judge(folder: Path) -> None:
        from click.testing import CliRunner

        from benchmarks.fuzz_mutations import mutate
        from cupel.cli import main

        command = ["accept", "t.csv", "--budget", "30%", "--seed", "1"]
        CliRunner().invoke(main, command)
        sheet = next(folder.glob("t*.audit/sheet.csv"))
        lines = sheet.read_bytes().split(b"\r\n")
        filled = b"\r\n".join([lines[0], *(line + b"warm" if line else line for line in lines[1:])])
        sheet.write_bytes(mutate("sheet.csv", filled, [filled], random.Random(seed)))
        found = CliRunner().invoke(main, command)
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception

    return Call("sheet", judge, "t.csv", table.encode())


def _key_call(one: FuzzInput, content: bytes, rng: random.Random) -> Call:
    name = rng.choice(("keys.pub", "keys.json", "r.dsse.json", "key.pem"))
    command = {
        "keys.pub": ("key", "add", name, "--who", "ann", "--keys", "trust.json"),
        "keys.json": rng.choice(
            (("key", "list", "--keys", name), ("key", "revoke", "12345678", "--reason", "x", "--keys", name))
        ),
        "r.dsse.json": ("key", "add", name, "--keys", "trust.json"),
        "key.pem": rng.choice((("sign", "keys.pub", "--key", name), ("witness", "check", name, "--lake", "."))),
    }[name]
    return Call("key", command, name, content, (("keys.pub", one.content),))


def _release_call(one: FuzzInput, content: bytes, rng: random.Random) -> Call:
    command = rng.choice((("verify", "r"), ("verify", "r"), ("export", "r", "--to", OUT)))
    return Call("release", command, f"r/{one.name}", content, tuple((f"r/{name}", what) for name, what in one.others))
