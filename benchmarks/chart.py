"""The chart for the README: deliveries a second, the pump among what it was measured beside.

SVG by hand, which follows the reader's light or dark theme. Must not know how it was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from benchmarks.measure import Row

PUMP = "pump, everything recorded"
_WIDTH, _LABELS, _FIGURES = 760, 330, 70
_TOP, _STEP, _BAR = 46, 30, 18

_TITLE = "Deliveries a second: one process, the same machine, the same requests"

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #333 }
.title { font-weight: 600; font-size: 14px }
.other { fill: #9aa5b1 } .pump { fill: #2563a8 }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .other { fill: #5c6773 } .pump { fill: #6aa9e9 }
}
"""


def draw(rows: Sequence[Row]) -> str:
    """The chart of these rows, the slowest way first."""
    figures = {row.against: row.against_value or 0.0 for row in rows if row.name == PUMP}
    figures |= {row.name: row.value for row in rows if row.name == PUMP}
    ways = sorted(figures.items(), key=lambda way: way[1])
    height = _TOP + _STEP * len(ways) + 8
    most = max(figures.values(), default=1.0)
    bars = [_bar(place, name, figure, most) for place, (name, figure) in enumerate(ways)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
            f"<title>Deliveries a second</title><style>{_STYLE}</style>",
            f'<text class="title" x="8" y="24">{_TITLE}</text>',
            *bars,
            "</svg>\n",
        ]
    )


def _bar(place: int, name: str, figure: float, most: float) -> str:
    top = _TOP + _STEP * place
    length = (_WIDTH - _LABELS - _FIGURES) * figure / most
    kind = "pump" if name == PUMP else "other"
    base = top + _BAR - 4
    return (
        f'<text x="{_LABELS - 10}" y="{base}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="{kind}" x="{_LABELS}" y="{top}" width="{max(length, 1):.1f}"'
        f' height="{_BAR}" rx="3"/>'
        f'<text x="{_LABELS + length + 8:.1f}" y="{base}">{figure:,.0f}</text>'
    )
