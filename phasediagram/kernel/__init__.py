"""The exact loss and its derivatives, compiled.

`packing` evaluates a state x = (W, b) with any table of probabilities of the sets of
active features; `rows` gives the part that integrates over the cube for one size;
`loss` holds the public functions.  Nothing is compiled, nor numba imported, before one
of these modules is.
"""
