"""The generated module is what the derivations give, byte for byte, and computes it."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import phasediagram as phd
from derivations import codegen
from phasediagram import closed_forms

GENERATED = Path(closed_forms.__file__)


def test_closed_forms_are_regenerated_byte_for_byte():
    assert codegen.generate().encode() == GENERATED.read_bytes()


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_the_text_does_not_depend_on_the_hash_seed(tmp_path, hash_seed):
    path = tmp_path / "closed_forms.py"
    subprocess.run(
        [sys.executable, "-m", "derivations.codegen", str(path)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=True,
        cwd=GENERATED.parent.parent,
    )
    assert path.read_bytes() == GENERATED.read_bytes()


def test_a_changed_derivation_changes_the_text(monkeypatch):
    wrong = codegen.canonical_output_loss
    monkeypatch.setattr(codegen, "canonical_output_loss", lambda k: 2 * wrong(k))
    assert codegen.generate().encode() != GENERATED.read_bytes()


def test_every_public_function_is_documented_and_broadcasts():
    rng = np.random.default_rng(0)
    for name in closed_forms.__all__:
        function = getattr(closed_forms, name)
        assert "Source: derivation" in function.__doc__
        parameters = list(inspect.signature(function).parameters)
        if not parameters:
            assert function().dtype == np.float64
            continue
        values = [rng.uniform(0.3, 0.6, (3, 1)) for _ in parameters]
        values[-1] = rng.uniform(0.3, 0.6, (1, 4))
        result = function(*values)
        assert result.dtype == np.float64
        assert result.shape == (3, 4) if len(parameters) > 1 else (1, 4)
        for parameter in parameters:
            assert f"    {parameter} : array_like" in function.__doc__


def random_parameters(count, seed):
    rng = np.random.default_rng(seed)
    p, r = rng.uniform(0.02, 1, count), 10 ** rng.uniform(-1, 1, count)
    a, c = rng.uniform(0.4, 1.3, (2, count))
    b_other, b_extra = rng.uniform(-0.5, 0.6, (2, count))
    return p, r, a, c, b_other, b_extra


def exact(W, b, p, r):
    W, b = np.moveaxis(np.array(W), -1, 0), np.moveaxis(np.array(b), -1, 0)
    importance = np.ones((len(p), b.shape[-1]))
    importance[:, -1] = r
    return phd.expected_loss(W, b, p[:, None], importance)


def test_free_pairs_agree_with_the_cancellation_free_loss():
    p, r, a, c, b_other, b_extra = random_parameters(500, 1)
    loss = closed_forms.antipodal_loss(p, r, a, c, b_other, b_extra)
    np.testing.assert_allclose(loss, exact([[a, -c]], [b_other, b_extra], p, r), rtol=1e-11)
    equal = closed_forms.antipodal_equal_loss(p, r, a, b_other, b_extra)
    np.testing.assert_allclose(equal, exact([[a, -a]], [b_other, b_extra], p, r), rtol=1e-11)


def test_free_ignored_and_dedicated_agree_with_the_cancellation_free_loss():
    p, r, a, c, b_other, b_extra = random_parameters(500, 2)
    zero = np.zeros_like(p)
    ignored = closed_forms.ignored_loss(p, r, a, b_other, b_extra)
    np.testing.assert_allclose(ignored, exact([[a, zero]], [b_other, b_extra], p, r), rtol=1e-11)
    dedicated = closed_forms.dedicated_loss(p, r, c, b_other, b_extra)
    np.testing.assert_allclose(dedicated, exact([[zero, c]], [b_other, b_extra], p, r), rtol=1e-11)
    alone = closed_forms.dedicated_output_loss(p, a, b_other)
    np.testing.assert_allclose(alone, exact([[a]], [b_other], p, 1.0), rtol=1e-11)


def test_free_triples_agree_with_the_cancellation_free_loss():
    p, r, a, c, b_other, b_extra = random_parameters(500, 3)
    zero = np.zeros_like(p)
    rng = np.random.default_rng(4)
    u = rng.uniform(0.2, 0.6, 500)
    sine = np.sqrt(1 - u * u)
    W = [[a * u, a * u, -c], [a * sine, -a * sine, zero]]
    loss = closed_forms.triangle_loss(p, r, a, c, u, b_other, b_extra)
    np.testing.assert_allclose(loss, exact(W, [b_other, b_other, b_extra], p, r), rtol=1e-8)
    s, b = rng.uniform(0.5, 1.2, 500), rng.uniform(-0.3, 0.3, 500)
    pair = closed_forms.others_antipodal_loss(p, r, a, c, b_other, b_extra, s, b)
    W = [[a, -c, zero], [zero, zero, s]]
    np.testing.assert_allclose(pair, exact(W, [b_other, b_extra, b], p, r), rtol=1e-11)


def test_boundaries_are_nan_where_no_positive_importance_solves_them():
    with np.errstate(all="raise"):
        boundary = closed_forms.ignored_antipodal_boundary([0.5, 0.8, 0.9])
    np.testing.assert_allclose(boundary, [2 / 3, np.nan, np.nan])
    np.testing.assert_array_equal(closed_forms.ignored_dedicated_boundary([0.1, 1.0]), 1.0)
    assert closed_forms.dedicated_others_antipodal_boundary_density() == 4 / 7
    np.testing.assert_array_equal(closed_forms.canonical_meeting_point(), [4 / 7, 1.0])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: closed_forms.ignored_stability_limit(1.2),
            r"density must lie in \(0, 1\], got 1.2",
        ),
        (lambda: closed_forms.aligned_limit([0.5, 0.0]), r"density .* got 0.0"),
        (
            lambda: closed_forms.triangle_canonical_loss(0.5, -1),
            "relative_importance must be",
        ),
        (lambda: closed_forms.antipodal_canonical_loss("a", 1), "density must consist of real"),
        (
            lambda: closed_forms.dedicated_output_loss(0.5, 0, 0),
            "scale must be finite and",
        ),
        (
            lambda: closed_forms.dedicated_output_loss(0.5, 1, np.nan),
            "bias must be finite",
        ),
        (lambda: closed_forms.triangle_loss(0.5, 1, 1, 1, 1, 0, 0), "cosine must lie strictly"),
        (
            lambda: closed_forms.ignored_canonical_loss([0.5, 0.4], [1.0, 2.0, 3.0]),
            r"density, relative_importance must broadcast, got shapes \(2,\), \(3,\)",
        ),
    ],
)
def test_arguments_outside_their_ranges_are_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_every_closed_form_checks_every_argument():
    for name in closed_forms.__all__:
        function = getattr(closed_forms, name)
        parameters = list(inspect.signature(function).parameters)
        for wrong in parameters:
            values = [np.nan if parameter == wrong else 0.5 for parameter in parameters]
            with pytest.raises(ValueError, match=f"{wrong} must"):
                function(*values)
