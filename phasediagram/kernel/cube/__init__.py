"""The outputs' expected squared errors, integrated over the faces of the unit cube.

`general` does it for any number of features; `rows_2` and `rows_3` are straight-line code
for two and three, written by derivations/kernels.py.
"""
