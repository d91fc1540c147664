"""``python -m derivations``: check every derivation and print a table."""

from __future__ import annotations

import sys
from collections.abc import Callable

from derivations import derive, names
from derivations.derivation import CheckResult
from derivations.report import check_lines, summary


def check_all(echo: Callable[[str], None] = print) -> bool:
    """Run every check of every derivation, print each table as it comes.

    Returns
    -------
    bool
        Whether all passed.
    """
    results: list[CheckResult] = []
    for name in names():
        found = derive(name).check()
        results.extend(found)
        echo(check_lines(name, found))
    echo(summary(results))
    return all(result.passed for result in results)


if __name__ == "__main__":
    sys.exit(0 if check_all() else 1)
