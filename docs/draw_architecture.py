"""Draws the map of the code: which rooms there are, what each is for, and which of them knows which."""

import ast
import tomllib
from collections.abc import Iterator
from html import escape
from itertools import product
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
# Above the library, from the top; `pyproject.toml` has the order of what is in it.
ABOVE = ("orchestration", "assets", "expectations")
ROW, LEFT, CELL, HEAD, MARGIN = 30, 700, 22, 108, 18
KNOWS, WRONG, NEVER = "#0072b2", "#d55e00", "#f6e3d7"
LINE, INK, GREY, BAND = "#c8c8c8", "#1a1a1a", "#555555", "#f5f7fa"


class Room(NamedTuple):
    """A package, or a module that stands beside the packages: its name, its first line, and what it imports."""

    name: str
    purpose: str
    imports: frozenset[str]


def read_rooms() -> list[Room]:
    """Return the rooms from the top to the ground, each with those that it knows."""
    names = [*ABOVE, *(f"cupel.{name}" for name in _layers())]
    return [_read_room(name, names) for name in names]


def draw_map(rooms: list[Room]) -> str:
    """Return the map as SVG: a row a room, and a mark under each room that it knows.

    Marks right of the diagonal are arrows that go down. Left of it, where it is shaded, one would go up.
    """
    width, height = LEFT + CELL * len(rooms) + 2 * MARGIN, HEAD + ROW * len(rooms) + 2 * MARGIN
    shapes = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13">',
        "<title>The rooms of Cupel: what each is for, and which it knows</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        _text(MARGIN, HEAD - 8, "room (knows most)", GREY),
        _text(MARGIN + 170, HEAD - 8, "what it is for", GREY),
    ]
    for place, room in enumerate(rooms):
        x, y = LEFT + CELL * place, HEAD + ROW * place
        if place % 2 == 0:
            shapes.append(f'<rect x="{MARGIN}" y="{y}" width="{LEFT - 2 * MARGIN}" height="{ROW}" fill="{BAND}"/>')
        shapes.append(_text(MARGIN + 6, y + 20, room.name, INK, 'font-weight="bold"'))
        shapes.append(_text(MARGIN + 170, y + 20, room.purpose.replace("`", ""), INK, 'font-size="12"'))
        turned = f'transform="rotate(-60 {x + 14} {HEAD - 6})" font-size="12"'
        shapes.append(_text(x + 14, HEAD - 6, room.name.removeprefix("cupel."), INK, turned))
    for (row, room), (column, other) in product(enumerate(rooms), enumerate(rooms)):
        x, y = LEFT + CELL * column, HEAD + ROW * row
        is_known = other.name in room.imports
        known, unknown = (KNOWS, "white") if column > row else (WRONG, NEVER)
        fill = LINE if column == row else known if is_known else unknown
        shapes.append(
            f'<rect x="{x}" y="{y}" width="{CELL}" height="{ROW}" fill="{fill}" stroke="{LINE}" stroke-width="0.5">'
            + (f"<title>{room.name} knows {other.name}</title>" if is_known else "")
            + "</rect>"
        )
    return "\n".join([*shapes, "</svg>", ""])


def _layers() -> Iterator[str]:
    """Yield the rooms of the library from the top, as the contract that import-linter holds names them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in settings["tool"]["importlinter"]["contracts"]:
        if contract.get("containers") == ["cupel"]:
            for layer in contract["layers"]:
                yield from (name.strip() for name in layer.split("|"))


def _read_room(name: str, names: list[str]) -> Room:
    folder = ROOT.joinpath(*name.split("."))
    paths = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    first = folder / "__init__.py" if folder.is_dir() else paths[0]
    purpose = (ast.get_docstring(ast.parse(first.read_text(encoding="utf-8"))) or "").split("\n")[0]
    found = {_room_of(module, names) for path in paths for module in _imports(path)} - {name, None}
    return Room(name, purpose.rstrip("."), frozenset(other for other in found if other is not None))


def _imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, at its top or in a function; not those that it imports for types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inside)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inside in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _room_of(module: str, names: list[str]) -> str | None:
    return next((name for name in names if f"{module}.".startswith(f"{name}.")), None)


def _text(x: float, y: float, words: str, colour: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}" {more}>{escape(words)}</text>'
