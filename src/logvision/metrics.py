"""Counters, gauges and histograms of this process, and their Prometheus text.

Names are `logvision_<stage>_<what>_<unit>_total` for counters, without `_total` for the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Labels = Mapping[str, str]
_Key = tuple[tuple[str, str], ...]

PART: Final = "part"  # under which a histogram keeps its series: no label of ours


@dataclass
class _Metric:
    kind: str  # counter or gauge
    help: str
    values: dict[_Key, float] = field(default_factory=dict)
    ask: Callable[[], float] | None = None


class Metrics:
    """A registry. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._metrics: dict[str, _Metric] = {}

    def counter(self, name: str, help_: str) -> Counter:
        """The counter of that name, made at first use. Raises ValueError for a name not in the form."""
        if not name.startswith("logvision_") or not name.endswith("_total"):
            raise ValueError(f"a counter is named logvision_<stage>_<what>_<unit>_total, not {name}")
        self._metric(name, "counter", help_)
        return Counter(self, name)

    def gauge(self, name: str, help_: str, ask: Callable[[], float] | None = None) -> Gauge:
        """The gauge of that name; `ask`, when given, is called for its value at every rendering."""
        if not name.startswith("logvision_") or name.endswith("_total"):
            raise ValueError(f"a gauge is named logvision_<stage>_<what>_<unit>, not {name}")
        self._metric(name, "gauge", help_).ask = ask
        return Gauge(self, name)

    def histogram(self, name: str, help_: str, bounds: Sequence[float]) -> Histogram:
        """The histogram of that name. `bounds`: upper ends of its buckets, growing."""
        if not name.startswith("logvision_") or name.endswith("_total"):
            raise ValueError(f"a histogram is named logvision_<stage>_<what>_<unit>, not {name}")
        self._metric(name, "histogram", help_)
        return Histogram(self, name, tuple(bounds))

    def render(self) -> str:
        """Prometheus text exposition format 0.0.4, in order of names."""
        with self._lock:
            found = [(n, m, dict(m.values)) for n, m in sorted(self._metrics.items())]
        lines = []
        for name, metric, values in found:
            shown = values if metric.ask is None else {(): metric.ask()}
            lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
            # What a histogram keeps under `part` is a series of a name of its own.
            lines += [
                f"{_series(name, key)} {value:.17g}" for key, value in sorted(shown.items(), key=_order)
            ]
        return "\n".join(lines) + "\n"

    def change(self, name: str, labels: Labels, amount: float, *, add: bool) -> None:
        key = tuple(sorted(labels.items()))
        with self._lock:
            values = self._metrics[name].values
            values[key] = values.get(key, 0.0) + amount if add else amount

    def replace(self, name: str, values: Mapping[_Key, float]) -> None:
        with self._lock:
            self._metrics[name].values = dict(values)

    def _metric(self, name: str, kind: str, help_: str) -> _Metric:
        with self._lock:
            return self._metrics.setdefault(name, _Metric(kind, help_))


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that only grows."""

    registry: Metrics
    name: str

    def add(self, amount: float = 1.0, **labels: str) -> None:
        if amount < 0:
            raise ValueError(f"{self.name} cannot fall")
        self.registry.change(self.name, labels, amount, add=True)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that is what it is now."""

    registry: Metrics
    name: str

    def set(self, value: float, **labels: str) -> None:
        self.registry.change(self.name, labels, value, add=False)

    def set_each(self, label: str, values: Mapping[str, float]) -> None:
        """One series for each value of this label; those of before are gone."""
        self.registry.replace(self.name, {((label, each),): value for each, value in values.items()})


def _labels(key: _Key) -> str:
    if not key:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in key) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@dataclass(frozen=True, slots=True)
class Histogram:
    """How values are spread."""

    registry: Metrics
    name: str
    bounds: tuple[float, ...]

    def observe(self, value: float, times: int = 1) -> None:
        """Count a value. Costs one change for each bucket at or above it."""
        for bound in self.bounds:
            self._add(times if value <= bound else 0, "bucket", f"{bound:g}")
        self._add(times, "bucket", "+Inf")
        self._add(value * times, "sum")
        self._add(times, "count")

    def _add(self, amount: float, part: str, le: str = "") -> None:
        self.registry.change(self.name, {PART: part, "le": le}, amount, add=True)


def _series(name: str, key: _Key) -> str:
    labels = dict(key)
    part = labels.pop(PART, None)
    if part is None:
        return name + _labels(key)
    return f"{name}_{part}" + (_labels((("le", labels["le"]),)) if labels["le"] else "")


def _order(item: tuple[_Key, float]) -> tuple[object, ...]:
    """Labels by their text, the buckets of a histogram by their number."""
    labels = dict(item[0])
    return (labels[PART], float(labels["le"] or 0)) if PART in labels else item
