"""Draw the README's chart: deliveries per second of the pump and of each baseline.

The SVG is written by hand, so that it follows the reader's light or dark theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from benchmarks.measure import BenchmarkResult

PUMP = "pump, everything recorded"
"""The name of the results that the chart shows."""

_WIDTH, _LABEL_WIDTH, _VALUE_WIDTH = 760, 330, 70
_TOP, _ROW_HEIGHT, _BAR_HEIGHT = 46, 30, 18

_TITLE = "Deliveries a second: one process, the same machine, the same requests"

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #333 }
.title { font-weight: 600; font-size: 14px }
.other { fill: #9aa5b1 } .pump { fill: #2563a8 }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .other { fill: #5c6773 } .pump { fill: #6aa9e9 }
}
"""


def draw(results: Sequence[BenchmarkResult]) -> str:
    """Return the SVG text; the slowest bar comes first."""
    rates = {
        result.against: result.against_value or 0.0 for result in results if result.name == PUMP
    }
    rates |= {result.name: result.value for result in results if result.name == PUMP}
    height = _TOP + _ROW_HEIGHT * len(rates) + 8
    max_rate = max(rates.values(), default=1.0)
    bars = [
        _bar(index, name, rate, max_rate)
        for index, (name, rate) in enumerate(sorted(rates.items(), key=lambda item: item[1]))
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
            f"<title>Deliveries a second</title><style>{_STYLE}</style>",
            f'<text class="title" x="8" y="24">{_TITLE}</text>',
            *bars,
            "</svg>\n",
        ]
    )


def _bar(index: int, name: str, rate: float, max_rate: float) -> str:
    top = _TOP + _ROW_HEIGHT * index
    length = (_WIDTH - _LABEL_WIDTH - _VALUE_WIDTH) * rate / max_rate
    css_class = "pump" if name == PUMP else "other"
    baseline = top + _BAR_HEIGHT - 4
    return (
        f'<text x="{_LABEL_WIDTH - 10}" y="{baseline}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="{css_class}" x="{_LABEL_WIDTH}" y="{top}" width="{max(length, 1):.1f}"'
        f' height="{_BAR_HEIGHT}" rx="3"/>'
        f'<text x="{_LABEL_WIDTH + length + 8:.1f}" y="{baseline}">{rate:,.0f}</text>'
    )
