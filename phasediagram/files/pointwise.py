"""Rows of tables for results at many points, for people."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasediagram.catalogue.configurations import ConfigurationMinimum
from phasediagram.certified.certificate import Certificate
from phasediagram.comparison.edges import EdgeDistances
from phasediagram.comparison.plateaus import STANDINGS, PlateauAgreement
from phasediagram.large.loss import LossWithError
from phasediagram.results.wording import number
from phasediagram.training.result import TrainingResult

Rows = tuple[list[str], list[list[str]]]

_MOST = 8  # points of which there is a row


def configuration_rows(minimum: ConfigurationMinimum) -> Rows:
    """Return the header and the first rows of a table of a configuration's minima."""
    norms = np.linalg.norm(minimum.W, axis=-2)
    places = list(np.ndindex(minimum.loss.shape))
    rows = [
        [_index(at), number(float(minimum.loss[at])), _short(norms[at]), _short(minimum.b[at])]
        for at in places[:_MOST]
    ]
    return ["point", "loss", "norms", "biases"], _with_rest(rows, len(places))


def loss_rows(loss: LossWithError) -> Rows:
    """Return the header and the first rows of a table of losses and their errors."""
    places = list(np.ndindex(loss.loss.shape))
    rows = [
        [_index(at), number(float(loss.loss[at])), f"{loss.error[at]:.1e}"] for at in places[:_MOST]
    ]
    return ["point", "loss", "error, at most"], _with_rest(rows, len(places))


def training_rows(runs: TrainingResult) -> Rows:
    """Return the header and the first rows of a table of the losses at which runs ended."""
    importance = np.broadcast_to(runs.relative_importance, runs.density.shape)
    places, rows = list(np.ndindex(runs.density.shape)), []
    for at in places[:_MOST]:
        loss = runs.loss[at][np.isfinite(runs.loss[at])]
        ended = (
            [number(float(value)) for value in (loss.min(), np.median(loss))] if loss.size else []
        )
        rows.append(
            [
                number(float(runs.density[at])),
                number(float(importance[at])),
                *(ended or ["none", "none"]),
                str(int(runs.diverged[at].sum())),
            ]
        )
    header = ["density", "relative importance", "lowest loss", "median loss", "diverged"]
    return header, _with_rest(rows, len(places))


def edge_rows(edges: EdgeDistances) -> Rows:
    """Return the header and the rows of a table of distances, in steps of the trained grid."""
    rows = []
    for name in ("boundary", "spinodal"):
        distances = getattr(edges, f"to_{name}")
        everywhere = getattr(edges, f"everywhere_to_{name}")
        if len(distances):
            within = f"{100 * (distances <= 1).mean():.0f} %"
            rows.append([name, f"{np.median(distances):.3g}", within, f"{everywhere:.3g}"])
    return ["to the nearest", "median", "within one step", "median of all gaps"], rows


def plateau_rows(agreement: PlateauAgreement) -> Rows:
    """Return the header and the first rows of a table of where trained features settled."""
    rows = [
        [
            number(float(agreement.density[k])),
            number(float(agreement.loss[k])),
            number(float(agreement.lowest[k])),
            *(f"{100 * share:.0f} %" for share in agreement.shares()[k]),
        ]
        for k in range(min(len(agreement.density), _MOST))
    ]
    header = ["density", "loss", "lowest sum of groups", *STANDINGS]
    return header, _with_rest(rows, len(agreement.density))


def certificate_rows(certificate: Certificate) -> Rows:
    """Return the header and the rows of a table of where every global minimiser lies."""
    rows = [
        [str(k), _bounds(region.gram_low), _bounds(region.gram_high)]
        for k, region in enumerate(certificate.minimiser_within, start=1)
    ]
    return ["region of minimisers", "WᵀW from", "to"], rows


def _with_rest(rows: list[list[str]], count: int) -> list[list[str]]:
    more = count - len(rows)
    return [*rows, ["", f"and {more} more", *[""] * (len(rows[0]) - 2)]] if more else rows


def _index(at: tuple[int, ...]) -> str:
    return ", ".join(map(str, at))


def _short(values: NDArray[Any]) -> str:
    return " ".join(f"{round(float(value), 4) + 0.0:.4f}" for value in values)


def _bounds(gram: NDArray[Any]) -> str:
    return "; ".join(" ".join(f"{value:.6g}" for value in row) for row in np.atleast_2d(gram))
