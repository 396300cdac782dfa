"""Checks of a log: format, rejects, who asks, time, gaps, repeats, and what the format leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from logvision.app.doctor import foreign
from logvision.app.doctor.check import Check, State
from logvision.app.doctor.survey import Survey, shares
from logvision.enrich import address
from logvision.enrich.client import TrustedProxies, presets_known

FEW: Final = 50  # events below which shares mean nothing
REJECTED_WORTH: Final = 0.01
REJECTED_BAD: Final = 0.2
ONE_PEER: Final = 0.9  # share of events from one address, or from private ones, that is a proxy's doing
REPEATED: Final = 0.25  # share of lines that stand there once already
AHEAD_US: Final = 300 * 1_000_000
BACK_US: Final = 60 * 1_000_000
BACK_SHARE: Final = 0.001
PROXIES: Final = 32  # more private addresses than this are people in a house, not proxies
LIVE_S: Final = 900.0  # a file that changed this lately is being written
HOUR_US: Final = 3_600 * 1_000_000

MISSING: Final[Mapping[str, str]] = {
    "user_agent": "scanners by name, robots and fake crawlers, attacks in the agent (Log4Shell, Shellshock)",
    "referer": "attacks in the referer, and where visitors come from",
    "status": "outcomes, guessing of paths and passwords, and every share of errors",
    "bytes": "outcomes by the size of the answer (leaked files, blind SQL injection)",
    "duration_us": "time-based SQL injection, and slow pages",
    "site": "what belongs to which virtual host: all sites share one baseline of ordinary answers",
}
"""Fields that a format may lack, and what cannot be told without them."""

_HOW: Final[Mapping[str, str]] = {
    "user_agent": 'use the combined format: it ends in "$http_referer" "$http_user_agent"',
    "referer": 'use the combined format: it ends in "$http_referer" "$http_user_agent"',
    "duration_us": "add $request_time (nginx) or %D (Apache) at the end of the format",
    "site": "put $host (nginx) or %v:%p (Apache, vhost_combined) at the beginning of the format",
    "bytes": "add $body_bytes_sent (nginx) or %B (Apache)",
    "status": "add $status (nginx) or %>s (Apache)",
}


def checks(survey: Survey, proxies: TrustedProxies, now: float) -> Iterator[Check]:
    """Everything about one log. `now` is Unix time."""
    about = _About(survey, proxies, now)
    for look in (
        about.format,
        about.rejects,
        about.client,
        about.forwarded,
        about.clock,
        about.order,
        about.gaps,
        about.repeats,
        about.fields,
    ):
        yield from look()


class _About:
    """The checks of one survey; each yields nothing where there is nothing to look at."""

    def __init__(self, survey: Survey, proxies: TrustedProxies, now: float) -> None:
        self._survey = survey
        self._proxies = proxies
        self._now = now

    def _check(
        self,
        name: str,
        state: State,
        detail: str,
        advice: tuple[str, ...] = (),
        samples: tuple[str, ...] = (),
    ) -> Check:
        return Check(name, state, detail, self._survey.source, advice, samples)

    def format(self) -> Iterator[Check]:
        its = self._survey
        if not its.lines:
            yield self._check("format", State.WARN, "the log is empty")
            return
        if not its.formats:
            yield self._check("format", State.FAIL, *foreign.told(its.samples))
            return
        name, sure, share = its.formats[0]
        said = f"{name}, {sure:.0%} sure"
        others = [f"{other} {part:.1%}" for other, _, part in its.formats[1:4] if part >= 0.001]
        if others:
            said += f", {share:.1%} of the lines; beside it {', '.join(others)}"
        state = State.OK if sure >= 0.7 else State.WARN
        cut = f" (the first {its.lines:,} lines were read)" if its.cut else ""
        yield self._check("format", state, said + cut)

    def rejects(self) -> Iterator[Check]:
        its = self._survey
        worth = its.lines - its.filtered
        if not worth:
            return
        part = its.rejects / worth
        causes = ", ".join(f"{reason} {count:,}" for reason, count in its.reasons.most_common())
        said = f"{its.rejects:,} of {worth:,} lines are no events" + (f": {causes}" if causes else "")
        state = State.OK if part < REJECTED_WORTH else State.WARN if part < REJECTED_BAD else State.FAIL
        samples = (
            ()
            if state is State.OK
            else tuple(f"{reason}: {line[:200]}" for reason, lines in its.samples.items() for line in lines)
        )
        advice = () if state is State.OK else ("see one of them with `logvision explain`",)
        yield self._check("unparsed lines", state, said, advice, samples)

    def client(self) -> Iterator[Check]:
        """All traffic from one address, from private ones or from a content delivery network: a proxy
        stands before the server, and the log names it instead of the visitor."""
        its = self._survey
        if its.events < FEW:
            return
        if not its.filled["peer_ip"]:
            yield self._check(
                "client address", State.FAIL, "the log names no address: nobody can be told from anybody"
            )
            return
        ordered = list(shares(its.clients))
        hidden = _hidden(dict(ordered), ordered[0][1] if ordered else 0.0)
        if hidden is None:
            yield self._check("client address", State.OK, f"{len(its.clients):,} different addresses")
            return
        proxies = tuple(name for name, _ in ordered[:3])
        advice = _restore(its.formats[0][0] if its.formats else "", proxies)
        yield self._check(
            "client address", State.FAIL, f"{hidden}: the visitor's own address is lost", advice
        )

    def forwarded(self) -> Iterator[Check]:
        its = self._survey
        if its.filled["forwarded"] < max(FEW, its.events // 100):
            return
        peers = list(its.peers)
        trusted = self._proxies.trusts(address.parse(peers)) if peers else np.zeros(0, bool)
        believed = sum(its.peers[peer] for peer, yes in zip(peers, trusted.tolist(), strict=True) if yes)
        if believed >= its.events // 2:
            yield self._check(
                "trusted proxies", State.OK, f"X-Forwarded-For is believed of {believed:,} events"
            )
            return
        preset = _preset(dict(shares(its.peers)))
        names = ", ".join(f'"{peer}"' for peer, _ in list(shares(its.peers))[:3])
        line = f'presets = ["{preset}"]' if preset else f"trusted_proxies = [{names}]"
        yield self._check(
            "trusted proxies",
            State.WARN,
            f"the log has X-Forwarded-For, and it is believed of {believed:,} of {its.events:,} events only",
            ("[client]", line),
        )

    def clock(self) -> Iterator[Check]:
        """Times of the future, and a newest line that lags behind the file by whole half hours."""
        its = self._survey
        if not its.events:
            return
        newest = int(its.times.max())
        ahead = newest - round(self._now * 1e6)
        late = its.reasons["bad_time"]
        if ahead > AHEAD_US:
            yield self._check(
                "clock",
                State.WARN,
                f"the newest line is {_span(ahead)} in the future: a wrong zone or a wrong clock",
                ("log times with their offset (nginx $time_local), and keep the clock by NTP",),
            )
        elif (off := self._zone_off(newest)) is not None:
            yield self._check(
                "clock",
                State.WARN,
                f"the file changed just now, and its newest line is {_span(off)} old: a wrong zone?",
                ("log times with their offset (nginx $time_local or $time_iso8601)",),
            )
        elif late:
            yield self._check(
                "clock", State.WARN, f"{late:,} lines have impossible times, or lie over a day ahead"
            )
        else:
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=newest)
            yield self._check("clock", State.OK, f"newest line of {at:%Y-%m-%d %H:%M:%S} UTC")

    def _zone_off(self, newest: int) -> int | None:
        """How far the newest line lags behind the file's last change, if that is whole half hours."""
        changed = self._survey.changed
        if changed is None or self._survey.cut or self._now - changed > LIVE_S:
            return None
        off = round(changed * 1e6) - newest
        near = abs(off - round(off / (HOUR_US / 2)) * HOUR_US / 2) < 90e6
        return off if near and HOUR_US / 4 < off <= 14 * HOUR_US else None

    def order(self) -> Iterator[Check]:
        """Lines are written when the answer is done, so times go back a little; a minute is news."""
        times = self._survey.times
        if times.size < FEW:
            return
        back = -np.diff(times)
        many = int((back > BACK_US).sum())
        most = max(int(back.max()), 0)
        if many > BACK_SHARE * times.size or most >= HOUR_US / 2:
            yield self._check(
                "order",
                State.WARN,
                f"times step back {many:,} times by over a minute, at most by {_span(most)}: several logs in "
                "one file, rotated files out of order, a clock that was set back, or a change of zone",
            )
        else:
            yield self._check("order", State.OK, f"times step back by {_span(most)} at most")

    def gaps(self) -> Iterator[Check]:
        times = np.sort(self._survey.times)
        if times.size < 4 * FEW:
            return
        found = gaps(times)
        if not found:
            yield self._check("gaps", State.OK, "no silence that stands out")
            return
        said = "; ".join(f"{_at(start)} UTC for {_span(end - start)}" for start, end in found[:5])
        yield self._check(
            "gaps",
            State.WARN,
            f"{len(found)} {'silence' if len(found) == 1 else 'silences'} longer than this log's own: {said}",
            ("were logs lost in rotation or shipping, or was the site down?",),
        )

    def repeats(self) -> Iterator[Check]:
        """Equal lines: shipped twice, or two servers that log one request."""
        hashes = self._survey.hashes
        if hashes.size < FEW:
            return
        again = 1 - np.unique(hashes).size / hashes.size
        said = f"{again:.1%} of the lines stand there once already"
        if again < REPEATED:
            yield self._check("repeats", State.OK, said)
            return
        yield self._check(
            "repeats",
            State.WARN,
            f"{said}: shipped twice, or logged by two blocks of the server",
            ("look for a second access_log or CustomLog directive, and for a shipper that started over",),
        )

    def fields(self) -> Iterator[Check]:
        its = self._survey
        if its.events < FEW:
            return
        lacking = [name for name in MISSING if its.filled[name] == 0]
        if not lacking:
            yield self._check("fields", State.OK, "the format says everything that detection uses")
        for name in lacking:
            yield self._check(
                "fields",
                State.WARN,
                f"no {name.removesuffix('_us')}: lost are {MISSING[name]}",
                (_HOW[name],),
            )


def gaps(times: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Silences that stand out, longest first, as (last time before, first time after) in µs.

    Over an hour, and over three times what is usual: the median over the days of each day's longest
    pause, or with fewer than four days thirty times the 99th percentile of all pauses.
    """
    pauses = np.diff(times)
    day = times[:-1] // (24 * HOUR_US)
    days, first = np.unique(day, return_index=True)
    if days.size >= 4:
        usual = 3 * np.median(np.maximum.reduceat(pauses, first))
    else:
        usual = 30 * np.quantile(pauses, 0.99)
    long = np.flatnonzero(pauses > max(usual, HOUR_US))
    ordered = long[np.argsort(-pauses[long], kind="stable")]
    return [(int(times[at]), int(times[at + 1])) for at in ordered]


def _hidden(clients: Mapping[str, float], largest: float) -> str | None:
    """Why these addresses are no visitors'; null: they may well be."""
    if largest >= ONE_PEER:
        return f"{largest:.0%} of the events come from one address"
    names = list(clients)
    private = address.PRIVATE.find(address.parse(names)) >= 0
    part = sum(clients[name] for name, yes in zip(names, private.tolist(), strict=True) if yes)
    if part >= ONE_PEER and private.sum() <= PROXIES:
        return f"{part:.0%} of the events come from {private.sum()} private addresses"
    preset = _preset(clients)
    return f"most events come from {preset}" if preset and preset != "private" else None


def _preset(clients: Mapping[str, float]) -> str | None:
    """The published set of addresses that nearly all of these belong to."""
    names = list(clients)
    parsed = address.parse(names)
    for preset in presets_known():
        inside = TrustedProxies((), (preset,)).trusts(parsed)
        if sum(clients[name] for name, yes in zip(names, inside.tolist(), strict=True) if yes) >= ONE_PEER:
            return preset
    return None


def _restore(format_: str, proxies: tuple[str, ...]) -> tuple[str, ...]:
    """Lines of configuration that bring the visitor's address back, for the server that the format is of."""
    ranges = proxies or ("<address of the proxy>",)
    nginx = (
        "nginx, in http { }:",
        *(f"    set_real_ip_from {proxy};" for proxy in ranges),
        "    real_ip_header X-Forwarded-For;",
        "    real_ip_recursive on;",
    )
    apache = (
        "Apache, with mod_remoteip:",
        "    RemoteIPHeader X-Forwarded-For",
        *(f"    RemoteIPInternalProxy {proxy}" for proxy in ranges),
        "    and %a instead of %h in LogFormat",
    )
    traefik = (
        "Traefik, of the entry point:",
        f"    forwardedHeaders: {{trustedIPs: [{', '.join(ranges)}]}}",
        "    in Docker also publish the port with mode: host",
    )
    if "traefik" in format_:
        return traefik
    if "vhost" in format_:
        return apache
    return (*nginx, *apache, *(traefik if format_ == "json" else ()))


def _span(microseconds: int) -> str:
    seconds = abs(microseconds) / 1e6
    for width, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * width:
            return f"{seconds / width:.1f} {name}"
    return f"{seconds:.0f} s"


def _at(microseconds: int) -> str:
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds):%Y-%m-%d %H:%M:%S}"
