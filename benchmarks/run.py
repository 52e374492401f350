"""Run the benchmarks that are named, or all but `large` and `batch`, and write their rows into README.md.

python benchmarks/run.py [name ...]
"""

import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from project import use_plain_environment
from rows import NAMES, merged

README = Path(__file__).with_name("README.md")
ON_REQUEST = {"large", "batch"}


def main(names: list[str]) -> int:
    """Run benchmarks one after another; return 1 where a limit was missed, 2 for a name that there isn't."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    use_plain_environment()
    missed = 0
    for name in names or [name for name in NAMES if name not in ON_REQUEST]:
        print(f"{name} ...", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="handrail-", ignore_cleanup_errors=True) as folder:
            rows = import_module(name).measure(Path(folder).resolve())
        for row in rows:
            print(f"  {row.what}: {row.result} ({row.verdict})", file=sys.stderr)
        missed += sum(row.kept is False for row in rows)
        text = README.read_text(encoding="utf-8")
        README.write_text(merged(text, name, rows, conditions()), encoding="utf-8", newline="\n")
    return int(missed > 0)


def conditions() -> str:
    """Return the day, the Python and the machine's cores, for a cell of the table."""
    return f"{datetime.now(UTC):%Y-%m-%d}, {platform.python_version()}, {os.cpu_count()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
