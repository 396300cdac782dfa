"""Charts as SVG: pure functions from numbers to markup; colours come from the page's style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from logvision.respond.markup import Markup, element

WIDTH: Final = 960
LEFT: Final = 56  # room for the numbers of the axis
BARS: Final = 150  # height of the upper chart
SECOND: Final = 70  # height of the lower one
GAP: Final = 28
FOOT: Final = 24  # room for times

_TICKS_S: Final = (
    60,
    300,
    900,
    1800,
    3600,
    7200,
    10_800,
    21_600,
    43_200,
    86_400,
    172_800,
    604_800,
    2_592_000,
)


def over_time(
    times: Sequence[datetime],
    step_s: int,
    normal: Sequence[int],
    attacks: Sequence[int],
    *,
    names: tuple[str, str],
) -> Markup:
    """Two bar charts over one axis of time: ordinary requests, and attacks on a scale of their own.

    `times` are the starts of steps without gaps; all three have one length.
    """
    height = BARS + GAP + SECOND + FOOT
    width = (WIDTH - LEFT) / max(len(times), 1)
    parts = [
        *_bars(normal, 14, BARS - 14, width, "ordinary", names[0], times),
        *_bars(attacks, BARS + GAP, SECOND, width, "attack", names[1], times),
        *_times(times, step_s, width, height - 6, BARS + GAP + SECOND),
    ]
    label = f"{names[0]}: {sum(normal):,}; {names[1]}: {sum(attacks):,}"
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_label=label,
        class_="chart",
    )


def _bars(
    values: Sequence[int],
    top: float,
    height: float,
    width: float,
    kind: str,
    name: str,
    times: Sequence[datetime],
) -> list[Markup]:
    """Bars from `top` down, with their highest value at the axis."""
    highest = max(values, default=0)
    base = top + height
    made = [
        element("line", x1=LEFT, x2=WIDTH, y1=base, y2=base, class_="axis"),
        element("line", x1=LEFT, x2=WIDTH, y1=top, y2=top, class_="grid"),
        element("text", f"{highest:,}", x=LEFT - 6, y=top + 4, class_="number"),
        element("text", "0", x=LEFT - 6, y=base + 3, class_="number"),
        element("text", name, x=LEFT, y=top - 5, class_="name"),
    ]
    for at, value in enumerate(values):
        if value:
            # What is something is seen: at least one unit high.
            tall = max(height * value / highest, 1.0)
            made.append(
                element(
                    "rect",
                    x=_fixed(LEFT + at * width),
                    y=_fixed(base - tall),
                    width=_fixed(max(width - (1 if width > 3 else 0), 0.6)),
                    height=_fixed(tall),
                    class_=kind,
                )
            )
    return made


def _times(
    times: Sequence[datetime], step_s: int, width: float, baseline: float, bottom: float
) -> list[Markup]:
    """Marks at round times, eight at most."""
    if not times:
        return []
    span = step_s * len(times)
    every = next(
        (tick for tick in _TICKS_S if span / tick <= 8), _TICKS_S[-1] * -(-span // (8 * _TICKS_S[-1]))
    )
    form = "%H:%M" if every < 86_400 else "%m-%d" if every < _TICKS_S[-1] else "%Y-%m-%d"
    made = []
    first = int(times[0].timestamp())
    for second in range(-(-first // every) * every, first + span, every):
        at = times[0] + timedelta(seconds=second - first)
        x = LEFT + (second - first) / step_s * width
        midnight = every < 86_400 and at.hour == at.minute == 0
        made.append(element("line", x1=_fixed(x), x2=_fixed(x), y1=14, y2=bottom, class_="grid"))
        if x < WIDTH - 36:
            said = at.strftime("%m-%d" if midnight else form)
            made.append(element("text", said, x=_fixed(x), y=baseline, class_="time"))
    return made


def stacked(parts: Sequence[tuple[str, int]]) -> Markup:
    """One bar of shares; `parts` are (class of the style sheet, count)."""
    total = sum(count for _, count in parts)
    x = 0.0
    made = []
    for kind, count in parts:
        if total and count:
            width = WIDTH * count / total
            made.append(element("rect", x=_fixed(x), y=0, width=_fixed(width), height=14, class_=kind))
            x += width
    return element(
        "svg",
        *made,
        viewBox=f"0 0 {WIDTH} 14",
        preserveAspectRatio="none",
        class_="shares",
        aria_hidden="true",
    )


def _fixed(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
