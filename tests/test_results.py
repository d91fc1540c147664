"""What every result can do: print an answer, compare, refuse changes, show itself, be drawn."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import re

import matplotlib.axes
import numpy as np
import pytest

import phasediagram as phd
from phasediagram import values

P, R = np.geomspace(1, 0.05, 4), np.array([0.2, 0.9, 5.0])


def boundaries():
    curve = np.array([0.2, 0.3]), np.array([0.1, 0.2])
    first = phd.Boundary(*curve, ("ignored", "antipodal"), 1, "equilibrium", np.array([0.1, 0.2]))
    spinodal = phd.Boundary(*curve, ("ignored",), None, "spinodal")
    point = phd.SpecialPoint(0.25, 0.15, "triple point", ("ignored", "partial", "antipodal"))
    return phd.PhaseBoundaries((first, spinodal), (point,), 2, 1, "free")


def runs():
    return phd.train(P[:, None], R, seeds=2, steps=300, optimizer="exact", record=[0, 100])


def regions():
    """Two halves: at r = 1, where features are dense, one is represented and the other is not."""
    curve = phd.Boundary(
        np.geomspace(0.85, 0.95, 3), np.ones(3), ("ignored", "dedicated"), 1, "equilibrium"
    )
    window = {"density": (0.85, 0.95), "relative_importance": (0.5, 2.0)}
    return phd.phase_regions(phd.PhaseBoundaries((curve,), (), 2, 1, "free"), **window)


def groups():
    return phd.find_groups((0.2, 0.25), max_features=5, max_hidden=2, searched=[0.22], starts=20)


MAKE = {
    "Solution": lambda: phd.solve(0.55, 0.66),
    "PhaseDiagram": lambda: phd.phase_diagram(P, R),
    "PhaseBoundaries": boundaries,
    "PhaseRegions": regions,
    "Geometry": lambda: phd.geometry([0.2, 0.25], 5, 2, groups=groups()),
    "GroupCatalogue": groups,
    "LossSection": lambda: phd.loss_section(0.55, [0.6, 0.65, 0.7]),
    "TrainingResult": runs,
    "Agreement": lambda: phd.compare(phd.phase_diagram(P, R), runs()),
    "Basins": lambda: phd.basin_probabilities(0.5, 0.5, runs=20, steps=3000),
    "EdgeDistances": lambda: phd.edge_distances(runs(), boundaries()),
    "ConfigurationMinimum": lambda: phd.configurations(2, 1)[2].minimize(P, 0.5),
    "CertifiedDiagram": lambda: phd.certified_diagram(
        density=(0.02, 0.1), relative_importance=(0.5, 2.0), undecided=0.5
    ),
    "Certificate": lambda: phd.certify(0.2),
    "PlateauAgreement": lambda: phd.compare_geometry(
        phd.train([0.2, 0.25], model=phd.ToyModel(5, 2), steps=3000, optimizer="exact"), groups()
    ),
    "LossWithError": lambda: phd.expected_loss_with_error(
        [[[1.0, -0.9]], [[1.0, 0.0]]], [0.0, 0.1], 0.4
    ),
}
# what `print` must answer
SAYS = {
    "Solution": r"partial, loss 0\.07094786068; next antipodal, 0\.297 % higher",
    "PhaseDiagram": r"4 x 3 points, n = 2, m = 1, free weights\n  density 0\.05 to 1, relative "
    r"importance 0\.2 to 5\n  .*antipodal \d+\.\d %",
    "PhaseBoundaries": r"1 boundary \(1 first order, 0 continuous\), 1 spinodal, 4 points\n.*\n"
    r"  special points: 1 triple point\n  unresolved: nothing",
    "PhaseRegions": r"2 regions, n = 2, m = 1\n  density 0\.85 to 0\.95, relative importance 0\.5 "
    r"to 2\n  (ignored|dedicated) 50\.0 %, (ignored|dedicated) 50\.0 %",
    "Geometry": r"1 pentagon at density 0\.2; 1 transition up to 0\.25\n.*\n  1 pentagon \| "
    r"1 ignored, 2 antipodal at 0\.22487544\d+, first order",
    "GroupCatalogue": r"\d+ groups of at most 5 features in 2 dimensions\n  density 0\.2 to 0\.25",
    "LossSection": r"\d minima at 3 points, n = 2, m = 1\n  density 0\.55, relative importance 0\.6"
    r" to 0\.7\n.*\n  ignored \| partial at 0\.6084939\d+, continuous",
    "TrainingResult": r"24 runs, 2 at each of 4 x 3 points, n = 2, m = 1\n.*\n  exact, 300 steps",
    "Agreement": r"24 runs at 4 x 3 points.*\n.*global \d+\.\d %.*\n.*\n  no run is below",
    "Basins": r"20 runs \(exact, 3000 steps\) at density 0\.5, relative importance 0\.5.*\n"
    r"  ignored +\d+\.\d % ± \d+\.\d %  loss 0\.0520833",
    "EdgeDistances": r"\d+ edges?; in steps of the trained grid",
    "ConfigurationMinimum": r"4 points, loss 0\.\d+ to 0\.\d+\n",
    "CertifiedDiagram": r"superposed 100\.0 %",
    "PlateauAgreement": r"2 networks, density 0\.2 to 0\.25; within 0\.02\n"
    r"  0\.2: \d+ % equilibrium",
    "LossWithError": r"0\.\d+ to 0\.\d+ at 2 points, wrong by at most \d\.\de-\d\d",
    "Certificate": r"0\.0131845552\d+ <= least loss <= 0\.0131845552",
}
DRAWN = {
    "PhaseDiagram", "PhaseBoundaries", "PhaseRegions", "LossSection", "TrainingResult",
    "Agreement", "CertifiedDiagram", "Geometry",
}  # fmt: skip


@pytest.fixture(scope="module", params=MAKE)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def result(name):
    return MAKE[name]()


def test_no_type_of_result_is_left_out():
    """All public dataclasses that are results, and none besides."""
    public = (getattr(phd, name) for name in phd.__all__ if name != "__version__")
    results = {
        kind.__name__
        for kind in public
        if isinstance(kind, type) and issubclass(kind, values.Result)
    }
    assert results == set(MAKE)
    assert {name for name in MAKE if issubclass(getattr(phd, name), values.DrawnResult)} == DRAWN


def test_what_public_functions_return_is_a_result():
    """What they return can be saved, shown and compared, unless it is numbers or a question."""
    questions = {"Group", "Configuration"}  # which results are the answers to
    questions |= {"GeometryTransition"}  # a part of one, as of Geometry.transitions
    others = {"Array", "NDArray", "tuple", "str", "np", "None"}
    others |= {"Axes", "xarray", "Dataset", "Result"}  # of other packages; any result
    returned = set()
    for name in phd.__all__:
        function = getattr(phd, name)
        if inspect.isfunction(function):
            annotation = str(inspect.signature(function).return_annotation)
            returned |= set(re.findall(r"[A-Za-z]\w+", annotation)) - {"str_"}
    assert returned - questions - others == set(MAKE) - {"ConfigurationMinimum"}  # by a method


def test_every_public_dataclass_of_numbers_is_a_value():
    """So that it compares by its numbers, prints itself, and its arrays are read-only."""
    questions = {"Axis", "ToyModel", "Group", "Configuration"}  # what users say, without arrays
    for name in phd.__all__:
        kind = getattr(phd, name)
        if dataclasses.is_dataclass(kind) and name not in questions:
            assert issubclass(kind, values.Value), name


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_every_result_is_saved_and_loaded(name, result, suffix, tmp_path):
    """By itself, and read back equal to the last bit."""
    if suffix == ".nc":
        pytest.importorskip("xarray", reason="needs the extra [xarray]")
    path = tmp_path / f"result{suffix if name != 'Certificate' else '.gz'}"
    result.save(path)
    read = phd.load(path, type(result))
    if name == "Certificate":  # whose proof is a tree that is compared by what it proves
        assert (read.exact_lower, read.exact_upper) == (result.exact_lower, result.exact_upper)
    else:
        assert read == result
        assert repr(read) == repr(result)


def test_print_answers_in_a_few_lines(name, result):
    shown = str(result)
    assert re.match(rf"{name}(\(|: )", shown)
    assert re.search(SAYS[name], shown), shown
    assert len(shown.splitlines()) <= 6
    assert max(map(len, shown.splitlines())) <= 132
    assert repr(result) == shown


def changed(value):
    """Return the value with one number changed by a unit in its last place; None if it has none."""
    if isinstance(value, bool | str | type(None)):
        return None
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return 0.0 if np.isnan(value) else float(np.nextafter(value, 2 * abs(value) + 1))
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "f" or not value.size:
            return None
        other = value.copy()
        last = other.flat[-1]
        other.flat[-1] = 0.0 if np.isnan(last) else np.nextafter(last, 1e3)
        return other
    if isinstance(value, tuple) and value:
        last = changed(value[-1])
        return None if last is None else (*value[:-1], last)
    if isinstance(value, values.Value):
        for field in dataclasses.fields(value):
            other = changed(getattr(value, field.name)) if field.compare else None
            if other is not None:
                return dataclasses.replace(value, **{field.name: other})
    return None


def test_results_are_equal_if_all_their_numbers_are(name, result):
    again = MAKE[name]() if name != "Certificate" else copy.deepcopy(result)
    assert result == again
    assert hash(result) == hash(again)
    assert len({result, again}) == 1
    assert result != object()
    touched = 0
    for field in dataclasses.fields(result):
        other = changed(getattr(result, field.name)) if field.compare else None
        if other is not None:
            assert result != dataclasses.replace(result, **{field.name: other}), field.name
            touched += 1
    assert touched


def test_the_version_does_not_count(name, result):
    if hasattr(result, "version"):
        assert dataclasses.replace(result, version="0.0.1") == result


def arrays(value, seen=""):
    if isinstance(value, np.ndarray):
        yield seen, value
    elif isinstance(value, tuple):
        for part in value:
            yield from arrays(part, seen)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from arrays(getattr(value, field.name), f"{seen}.{field.name}")


@pytest.mark.parametrize("way", ["made", "unpickled", "copied", "replaced"])
def test_arrays_are_read_only(result, way):
    result = {
        "made": lambda: result,
        "unpickled": lambda: pickle.loads(pickle.dumps(result)),
        "copied": lambda: copy.deepcopy(result),
        "replaced": lambda: dataclasses.replace(result),
    }[way]()
    found = list(arrays(result))
    for seen, array in found:
        if ".tree" in seen:
            continue  # the proof inside a certificate
        assert not array.flags.writeable, seen
    assert found or type(result).__name__ == "Basins"


def test_derived_arrays_are_read_only_too():
    for weights in ("free", "canonical"):
        diagram = phd.phase_diagram(P, R, weights=weights)
        for array in (diagram.phase, diagram.outcome, diagram.W, diagram.b):
            with pytest.raises(ValueError, match="read-only"):
                array[0, 0] = array[0, 1]


def test_arrays_of_others_stay_writable():
    """A result is a view of what it is made of, and does not lock it."""
    density = np.array([0.2, 0.3])
    curve = phd.Boundary(density, np.array([0.1, 0.2]), ("ignored",), None, "spinodal")
    density[0] = 0.25
    with pytest.raises(ValueError, match="read-only"):
        curve.density[0] = 0.1


def test_no_number_of_a_result_can_be_replaced(result):
    field = dataclasses.fields(result)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(result, field, None)


def test_notebooks_show_a_figure_or_a_table(name, result):
    shown = result._repr_html_()
    assert shown == phd.to_html(result)
    assert ("data:image/png;base64,iVBOR" in shown) == (name in DRAWN)
    assert "<table" in shown
    assert len(shown) < 250_000
    assert "http" not in shown


def test_text_in_a_page_is_escaped():
    section = phd.loss_section(0.55, [0.6, 0.7])
    branch = dataclasses.replace(section.branches[0], phases=("<b>&", "<b>&"))
    first = dataclasses.replace(section.transitions[0], phases=("<i>", "&"))
    shown = phd.to_html(
        dataclasses.replace(section, branches=(branch, *section.branches[1:]), transitions=(first,))
    )
    assert "&lt;i&gt; | &amp;" in shown
    assert "<i>" not in shown


def test_runs_that_are_on_no_grid_are_shown_without_a_figure():
    scattered = phd.train([0.3, 0.2], [1.0, 2.0], seeds=2, steps=5, optimizer="exact")
    assert "<img" not in scattered._repr_html_()


def test_what_can_be_drawn_draws_itself(name, result):
    assert hasattr(result, "plot") == (name in DRAWN)
    if name in DRAWN:
        from phasediagram.plotting import paper_figure

        with paper_figure() as figure:
            ax = figure.add_subplot()
            assert result.plot(ax) is ax
        assert isinstance(ax, matplotlib.axes.Axes)
        assert ax.has_data()


def test_parts_of_results_print_one_line():
    solution, section, curves = phd.solve(0.55, 0.66), MAKE["LossSection"](), boundaries()
    for part in (
        solution.minima[0], section.branches[0], section.transitions[0], curves.boundaries[0],
        curves.special_points[0], phd.Unresolved(0.3, 0.4, "lost"), MAKE["Basins"]()[0],
        runs().history, phd.phase_diagram(x=phd.Axis("density", 0.1, 1, points=2),
        y=phd.Axis("relative_importance", 0.5, 2, points=2)).held,
    ):  # fmt: skip
        assert len(repr(part).splitlines()) == 1
        assert repr(part).startswith(type(part).__name__)
        assert part == copy.deepcopy(part)


def test_results_on_other_axes_and_of_other_models_print_what_they_are():
    axes = {
        "x": phd.Axis("interference_penalty", 0.002, 0.1, points=3),
        "y": phd.Axis("density", 0.03, 1, points=2),
    }
    model = phd.ToyModel(2, bias=False)
    shown = str(phd.phase_diagram(**axes, model=model))
    assert "2 x 3 points, ToyModel(2, 1, bias=False), free weights" in shown
    assert "density 0.03 to 1, interference_penalty 0.002 to 0.1" in shown
    assert "interference_penalty 0.002 to 0.1" in str(phd.loss_section(0.6, x=axes["x"]))
    shown = str(phd.solve([0.3, 0.3, 0.1], importance=[1, 1, 0.5], n_features=3, n_hidden=2))
    assert "density 0.3, 0.3, 0.1, importances 1, 1, 0.5, n = 3, m = 2" in shown


def test_minima_say_what_the_command_line_prints():
    """Interference, norms and dimensions of the triangle: 120 degrees and 2/3 each at r = 1."""
    solution = phd.solve(0.6, 1.0, 3, 2)
    assert solution.phase == "triangle"
    assert [(a, b) for a, b, _ in solution.interference] == [(0, 1), (0, 2), (1, 2)]
    np.testing.assert_allclose([pair.angle for pair in solution.interference], 120, rtol=1e-6)
    np.testing.assert_allclose(solution.dimensionality, 2 / 3, rtol=1e-6)
    np.testing.assert_allclose(solution.norms, np.sqrt((solution.W**2).sum(axis=0)), rtol=1e-14)
    assert solution.excess[0] == 0
    np.testing.assert_allclose(
        solution.excess[1:], [m.loss / solution.loss - 1 for m in solution.minima[1:]]
    )


def test_geometry_of_many_weights_at_once():
    from phasediagram.naming import dimensionalities, interfering_pairs, superposition_of_each

    W = np.random.default_rng(0).normal(size=(4, 5, 2, 3))
    many = dimensionalities(W), *superposition_of_each(W)
    for place in np.ndindex(4, 5):
        one = dimensionalities(W[place]), *superposition_of_each(W[place])
        for a, b in zip(many, one, strict=True):
            np.testing.assert_allclose(a[place], b, rtol=1e-14)
        norm, shared = one[1:]
        np.testing.assert_allclose(one[0], norm**2 / (norm**2 + shared), rtol=1e-12)
    with pytest.raises(ValueError, match=r"W must have shape \(m, n\), got shape \(4, 5, 2, 3\)"):
        interfering_pairs(W)
