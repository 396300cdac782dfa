"""Prints the OpenAPI document, from which the page's client is generated.

python -m logvision.web.openapi > frontend/openapi.json
"""

from __future__ import annotations

import json
import sys

from logvision.web.app import document


def main() -> None:
    json.dump(document().openapi(), sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
