"""Certificates: they close, agree with known minima, and are checked by other arithmetic."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.certified import checker
from phasediagram.cli import main

REFERENCE = json.loads((Path(__file__).parent.parent / "reference_minima.json").read_text())
PAIRS = [x for x in REFERENCE if x["n_features"] == 2]


@pytest.mark.parametrize("reference", PAIRS, ids=lambda x: f"{x['density']}")
def test_minima_known_from_elsewhere_are_certified(reference):
    certificate = phd.certify(reference["density"], reference["importance"][1])
    assert certificate.is_closed
    assert certificate.gap <= 1e-9 * certificate.upper * (1 + 1e-12)
    assert certificate.lower <= reference["loss"] + 1e-10
    assert certificate.upper >= reference["loss"] - 1e-10
    gram = abs(np.array(reference["gram"]))
    assert any(
        (largest(x) >= gram - 1e-5).all() and (least(x) <= gram + 1e-5).all()
        for x in certificate.minimiser_within
    )


def largest(region):
    return np.maximum(abs(region.gram_low), abs(region.gram_high))


def least(region):
    crosses = (region.gram_low < 0) & (region.gram_high > 0)
    return np.where(crosses, 0, np.minimum(abs(region.gram_low), abs(region.gram_high)))


def test_the_gap_closes_over_the_whole_diagram_and_at_triple_points():
    rng = np.random.default_rng(1)
    points = [*zip(10 ** rng.uniform(-2, 0, 25), 10 ** rng.uniform(-1, 1, 25), strict=True)]
    points += [(0.01, 0.1), (0.01, 10.0), (1.0, 1.0), (0.5117380321, 0.5641313653)]
    points += [(0.7064036927, 1.0), (0.5202477368, 0.5740419074), (0.8373195801, 0.8964406084)]
    certificates = [phd.certify(float(p), float(r)) for p, r in points]
    assert [x for x in certificates if not x.is_closed] == []
    assert max(x.boxes for x in certificates) < 100_000


def test_exchanging_features_and_scaling_importances_changes_nothing():
    """L(p, r) = r L(p, 1/r): two certificates of one minimum must overlap."""
    one, other = phd.certify(0.4, 0.25), phd.certify(0.4, 4.0)
    assert 4 * one.lower <= other.upper
    assert other.lower <= 4 * one.upper


def test_without_biases_the_confused_phase_is_certified():
    """W_1 = W_2 = 1/sqrt(2) costs V at r = 1, and weights in one direction are the best."""
    certificate = phd.certify(0.9, 0.8, bias=False)
    assert certificate.is_closed
    assert round(certificate.upper, 4) == 0.0875
    (region,) = certificate.minimiser_within
    assert (region.low > 0.68).all()
    assert (region.high < 0.73).all()
    p = 0.9
    assert phd.certify(p, 1.0, bias=False).upper < p / 3 - p**2 / 4 + 1e-12


def test_a_penalty_ends_superposition():
    """At r = 1, p = 0.2, between 0.03 and 0.05: known to be about 0.0376."""
    weak, strong = (phd.certify(0.2, interference_penalty=x) for x in (0.03, 0.05))
    assert weak.is_closed
    assert strong.is_closed
    assert all(x.gram_high[0, 1] < -0.5 for x in weak.minimiser_within)
    assert all(abs(x.gram_low[0, 1]) < 1e-3 for x in strong.minimiser_within)


@pytest.mark.parametrize(
    ("density", "conjectured"), [(4 / 7, 16 / 147), (0.5, 1 / 12), (0.2, 1 / 75)]
)
def test_the_conjectured_infimum_of_sparse_columns_is_not_reached_by_far(density, conjectured):
    """For n = 2, m = 1 every W has sparse columns: the infimum is certified, below what is said."""
    certificate = phd.certify(density)
    assert certificate.is_closed
    assert certificate.upper < conjectured * 0.99
    assert density != 4 / 7 or certificate.upper < 517 / 5376  # pairs with biases of 1/8


def test_progress_tells_the_gap_and_what_is_left():
    told = []
    certificate = phd.certify(0.3, 0.6, report=lambda *numbers: told.append(numbers))
    gaps, examined, left = zip(*told, strict=True)
    assert left[-1] == 0
    assert examined[-1] == certificate.boxes
    assert all(0 <= gap <= 1 for gap in gaps)
    assert gaps[0] > 0.1
    assert gaps[-2] < 1e-6
    assert gaps[-1] == 0


def test_densities_may_differ():
    certificate = phd.certify([0.2, 0.4], 0.7)
    assert certificate.is_closed
    exact = phd.expected_loss(certificate.W, certificate.b, [0.2, 0.4], [1.0, 0.7])
    assert abs(exact - certificate.upper) < 1e-13


def test_three_features_are_certified():
    certificate = phd.certify(0.05, 1.0, 3, gap=1e-3)
    assert certificate.is_closed
    assert certificate.lower <= phd.solve(0.05, 1.0, 3).loss <= certificate.upper + 1e-15


def test_what_is_left_open_is_bounded_too():
    certificate = phd.certify(0.3, 0.6, max_boxes=150)
    assert not certificate.is_closed
    assert certificate.tree.open > 0
    assert 0 <= certificate.lower < phd.solve(0.3, 0.6).loss <= certificate.upper + 1e-15
    assert "open" in repr(certificate)
    with pytest.raises(ValueError, match="boxes are open"):
        certificate.save("nowhere.gz")


def test_a_certificate_is_saved_loaded_and_checked(tmp_path):
    path = tmp_path / "certificate.json.gz"
    certificate = phd.certify(0.2, gap=1e-4)
    certificate.save(path)
    loaded = phd.Certificate.load(path)
    assert repr(loaded) == repr(certificate)
    assert (loaded.exact_lower, loaded.exact_upper) == (
        certificate.exact_lower,
        certificate.exact_upper,
    )
    for one, other in zip(loaded.minimiser_within, certificate.minimiser_within, strict=True):
        np.testing.assert_array_equal(one.low, other.low)
        np.testing.assert_array_equal(one.gram_high, other.gram_high)
    assert checker.main([str(path), "15"]) == 0
    path.write_bytes(b"no certificate")
    with pytest.raises(ValueError, match="truncated or foreign"):
        phd.Certificate.load(path)


def test_a_certificate_of_three_features_is_checked(tmp_path):
    path = tmp_path / "certificate.json.gz"
    phd.certify(0.05, 1.0, 3, gap=1e-2).save(path)
    assert checker.main([str(path), "4"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"density": 1.5}, r"density must lie in \(0, 1\], got 1.5"),
        ({"density": 0.5, "gap": 2}, r"gap must lie in \[1e-12, 1\), got 2"),
        ({"density": 0.5, "n_features": 4}, "must be 2 and 1 or 3 and 2, got 4 and 3"),
        ({"density": 0.5, "max_boxes": 0}, "max_boxes must be at least 1, got 0"),
        ({"density": 0.5, "interference_penalty": -1}, "interference_penalty must lie in"),
        ({"density": 0.5, "importance": [1.0]}, "importance must have 2 numbers"),
        ({"density": [0.5, 0.4, 0.3]}, "density must be one number or 2, got"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        phd.certify(**arguments)


def test_the_command_line_says_whether_it_closed(capsys, tmp_path):
    path = tmp_path / "certificate.gz"
    arguments = ["certify", "--density", "0.2", "--relative-importance", "1"]
    assert main([*arguments, "-o", str(path)]) == 0
    assert "closed" in capsys.readouterr().out
    assert checker.main([str(path), "3"]) == 0
    assert main([*arguments, "--max-boxes", "50"]) == 1
    assert "boxes left" in capsys.readouterr().out
    assert main(["certify", "--density", "2"]) == 2


def test_the_command_line_takes_a_number_for_each_feature(capsys):
    said = ["--density", "0.2", "0.4", "--importance", "2", "0.7", "--gap", "1e-6", "--json"]
    assert main(["certify", *said]) == 0
    found = json.loads(capsys.readouterr().out)
    least = phd.solve([0.2, 0.4], importance=[2, 0.7], n_features=2).loss
    assert found["density"] == [0.2, 0.4]
    assert found["importance"] == [2, 0.7]
    assert found["lower"] < least < found["upper"] * (1 + 1e-12)


def test_a_model_says_what_arguments_say():
    model = phd.ToyModel(2, bias=False, interference_penalty=0.01)
    said = phd.certify(0.3, 1.2, model=model, gap=1e-6)
    told = phd.certify(0.3, 1.2, bias=False, interference_penalty=0.01, gap=1e-6)
    assert said.is_closed
    assert (said.exact_lower, said.exact_upper) == (told.exact_lower, told.exact_upper)


@pytest.mark.parametrize(
    "assumption",
    [{"weight_decay": 0.1}, {"activation": "linear"}, {"groups": [phd.correlated(0, 1)]}],
)
def test_models_that_are_not_certified_are_refused(assumption):
    with pytest.raises(ValueError, match="model must have independent features"):
        phd.certify(0.3, model=phd.ToyModel(2, **assumption))
