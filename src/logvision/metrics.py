"""Counters and gauges of this process, and their Prometheus text.

Names are `logvision_<stage>_<what>_<unit>_total` for counters, without `_total` for gauges.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Labels = Mapping[str, str]
_Key = tuple[tuple[str, str], ...]


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

    def render(self) -> str:
        """Prometheus text exposition format 0.0.4, in order of names."""
        with self._lock:
            found = [(n, m, dict(m.values)) for n, m in sorted(self._metrics.items())]
        lines = []
        for name, metric, values in found:
            shown = values if metric.ask is None else {(): metric.ask()}
            lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
            lines += [f"{name}{_labels(key)} {value:.17g}" for key, value in sorted(shown.items())]
        return "\n".join(lines) + "\n"

    def change(self, name: str, labels: Labels, amount: float, *, add: bool) -> None:
        key = tuple(sorted(labels.items()))
        with self._lock:
            values = self._metrics[name].values
            values[key] = values.get(key, 0.0) + amount if add else amount

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


def _labels(key: _Key) -> str:
    if not key:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in key) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
