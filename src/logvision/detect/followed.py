"""The tracks that are followed: of each actor those of every time of which the log speaks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from logvision.detect.alerts import GAP
from logvision.detect.tracks import DOUBTED, Finding, Track, known
from logvision.schema import Attack

SLOW_GAP: Final = timedelta(hours=24)
"""Quiet for longer than this ends an incident; what comes later begins another. Who attacks over days rests
for a night."""

SITE_GAP: Final = timedelta(minutes=30)
"""The same for what is known of a site only: soon later it may be somebody else."""

POSING_GAP: Final = timedelta(days=14)
"""The same for who poses as a crawler and does nothing else: crawlers, false ones too, come again after days,
many once a week."""

TRACKS_KEPT: Final = 4096
"""Tracks followed at once, worthy or not; beyond it the one quiet for longest is let go."""


class Followed:
    """Tracks by actor and time, bounded by TRACKS_KEPT.

    Logs are also read with their days in any order, or two of different days by turns. So what is of another
    time ends no track; and what stands between two tracks of one actor makes them one.
    """

    def __init__(self) -> None:
        self._tracks: OrderedDict[str, Track] = OrderedDict()  # by id; the one longest quiet first
        self._of: dict[str, list[Track]] = {}  # by actor, and campaigns by what they share
        self.joined: list[Track] = []  # became part of another of the same actor; the reader takes them away

    def __len__(self) -> int:
        return len(self._tracks)

    def __iter__(self) -> Iterator[Track]:
        return iter(self._tracks.values())

    def of(self, actor: str) -> list[Track]:
        """The tracks of one actor, at all times."""
        return self._of.get(actor, [])

    def near(self, actor: str, finding: Finding) -> Track | None:
        """The actor's track of the time of a finding, unless it was quiet for too long before and after."""
        found = [track for track in self._of.get(actor, ()) if _near(track, finding)]
        if not found:
            return None
        first, *others = found
        for other in others:
            known(first.exploits, other.exploits, DOUBTED)
            known(first.probes, other.probes, DOUBTED)
            self.joined.append(self.swallow(first, other))
        self._tracks.move_to_end(first.id)
        return first

    def begin(self, finding: Finding, actor: str) -> Track:
        """A track of an actor that has none at this time."""
        track = Track.begin(finding, actor)
        self.put(track)
        if len(self._tracks) > TRACKS_KEPT:
            self._drop(next(iter(self._tracks.values())))
        return track

    def put(self, track: Track) -> None:
        """Follow a track that was begun earlier."""
        self._tracks[track.id] = track
        self._of.setdefault(track.actor, []).append(track)

    def swallow(self, campaign: Track, part: Track) -> Track:
        """Make a track, which is given back, a part of another: it is followed no longer by itself."""
        campaign.absorb(part)
        for member in part.members:
            campaign.join(member)
        self._drop(part)
        return part

    def _drop(self, track: Track) -> None:
        if self._tracks.pop(track.id, None) is None:
            return
        left = [other for other in self._of.pop(track.actor) if other is not track]
        if left:
            self._of[track.actor] = left


def _near(track: Track, finding: Finding) -> bool:
    """Whether the track was quiet for no longer than it may be, before the finding or after it."""
    rest = _rest(track, finding)
    return finding.first_seen - track.last_seen <= rest and track.first_seen - finding.last_seen <= rest


def _rest(track: Track, finding: Finding) -> timedelta:
    """How long the track may be quiet before this finding is another story."""
    if track.actor.startswith("site:"):
        return SITE_GAP
    if finding.attack is Attack.FAKE_BOT and set(track.counts) == {Attack.FAKE_BOT}:
        return POSING_GAP
    return SLOW_GAP if track.worthy else GAP
