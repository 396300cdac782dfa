"""Which incidents a filter of events speaks of: those of the clients that it names."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

from logvision.casebook.base import Casebook, Question, every
from logvision.lake.queries.filter import Filter, Term, Test

_KINDS: Final = ("ip:", "net:")


def concerned(casebook: Casebook, question: Question, filter_: Filter) -> Iterator[dict[str, Any]]:
    """The incidents of a question that the filter speaks of, as `Case.to_dict`, newest first."""
    documents = (case.to_dict() for case in every(casebook, question))
    return (document for document in documents if concerns(filter_, document))


def concerns(filter_: Filter, case: Mapping[str, Any]) -> bool:
    """Whether an incident (`Case.to_dict`) is of a client that the filter lets through.

    The actor counts, and the members of a campaign; a network for the addresses that lie in it. Words of the
    filter on anything else are of single events and say nothing of an incident.
    """
    terms = [term for term in filter_.terms if term.column == "client_ip"]
    if not terms:
        return True
    wanted = [term for term in terms if not term.negated]
    unwanted = [term for term in terms if term.negated]
    actors = (case["actor"], *case["members"])
    clients = [actor.partition(":")[2] for actor in actors if actor.startswith(_KINDS)] or [None]
    return any(
        (not wanted or any(_fits(term, client) for term in wanted))
        and not any(_fits(term, client) for term in unwanted)
        for client in clients
    )


def _fits(term: Term, client: str | None) -> bool:
    """Whether an address or network, or none, is what a term on `client_ip` asks for."""
    if client is None or term.test in {Test.PRESENT, Test.ABSENT}:
        return (client is None) == (term.test is Test.ABSENT)
    value = str(term.value)
    match term.test:
        case Test.STARTS:
            return client.startswith(value)
        case Test.ENDS:
            return client.endswith(value)
        case Test.CONTAINS:
            return value in client
    return client == value or _within(value, client)


def _within(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network)
    except ValueError:  # what is filtered for need not be an address
        return False
