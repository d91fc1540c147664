"""The verbs that prove: certify and certified-diagram."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from phasediagram.cli.options import (
    CHECK_FAILED,
    Parser,
    add_figure,
    add_json,
    add_size,
    answer,
    figure_path,
    hidden_dimensions,
    progress_bar,
    will_write,
    writable,
)

_SECONDS = 1.0  # between two lines about progress


def add_certify(verbs: argparse._SubParsersAction[Parser]) -> None:
    certify = verbs.add_parser(
        "certify",
        help="prove how low the loss can be at one point",
        description="Prove a lower bound of the loss that meets the lowest minimum found, for "
        "(2, 1) and (3, 2). Exit status 0 if the gap is closed, 1 if not.",
    )
    certify.add_argument(
        "--density", type=float, nargs="+", required=True, metavar="P",
        help="in (0, 1]; one, or one for each feature",
    )  # fmt: skip
    importances = certify.add_mutually_exclusive_group()
    importances.add_argument(
        "--relative-importance", type=float, default=1.0, metavar="R", help="default: 1"
    )
    importances.add_argument(
        "--importance", type=float, nargs="+", metavar="I", help="instead, one for each feature"
    )
    add_size(certify)
    certify.add_argument("--no-bias", action="store_true", help="all biases are 0")
    certify.add_argument(
        "--interference-penalty", type=float, default=0.0, metavar="L",
        help="factor of the sum of (W_i . W_j)^2 over i != j; default: 0",
    )  # fmt: skip
    certify.add_argument(
        "--gap", type=float, metavar="G",
        help="largest gap in units of the loss; default: 1e-9 for 2 features, 1e-6 for 3",
    )  # fmt: skip
    certify.add_argument(
        "--max-boxes", type=int, metavar="K", help="boxes of weights before giving up"
    )
    certify.add_argument(
        "-o", "--output", type=Path, metavar="FILE",
        help="a .gz file for the certificate, which "
        "'python -m phasediagram.certified.checker FILE' checks",
    )  # fmt: skip
    add_json(certify)
    certify.set_defaults(run=_certify)


def _certify(options: argparse.Namespace) -> int:
    from phasediagram.certified.certifying import MAX_BOXES, certify
    from phasediagram.files.documents import record

    path = None if options.output is None else writable(options.output, (".gz",))
    gap = options.gap if options.gap is not None else 1e-9 if options.features == 2 else 1e-6
    certificate = certify(
        options.density[0] if len(options.density) == 1 else options.density,
        options.relative_importance,
        options.features,
        hidden_dimensions(options),
        importance=options.importance,
        bias=not options.no_bias,
        interference_penalty=options.interference_penalty,
        gap=gap,
        max_boxes=MAX_BOXES if options.max_boxes is None else options.max_boxes,
        report=_reporter(will_write(path)) if path is not None or sys.stderr.isatty() else None,
    )
    lines = [str(certificate)]
    for number, region in enumerate(certificate.minimiser_within, start=1):
        low, high = region.gram_low.round(6).tolist(), region.gram_high.round(6).tolist()
        lines += [f"minimisers, region {number}: W^T W from {low}", f"{'to':>29} {high}"]
    wrote = [path] if path is not None and certificate.is_closed else []
    for kept in wrote:
        certificate.save(kept)
    answer(options, "\n".join(lines), lambda: record(certificate), wrote)
    return 0 if certificate.is_closed else CHECK_FAILED


def _reporter(says: str) -> Callable[[float, int, int], None]:
    """Return what says once on stderr which file waits, and on a terminal how wide the gap is."""
    last = time.monotonic()
    waiting = says

    def report(gap: float, examined: int, left: int) -> None:
        nonlocal last, waiting
        if time.monotonic() <= last + _SECONDS:
            return
        last = time.monotonic()
        if waiting:
            print(f"certifying: {waiting}", file=sys.stderr, flush=True)
            waiting = ""
        if sys.stderr.isatty():
            print(
                f"gap {gap:.1e} of the loss, {left} boxes left, {examined} examined",
                file=sys.stderr,
            )

    return report


def add_certified_diagram(verbs: argparse._SubParsersAction[Parser]) -> None:
    diagram = verbs.add_parser(
        "certified-diagram",
        help="a phase diagram whose regions are proved",
        description="Prove, cell by cell, what every global minimiser looks like for 2 features "
        "in 1 dimension, and draw it. Takes up to ten minutes.",
    )
    diagram.add_argument(
        "--undecided", type=float, default=0.005, metavar="SHARE",
        help="of the area that may stay undecided; default: %(default)s",
    )  # fmt: skip
    diagram.add_argument(
        "--seconds", type=float, default=600.0, help="time to stop after; default: %(default)s"
    )
    diagram.add_argument(
        "--penalty-range", type=float, nargs=2, metavar=("FROM", "TO"),
        help="an interference penalty instead of relative importance, which is then 1",
    )  # fmt: skip
    diagram.add_argument(
        "--directory", type=Path, help="where results are kept, to be continued from"
    )
    add_figure(diagram, "certified.png")
    add_json(diagram)
    diagram.set_defaults(run=_certified_diagram)


def _certified_diagram(options: argparse.Namespace) -> int:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from phasediagram.certified.planes.diagram import certified_diagram

    path = figure_path(options.output)
    # spawned: a forked copy of a process with threads, such as the bar's, can hang
    with (
        ProcessPoolExecutor(mp_context=get_context("spawn")) as executor,
        progress_bar("certifying", will_write(path, options.directory)) as progress,
    ):
        found = certified_diagram(
            interference_penalty=options.penalty_range and tuple(options.penalty_range),
            undecided=options.undecided,
            max_seconds=options.seconds,
            directory=options.directory,
            executor=executor,
            progress=progress,
        )
    from phasediagram.files.documents import record
    from phasediagram.plotting import paper_figure, plot_certified, save_figure

    shares = [f"{phase:<15} {share:8.3%}" for phase, share in found.shares(finer=True).items()]
    with paper_figure() as figure:
        plot_certified(found, figure.add_subplot())
    save_figure(figure, path)
    answer(options, "\n".join(shares), lambda: record(found), [path])
    return 0 if found.shares().get("undecided", 0.0) <= options.undecided else CHECK_FAILED
