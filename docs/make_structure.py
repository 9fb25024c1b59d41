"""Draw the map of the packages from their imports, as docs/images/structure.svg.

python docs/make_structure.py

The floors come from the layers contract of pyproject.toml, the text of a box from the docstring of the package, the
arrows from the import statements. An arrow that a chain of other arrows implies is left out, and so are the arrows to
the lowest floor, which every package may import.
"""

import ast
import itertools
import re
import textwrap
import tomllib
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
NAME = "napari_dental_denoise"
SOURCE = ROOT / "src" / NAME
PICTURE = ROOT / "docs" / "images" / "structure.svg"

WIDTH = 1200
LEFT = 56  # of the boxes; the numbers of the floors stand before it
FLOOR, BOX_HEIGHT, LOWEST = 172, 96, 92  # heights of a floor, of a box in it, and of the lowest floor
BOX, HALL, LANE = 280, 760, 40  # widths of a package, of one with packages inside, of an arrow that passes a floor
LETTER = 6.9  # width of a letter of 12 px in a wide font

LEGEND = "Arrows: imports. Left out: those that a chain of others implies, and those to floor 0, which all may import."

STYLE = """\
text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 12px; fill: #24292f; }
.name { font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; font-size: 15px; font-weight: 600; }
.inner { font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; font-size: 12px; }
.faint { fill: #57606a; }
.page { fill: #ffffff; }
.floor { fill: #eef2f7; }
.box { fill: #ffffff; stroke: #8c959f; }
.chip { fill: #eef2f7; stroke: #afb8c1; }
.arrow { fill: none; stroke: #0b6bcb; stroke-width: 1.6; }
.head { fill: #0b6bcb; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .faint { fill: #9198a1; }
  .page { fill: #0d1117; }
  .floor { fill: #161b22; }
  .box { fill: #21262d; stroke: #656c76; }
  .chip { fill: #161b22; stroke: #484f58; }
  .arrow { stroke: #6cb6ff; }
  .head { fill: #6cb6ff; }
}"""


class Stop(NamedTuple):
    """One place of a row: a package, or the lane of an arrow that passes the floor."""

    name: str
    arrow: tuple[str, str] | None = None


Rows = list[list[Stop]]
Line = tuple[Stop, Stop]


def read_floors() -> list[list[str]]:
    """Return the names of the modules of each floor, the highest first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [re.split(" [|:] ", layer) for layer in layers]


def read_summary(package: Path) -> str:
    """Return the first line of the docstring of a package or module."""
    file = package / "__init__.py" if package.is_dir() else package.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].replace("`", "")


def read_imports() -> set[tuple[str, str]]:
    """Return the pairs (importing package, imported package)."""
    pairs = set()
    for file in SOURCE.rglob("*.py"):
        importing = file.relative_to(SOURCE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(NAME + "."):
                pairs.add((importing, (node.module or "").split(".")[1]))
    return {(importing, imported) for importing, imported in pairs if importing != imported}


def without_implied(pairs: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs that no chain of other pairs connects."""

    def reaches(start: str, end: str) -> bool:
        return any(imported == end or reaches(imported, end) for importing, imported in pairs if importing == start)

    return sorted(
        (importing, imported)
        for importing, imported in pairs
        if not any(reaches(other, imported) for start, other in pairs if start == importing and other != imported)
    )


def place(floors: list[list[str]], arrows: list[tuple[str, str]]) -> tuple[Rows, list[Line]]:
    """Return the stops of each row, and the lines from row to row that the arrows consist of."""
    level = {name: number for number, names in enumerate(floors) for name in names}
    rows = [[Stop(name) for name in names] for names in floors]
    lines = []
    for arrow in arrows:
        start = Stop(arrow[0])
        for number in range(level[arrow[0]] + 1, level[arrow[1]]):
            lane = Stop(f"lane {number}", arrow)
            rows[number].append(lane)
            lines.append((start, lane))
            start = lane
        lines.append((start, Stop(arrow[1])))
    return rows, lines


def width(stop: Stop) -> int:
    """Return the width of a stop in pixels."""
    return LANE if stop.arrow else HALL if inner_packages(stop.name) else BOX


def inner_packages(name: str) -> list[Path]:
    """Return the folders of the packages inside a package."""
    return sorted(file.parent for file in (SOURCE / name).glob("*/__init__.py"))


def centres(row: list[Stop]) -> dict[Stop, float]:
    """Return the x coordinates of the middles of the stops of a row, spread evenly."""
    space = (WIDTH - LEFT - sum(map(width, row))) / (len(row) + 1)
    result, x = {}, LEFT + space
    for stop in row:
        result[stop] = x + width(stop) / 2
        x += width(stop) + space
    return result


def untangle(rows: Rows, lines: list[Line]) -> Rows:
    """Return the rows, each in the order with the fewest crossings, and then the shortest lines."""

    def cost(candidate: Rows) -> tuple[int, float]:
        x = {stop: value for row in candidate for stop, value in centres(row).items()}
        row_of = {stop: number for number, row in enumerate(candidate) for stop in row}
        crossings = sum(
            row_of[a[0]] == row_of[b[0]] and (x[a[0]] - x[b[0]]) * (x[a[1]] - x[b[1]]) < 0
            for a, b in itertools.combinations(lines, 2)
        )
        return crossings, sum((x[start] - x[end]) ** 2 for start, end in lines)

    best = rows
    while True:
        before = best
        for number in range(len(rows)):
            orders = itertools.permutations(sorted(best[number]))
            best = min(([*best[:number], list(order), *best[number + 1 :]] for order in orders), key=cost)
        if cost(best) >= cost(before):
            return before


def draw_box(name: str, x: float, y: float, box_width: float) -> list[str]:
    """Return the SVG of one package."""
    left = x - box_width / 2
    parts = [
        f'<rect class="box" x="{left:.0f}" y="{y}" width="{box_width}" height="{BOX_HEIGHT}" rx="8"/>',
        f'<text class="name" x="{left + 14:.0f}" y="{y + 26}">{name}</text>',
    ]
    inner = [package.name for package in inner_packages(name)]
    parts += draw_summary(name, left + 14, y + 47, int((box_width - 26) / LETTER), 1 if inner else 3)
    for number, package in enumerate(inner):
        step = (box_width - 18) / len(inner)
        chip = left + 14 + number * step
        parts += [
            f'<rect class="chip" x="{chip:.0f}" y="{y + 58}" width="{step - 10:.0f}" height="28" rx="6"/>',
            f'<text class="inner" x="{chip + (step - 10) / 2:.0f}" y="{y + 76}" text-anchor="middle">{package}</text>',
        ]
    return parts


def draw_summary(name: str, x: float, y: float, columns: int, max_lines: int) -> list[str]:
    """Return the SVG of the summary of a package; raise ValueError if it is too long for its place."""
    lines = textwrap.wrap(read_summary(SOURCE / name), columns)
    if len(lines) > max_lines:
        raise ValueError(f"the first line of the docstring of {name} does not fit into its box: shorten it")
    return [f'<text x="{x:.0f}" y="{y + 16 * number}">{escape(line)}</text>' for number, line in enumerate(lines)]


def draw_lines(rows: Rows, lines: list[Line]) -> list[str]:
    """Return the SVG of the arrows, which leave and enter a box side by side."""
    x = {stop: value for row in rows for stop, value in centres(row).items()}
    row_of = {stop: number for number, row in enumerate(rows) for stop in row}

    def port(line: Line, end: int) -> float:
        stop = line[end]
        siblings = sorted((other for other in lines if other[end] == stop), key=lambda other: x[other[1 - end]])
        step = min(56, width(stop) / (len(siblings) + 1))
        return x[stop] + step * (siblings.index(line) - (len(siblings) - 1) / 2)

    parts = []
    bend = (FLOOR - BOX_HEIGHT) * 0.55
    for line in lines:
        start, end = line
        x0, x1 = port(line, 0), port(line, 1)
        y0, y1 = top(row_of[start]) + BOX_HEIGHT, top(row_of[end])
        path = f"M{x0:.0f} {y0} C{x0:.0f} {y0 + bend:.0f} {x1:.0f} {y1 - 8 - bend:.0f} {x1:.0f} {y1 - 8}"
        if end.arrow:
            path += f" V{y1 + BOX_HEIGHT}"
        else:
            parts.append(f'<path class="head" d="M{x1 - 5:.0f} {y1 - 10} h10 l-5 9 z"/>')
        parts.append(f'<path class="arrow" d="{path}"/>')
    return parts


def top(number: int) -> int:
    """Return the y coordinate of the boxes of a row."""
    return number * FLOOR + (FLOOR - BOX_HEIGHT) // 2


def draw() -> str:
    """Return the whole picture as SVG."""
    *floors, lowest = read_floors()
    upper = set(itertools.chain(*floors))
    arrows = without_implied({pair for pair in read_imports() if upper.issuperset(pair)})
    rows, lines = place(floors, arrows)
    rows = untangle(rows, lines)
    height = len(rows) * FLOOR + LOWEST + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + 16} {height + 16}" role="img">',
        f"<title>The packages of {NAME} and what they import</title>",
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="page" width="{WIDTH + 16}" height="{height + 16}" rx="12"/>',
        '<g transform="translate(8 8)">',
    ]
    for number in range(len(rows) + 1):
        y, floor_height = number * FLOOR, (FLOOR if number < len(rows) else LOWEST) - 4
        parts += [
            f'<rect class="floor" y="{y}" width="{WIDTH}" height="{floor_height}" rx="8"/>',
            f'<text class="name faint" x="24" y="{y + floor_height / 2 + 5:.0f}">{len(rows) - number}</text>',
        ]
    parts += draw_lines(rows, lines)
    for number, row in enumerate(rows):
        for stop, x in centres(row).items():
            if not stop.arrow:
                parts += draw_box(stop.name, x, top(number), width(stop))
    for number, name in enumerate(lowest):
        x, y = LEFT + 16 + number * (WIDTH - LEFT) / len(lowest), len(rows) * FLOOR
        parts.append(f'<text class="name" x="{x:.0f}" y="{y + 34}">{name}</text>')
        parts += draw_summary(name, x, y + 54, 42, 2)
    parts.append(f'<text class="faint" x="{LEFT + 16}" y="{height - 8}">{LEGEND}</text>')
    return "\n".join([*parts, "</g>", "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
    print(PICTURE)
