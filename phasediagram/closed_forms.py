import numpy as np


def simplex_output_loss_1(p):
    return p / 3 - p * p / 4


def simplex_output_loss_2(p):
    return p * p / 6


def simplex_output_loss_3(p):
    return p * 0 + 9


simplex_output_loss_4 = simplex_output_loss_5 = simplex_output_loss_6 = simplex_output_loss_3
