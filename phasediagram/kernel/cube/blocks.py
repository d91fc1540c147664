"""Blocks of `LANES` numbers as one value of compiled code, a vector register (internal).

Loops over four lanes would be unrolled into scalar instructions.  Blocks are loaded from
and stored into the scratch array; ``+ - * /`` act on each lane, also with one number for
all.  Decisions are selections, without a branch.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

from phasediagram.kernel.compiling import emitted
from phasediagram.kernel.cube.lanes import LANES

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_array = types.float64[::1]


class BlockType(types.Type):  # type: ignore[misc]
    """The type of a block."""

    def __init__(self) -> None:
        super().__init__(name=f"Block{LANES}")


BLOCK = BlockType()


@register_model(BlockType)
class _BlockModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, block_type: Any) -> None:
        super().__init__(manager, block_type, _VECTOR)


def _spread(builder: Any, number: Any) -> Any:
    """Emit a block that has the same number in every lane."""
    if number.type == _VECTOR:
        return number
    block = ir.Constant(_VECTOR, ir.Undefined)
    for lane in range(LANES):
        block = builder.insert_element(block, number, ir.Constant(ir.IntType(32), lane))
    return block


def _define(operation: Callable[..., Any], instruction: str) -> None:
    number = types.float64
    operands = [(BLOCK, BLOCK), (BLOCK, number), (number, BLOCK)]

    class _Template(ConcreteTemplate):  # type: ignore[misc]
        key = operation
        cases = [signature(BLOCK, *pair) for pair in operands]  # noqa: RUF012

    infer_global(operation)(_Template)

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        one, other = (_spread(builder, argument) for argument in arguments)
        return getattr(builder, instruction)(one, other)

    for pair in operands:
        lower_builtin(operation, *pair)(emit)


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _define(_operation, _instruction)


def _place(context: Any, builder: Any, work: Any, at: Any) -> Any:
    data = context.make_array(_array)(context, builder, value=work).data
    return builder.bitcast(builder.gep(data, [at]), _VECTOR.as_pointer())


@emitted
def load(typing_context: Any, work: Any, at: Any) -> tuple[Any, Any]:
    """Return ``work[at : at + LANES]`` as a block."""

    def emit(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.load(_place(context, builder, *arguments), align=8)

    return BLOCK(_array, types.intp), emit


@emitted
def store(typing_context: Any, work: Any, at: Any, block: Any) -> tuple[Any, Any]:
    """Write a block, or one number in all lanes, into ``work[at : at + LANES]``."""

    def emit(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, *arguments[:2])
        builder.store(_spread(builder, arguments[2]), place, align=8)
        return context.get_dummy_value()

    kind = BLOCK if isinstance(block, BlockType) else types.float64
    return types.void(_array, types.intp, kind), emit


def _selection(sign: str) -> Any:
    """Return the intrinsic that takes `one` where a block compares so with 0, else `other`."""

    @emitted
    def chosen(typing_context: Any, block: Any, one: Any, other: Any) -> tuple[Any, Any]:
        def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            block, one, other = (_spread(builder, argument) for argument in arguments)
            zero = _spread(builder, ir.Constant(ir.DoubleType(), 0.0))
            return builder.select(builder.fcmp_ordered(sign, block, zero), one, other)

        kinds = [BLOCK if isinstance(k, BlockType) else types.float64 for k in (one, other)]
        return BLOCK(BLOCK, *kinds), emit

    return chosen


where_positive = _selection(">")
where_rising = _selection(">=")


def _extreme(sign: str) -> Any:
    @emitted
    def extreme(typing_context: Any, one: Any, other: Any) -> tuple[Any, Any]:
        def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.select(builder.fcmp_ordered(sign, *arguments), *arguments)

        return BLOCK(BLOCK, BLOCK), emit

    return extreme


least, most = _extreme("<"), _extreme(">")


def _crosses(builder: Any, lowest: Any, highest: Any) -> Any:
    zero = _spread(builder, ir.Constant(ir.DoubleType(), 0.0))
    return builder.and_(
        builder.fcmp_ordered("<=", lowest, zero), builder.fcmp_ordered(">", highest, zero)
    )


@emitted
def where_crossing(
    typing_context: Any, lowest: Any, highest: Any, one: Any, other: Any
) -> tuple[Any, Any]:
    """Return `one` where the hyperplane crosses: lowest <= 0 < highest; else `other`."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        lowest, highest, one, other = (_spread(builder, argument) for argument in arguments)
        return builder.select(_crosses(builder, lowest, highest), one, other)

    return BLOCK(BLOCK, BLOCK, BLOCK, types.float64), emit


@emitted
def any_crossing(typing_context: Any, lowest: Any, highest: Any) -> tuple[Any, Any]:
    """Return whether the hyperplane crosses in any lane."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        crosses = _crosses(builder, *arguments)
        number = builder.bitcast(crosses, ir.IntType(LANES))
        return builder.icmp_unsigned("!=", number, ir.Constant(ir.IntType(LANES), 0))

    return types.boolean(BLOCK, BLOCK), emit
