"""Holds the counts of `logvision scan --json` against an independent count by awk and sort.

    python bench/accounting.py FOLDER_OR_LOG... [--keep results.json]

Lines, statuses, methods, bytes sent and distinct clients of logs in common, combined or vhost_combined
form (also with more fields behind), plain or compressed. awk takes escaped quotes out and splits at the
quotes that are left; it knows nothing of formats, dates or addresses, so a line that LogVision rejects
still counts there: what differs by exactly the rejects is explained by them, anything else is printed.
Exit code 1: something is left unexplained.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

UNPACK: Final = {".gz": "gzip -dc", ".bz2": "bzip2 -dc", ".zst": "zstd -dc"}

# The address is the first word, or the second after a virtual host; the time in brackets tells which.
AWK: Final = r"""
{
  sub(/\r$/, "")
  lines++
  first = $1
  if ($4 !~ /^\[/ && $5 ~ /^\[/) first = $2
  gsub(/\\\\/, ""); gsub(/\\"/, "")
  if (split($0, part, "\"") < 3 || part[1] !~ /\[.*\]/) { other++; next }
  split(part[3], word, " ")
  status = word[1]; size = word[2]
  if (status !~ /^[0-9][0-9][0-9]$/ && status != "-") { other++; next }
  if (status == "000") status = "-"
  method = part[2]
  http = method ~ / HTTP\/[^ ]*$/ || method ~ /^[A-Z]+ \//
  method = http && match(method, /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ /) ? substr(method, 1, RLENGTH - 1) : "-"
  print "status", status; print "method", method; print "client", first
  if (size ~ /^[0-9]+$/) bytes += size
}
END { printf "lines %d\nother %d\nbytes %.0f\n", lines, other, bytes }
"""


def counted(log: Path) -> dict[str, Any]:
    """The same counts by awk, sort and uniq."""
    unpack = UNPACK.get(log.suffix, "cat")
    pipe = f"{unpack} {shlex.quote(str(log))} | awk {shlex.quote(AWK)} | sort | uniq -c"
    done = subprocess.run(
        ["sh", "-c", pipe], check=True, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}
    )
    totals: dict[str, int] = {}
    status: Counter[str] = Counter()
    methods: Counter[str] = Counter()
    clients: Counter[str] = Counter()
    for row in done.stdout.decode("utf-8", "backslashreplace").splitlines():
        number, what, value = row.split(maxsplit=2)
        if what == "status":
            status[value] = int(number)
        elif what == "method":
            methods[value] = int(number)
        elif what == "client":
            clients[value] = int(number)
        else:
            totals[what] = int(value)
    return {**totals, "status": status, "methods": methods, "clients": clients}


def scanned(log: Path) -> dict[str, Any]:
    program = str(Path(sys.executable).with_name("logvision"))
    done = subprocess.run([program, "scan", str(log), "--json"], check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is not equal: its name, and both counts; `=` before a name: the rejects explain it."""
    unread = ours["rejects"] + ours["filtered"]
    if ours["read"] != ours["events"] + unread:
        yield "accounting", f"{ours['read']} read is not events + rejects + filtered"
    if ours["read"] != theirs["lines"]:
        yield "lines", f"{ours['read']} here, {theirs['lines']} by awk"
    if ours["events"] != theirs["lines"] - theirs["other"]:
        explained = ours["events"] + unread == theirs["lines"]
        said = f"{ours['events']} here, {theirs['lines'] - theirs['other']} by awk; {ours['reject_reasons']}"
        yield ("=events" if explained else "events"), said
    for name in ("status", "methods"):
        here, there = Counter(ours[name]), theirs[name]
        for key in sorted(here.keys() | there.keys()):
            if here[key] != there[key]:
                few = 0 <= there[key] - here[key] <= unread
                yield f"{'=' if few else ''}{name} {key}", f"{here[key]} here, {there[key]} by awk"
    if ours["bytes"] != theirs["bytes"]:
        few = unread > 0 and theirs["bytes"] >= ours["bytes"]
        yield ("=bytes" if few else "bytes"), f"{ours['bytes']} here, {theirs['bytes']} by awk"
    if ours["visitors"] != len(theirs["clients"]):
        few = 0 <= len(theirs["clients"]) - ours["visitors"] <= unread
        yield (
            ("=visitors" if few else "visitors"),
            f"{ours['visitors']} here, {len(theirs['clients'])} first words by awk",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("logs", nargs="+", type=Path)
    parser.add_argument("--keep", type=Path, help="write every count to this file")
    options = parser.parse_args()
    logs = [log for given in options.logs for log in (sorted(given.iterdir()) if given.is_dir() else [given])]
    kept, unexplained = [], 0
    for log in logs:
        ours, theirs = scanned(log), counted(log)
        found = dict(differences(ours, theirs))
        unexplained += sum(not name.startswith("=") for name in found)
        parts = ", ".join(f"{ours[name]:,} {name}" for name in ("read", "events", "rejects", "filtered"))
        print(
            f"{log.name}: {parts}; {'all counts equal' if not found else f'{len(found)} differ'}", flush=True
        )
        for name, said in found.items():
            print(f"    {name}: {said}", flush=True)
        kept.append({"log": log.name, "scan": ours, "differences": found})
    print(f"{len(logs)} logs, {unexplained} differences that rejected lines do not explain")
    if options.keep is not None:
        options.keep.write_text(json.dumps(kept, indent=1) + "\n")
    raise SystemExit(1 if unexplained else 0)


if __name__ == "__main__":
    main()
