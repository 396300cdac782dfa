"""`python -m logvision`: the command line."""

from __future__ import annotations

from logvision.cli import main

main()
