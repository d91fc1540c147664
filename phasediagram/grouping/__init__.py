"""Which orthogonal groups of features cost least, at which density.

`searching` finds the minima of one group, `families` follows them over density, `mixtures`
chooses how many of each, `stability` asks whether their sum is a minimum of the whole model,
`solving` has what users call and `result` what they get.
"""
