"""Options that say what is assumed: the model, the axes, and at what the rest is held."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from phasediagram.toymodel.axes import Axis
    from phasediagram.toymodel.models import ToyModel

_LINEAR = ("correlation", "follow")  # axes that are never logarithmic
_AXES = (
    "density, relative_importance, relative_density, density[i], importance[i], "
    "interference_penalty, weight_decay, correlation or follow"
)


def add_model(verb: argparse.ArgumentParser) -> None:
    """Add what the model is."""
    group = verb.add_argument_group("other assumptions than the paper's")
    group.add_argument("--no-bias", action="store_true", help="b = 0")
    group.add_argument(
        "--activation", default="relu", choices=["relu", "linear"], help="default: %(default)s"
    )
    group.add_argument(
        "--interference-penalty",
        type=float,
        default=0.0,
        metavar="L",
        help="add L times the sum of (W_i . W_j)^2 over i != j",
    )
    group.add_argument(
        "--weight-decay", type=float, default=0.0, metavar="M", help="add M |W|^2 to the loss"
    )
    for kind, what in (
        ("correlated", "are active together"),
        ("anticorrelated", "are active one at a time"),
        ("hierarchical", "are a primary and a secondary one"),
    ):
        group.add_argument(
            f"--{kind}",
            action="append",
            default=[],
            type=int,
            nargs="+",
            metavar="I",
            help=f"these features, counted from 0, {what}; can be repeated",
        )


def add_held(verb: argparse.ArgumentParser) -> None:
    """Add at what numbers the rest is held."""
    group = verb.add_argument_group("what the axes do not change")
    group.add_argument(
        "--held-density", type=float, nargs="+", metavar="P", help="one, or one for each feature"
    )
    group.add_argument(
        "--importance", type=float, nargs="+", metavar="I", help="one for each feature; default: 1"
    )
    group.add_argument(
        "--relative-density",
        type=float,
        default=1.0,
        metavar="D",
        help="the last feature's density over that of the others; default: 1",
    )


def add_axes(verb: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    """Add the axes."""
    for name in names:
        verb.add_argument(
            f"--{name}",
            nargs=3,
            metavar=("NAME", "FROM", "TO"),
            help=f"what varies along {name}: {_AXES}; logarithmic unless it starts at 0",
        )


def is_assumed(options: argparse.Namespace) -> bool:
    """Whether anything but the paper's model on the paper's axes is asked for."""
    axes = any(getattr(options, name, None) for name in ("x", "y"))
    held = any(getattr(options, name, None) for name in ("held_density", "importance"))
    other_ratio = getattr(options, "relative_density", 1.0) != 1.0
    return axes or held or other_ratio or not model_of(options).is_standard


def model_of(options: argparse.Namespace) -> ToyModel:
    """Return the model that the options describe."""
    from phasediagram.cli.options import hidden_dimensions
    from phasediagram.toymodel.models import ToyModel, anticorrelated, correlated, hierarchical

    groups = [correlated(*members) for members in options.correlated]
    groups += [anticorrelated(*members) for members in options.anticorrelated]
    for members in options.hierarchical:
        if len(members) != 2:
            raise ValueError(f"--hierarchical needs two features, got {len(members)}")
        groups.append(hierarchical(*members))
    return ToyModel(
        options.features,
        hidden_dimensions(options),
        bias=not options.no_bias,
        activation=options.activation,
        groups=tuple(groups),
        interference_penalty=options.interference_penalty,
        weight_decay=options.weight_decay,
    )


def axis_of(name: str, given: list[str], points: int) -> Axis:
    """Return the axis of an option."""
    from phasediagram.toymodel.axes import Axis

    quantity, *ends = given
    try:
        start, stop = map(float, ends)
    except ValueError:
        raise ValueError(f"--{name} needs a name and two numbers, got {' '.join(given)}") from None
    scale = "linear" if start == 0 or quantity in _LINEAR else "log"
    return Axis(quantity, start, stop, scale, points)


def held_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments that say at what the rest is held."""
    held: dict[str, Any] = {"relative_density": options.relative_density}
    if options.held_density is not None:
        several = len(options.held_density) > 1
        held["density"] = options.held_density if several else options.held_density[0]
    if options.importance is not None:
        several = len(options.importance) > 1
        held["importance"] = options.importance if several else options.importance[0]
    return held
