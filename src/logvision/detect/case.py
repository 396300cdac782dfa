"""A case: one attack with everything that it is judged by, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from logvision.detect import carrier
from logvision.detect.baselines import Learned
from logvision.detect.missing import Site
from logvision.detect.ordinary import Ordinary
from logvision.detect.spots import Answer, Shape, Spot
from logvision.schema import Attack, Outcome

BROKEN: Final = 2
"""Errors 5xx to injected queries that show that the queries are run."""

REFUSED: Final = (400, 401, 403, 405, 406, 407, 418, 429, 431, 444, 451, 494, 495, 496, 497, 501)
"""Answers of a server, or of a firewall before it, that would not even look."""

UNTOLD: Final = (408, 425, 499)
"""Answers 4xx that say nothing of what the server did."""

FILES: Final = frozenset({Attack.SENSITIVE, Attack.WEBSHELL, Attack.CVE})
"""Classes whose path is what they are after."""

READS: Final = frozenset({Attack.TRAVERSAL, Attack.RFI, Attack.XXE})
"""Classes that make a page give another file than its own."""

SOUGHT: Final = FILES | READS | {Attack.PROBE, Attack.SCANNER}
"""Classes that ask for many things which are not there: from them the page for that is learned."""

SIGN_INS: Final = frozenset({Attack.SCANNER, Attack.PROBE, Attack.BRUTE_FORCE, Attack.STUFFING})
"""Classes that send passwords; an injection sent to a page that takes them is judged as anywhere."""

INTERPRETED: Final = frozenset(
    {
        *(Attack.RCE, Attack.PHP, Attack.JAVA, Attack.CODE, Attack.SSTI, Attack.SSI, Attack.SSRF),
        *READS,
    }
)
"""Classes whose success shows as an answer that other payloads do not get."""

QUERIES: Final = frozenset({Attack.SQLI, Attack.NOSQLI, Attack.LDAP, Attack.GRAPHQL, Attack.SCANNER})
"""Classes whose success shows as more data than the page ordinarily gives, or as a condition obeyed."""

TOLD: Final = FILES | QUERIES | INTERPRETED
"""Classes that are after something: who is given the page for what is not there did not get it."""

DOORS: Final = ("login", "logon", "signin", "sign-in", "sign_in", "/auth", "session", "/token", "password")
"""What the path of a page that takes passwords has in it."""


class Ground(NamedTuple):
    """What is ordinary where an attack was sent to; null: not known."""

    route: Ordinary | None
    bare: Ordinary | None  # the same route without a query
    home: Ordinary | None
    own: bool  # the route is a path of its own, not one variable among many

    @classmethod
    def of(cls, learned: Learned, site: str, route: str | None, parameter: str) -> Ground:
        """What was learned of a route asked with this first parameter."""
        return cls(
            learned.route(site, route, parameter),
            learned.route(site, route, ""),
            learned.route(site, "/", ""),
            # A path that ends in a variable is nobody's in particular.
            route is not None and not route.rstrip("/").rpartition("/")[2].startswith("{"),
        )


@dataclass(slots=True)
class Case:
    """One attack with everything that it is judged by."""

    attack: Attack
    status: int
    path: str
    query: str
    answer: Answer
    spot: Spot
    site: Site
    door: bool  # a password was sent to a page that takes them
    ground: Ground

    def note(self) -> None:
        """Let the spot and the site know, before any case of the batch is judged."""
        if not self.spot.left:
            self.spot.left = carrier.leaves(f"{self.path}?{self.query}")
        if self.door:
            self.spot.try_door(self.status)
        elif self.status in (400, 404, 422):
            self.spot.refused += 1
        elif self.status in (500, 502, 503):
            self.spot.broken += 1
        elif 200 <= self.status < 300 and self.answer.size >= 0:
            self.spot.note(self.answer)
            if self.attack in SOUGHT and not self._known_path():
                self.site.seek(self.answer.size, self.answer.asked.name)

    def outcome(self) -> Outcome | None:
        """How it went; None: what the status says."""
        waited = self._waited()
        if self.door:
            outcome: Outcome | None = self._sign_in()
        elif waited:
            outcome = Outcome.WORKED
        elif 300 <= self.status < 400:
            outcome = self._redirect()
        elif not 200 <= self.status < 300:
            outcome = None
        elif self.answer.size < 0:
            outcome = Outcome.UNKNOWN
        elif self._nothing() or (waited is False and not self.spot.obeyed):
            outcome = Outcome.MISSED
        else:
            outcome = self._by_class(self.spot.shape())
        return outcome

    def _sign_in(self) -> Outcome | None:
        """Nearly all of many passwords are wrong: the answer that most get says so, and another one that a
        sign-in may have says that this one was right."""
        if self.status in REFUSED:
            return Outcome.MISSED if self.status in (400, 401) else Outcome.BLOCKED
        if not 200 <= self.status < 400:
            return None
        usual = self.spot.wrong_password()
        if usual is None:
            return Outcome.UNKNOWN
        return Outcome.MISSED if self.status == usual else Outcome.WORKED

    def _by_class(self, shape: Shape) -> Outcome:
        """Of an answer 2xx with a size."""
        if self.attack in FILES and not (self.ground.own and self.ground.bare is not None):
            return self._file()
        if self.attack in QUERIES:
            return self._query(shape)
        if self.attack in INTERPRETED or self.attack in FILES:
            return self._interpreted(shape)
        if self.attack is Attack.XSS and shape.common(self.answer) and not shape.slope:
            return Outcome.MISSED  # the page does not repeat what it was sent
        return Outcome.UNKNOWN

    def _known_path(self) -> bool:
        """Whether ordinary visitors are given this very path."""
        ground = self.ground
        known = ground.own and (
            (ground.route is not None and ground.route.known)
            or (ground.bare is not None and ground.bare.known)
        )
        return known or self.path == "/"

    def _nothing(self) -> bool:
        """Whether it was given the page for what is not there."""
        return (self.attack in TOLD or not self._known_path()) and self.site.anything(self.answer.size)

    def _waited(self) -> bool | None:
        """Whether the answer took as long as the payload asked; None: it did not ask, or no times."""
        asked, took = self.answer.asked.delay_s, self.answer.duration_us
        if asked is None or took is None or self.status in REFUSED:
            return None
        usual = self.spot.quick_us()
        if usual is None and self.ground.route is not None:
            usual = self.ground.route.median_us()
        waited = took - (500_000 if usual is None else usual) >= 850_000 * asked
        if waited:
            self.spot.obeyed = True
        return waited

    def _redirect(self) -> Outcome | None:
        """A redirect to another site looks like any other; only a place that never redirects tells."""
        if self.attack is not Attack.REDIRECT or self.status not in (302, 303, 307):
            return Outcome.UNKNOWN if self.attack is Attack.REDIRECT else None
        never = self.ground.route is not None and self.ground.route.known and not self.ground.route.redirects
        return Outcome.WORKED if never else Outcome.UNKNOWN

    def _file(self) -> Outcome:
        """Something that is nobody's to read, under a path that no visitor is given."""
        size = self.answer.size
        if size == 0:
            return Outcome.MISSED if self.attack is Attack.SENSITIVE else Outcome.UNKNOWN
        # Single-page applications answer their first page to every path.
        if self.ground.home is not None and any(abs(size - s) <= 16 for s in self.ground.home.sizes):
            return Outcome.MISSED
        return Outcome.WORKED if self.site.tells() else Outcome.UNKNOWN

    def _query(self, shape: Shape) -> Outcome:
        size = self.answer.size
        if self.spot.obeyed or (
            # What breaks on some queries and answers others runs them.
            self.answer.asked.data and self.spot.broken >= BROKEN and not self.spot.like_control(size)
        ):
            return Outcome.WORKED
        if shape.common(self.answer) or self.spot.follows() is False:
            return Outcome.MISSED
        ordinary = self._ordinary()
        if ordinary is not False or self.attack is Attack.SCANNER:
            return Outcome.MISSED if ordinary else Outcome.UNKNOWN
        given = [a.bounds()[1] for a in (self.ground.route, self.ground.bare) if a is not None and a.known]
        most = max([*self.spot.controls, *given], default=0)
        return Outcome.WORKED if size > 1.25 * most else Outcome.UNKNOWN

    def _interpreted(self, shape: Shape) -> Outcome:
        size, ordinary = self.answer.size, self._ordinary()
        if self.attack in READS and size > 0 and not ordinary and self.spot.one_file(self.answer):
            return Outcome.UNKNOWN if self._searched() else Outcome.WORKED
        if self.attack in READS and shape.names < 2:
            # The same size for the same file, however it was written, is what success looks like.
            return self._other(ordinary)
        if self.spot.obeyed:
            return Outcome.WORKED
        if shape.common(self.answer) or self.spot.like_control(size):
            return Outcome.MISSED
        unlike = shape.middle is not None and abs(shape.residual(self.answer) - shape.middle) > max(
            512, 4 * self.answer.asked.length
        )
        other = unlike and (self.attack is not Attack.RCE or not ordinary)
        other |= ordinary is not True and (
            shape.apart or (self.attack is Attack.SSRF and self.spot.refused > 0)
        )
        if other and not self._searched():
            return Outcome.WORKED
        return Outcome.MISSED if ordinary else Outcome.UNKNOWN

    def _searched(self) -> bool:
        """Whether it is all that somebody may look for, where every question is answered otherwise."""
        return not self.spot.left

    def _other(self, ordinary: bool | None) -> Outcome:
        if ordinary:
            return Outcome.MISSED
        told = ordinary is False or self.spot.refused > 0 or (self.ground.route is None and self.site.tells())
        told = told and self.answer.size > 0 and not self._searched()
        return Outcome.WORKED if told else Outcome.UNKNOWN

    def _ordinary(self) -> bool | None:
        """Whether the route ordinarily answers so; None: not known."""
        for answers in (self.ground.route, self.ground.bare):
            if answers is not None and (given := answers.gives(self.answer.size)) is not None:
                return given
        return None
