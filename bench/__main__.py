"""Prints one JSON object a line. Choose parts by name: `python -m bench ingest backlog`; all of them without a name."""

import argparse
import json
import os
import platform
from pathlib import Path

from bench import backlog, ingest, library, pages, reports

PARTS = {
    "ingest": ingest.run,
    "backlog": backlog.run,
    "pages": pages.run,
    "library": library.run,
    "reports": reports.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="part", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, to see that it runs")
    chosen = parser.parse_args()
    where: dict[str, object] = {
        "bench": "machine",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    out(where)
    for name in chosen.parts or PARTS:
        PARTS[name](out, scale=0.1 if chosen.quick else 1.0)


def out(line: dict[str, object]) -> None:
    text = json.dumps(line, ensure_ascii=False)
    print(text, flush=True)
    if keep := os.environ.get("BENCH_OUT"):
        with Path(keep).open("a") as handle:
            handle.write(text + "\n")


if __name__ == "__main__":
    main()
