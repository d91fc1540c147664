"""Results as labelled data and in files: exact round trips, refusals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import phasediagram as phd

ENDINGS = ("npz", "nc")


@pytest.fixture(scope="module", autouse=True)
def xarray():
    return pytest.importorskip("xarray", reason="needs the extra [xarray]")


def boundaries():
    jump = np.array([[0.1, -0.2], [0.3, np.nan], [1e-300, 0.0]])
    first = phd.Boundary(
        np.array([0.1, 0.2, 0.3]), np.array([1.0, 1.5, 2.0]), ("ignored", "antipodal"), 1,
        "equilibrium", np.array([0.1, 0.2, 0.3]), jump,
    )  # fmt: skip
    last = phd.Boundary(np.array([0.4]), np.array([0.7]), ("antipodal",), None, "spinodal")
    point = phd.SpecialPoint(1 / 3, 2 / 3, "triple point", ("ignored", "partial", "antipodal"))
    left = phd.Unresolved(0.3, 0.4, "a minimum ends (lost) on no curve")
    return phd.PhaseBoundaries(
        (first, replace(last, ends=("edge", "lost"))),
        (point,),
        2,
        1,
        "free",
        version="0.0.9",
        unresolved=(left,),
    )


def training(density, relative_importance, **arguments):
    arguments = {"seeds": 2, "steps": 6, "batch_size": 16, "record": [0, 3]} | arguments
    return phd.train(density, relative_importance, **arguments)


AXES = np.geomspace(1, 0.05, 4), np.array([0.9, 0.2, 5.0])
RESULTS = {
    "free": lambda: phd.phase_diagram(*AXES),
    "canonical": lambda: phd.phase_diagram(*AXES, 3, 2, "canonical"),
    "optimized": lambda: phd.phase_diagram(*AXES, weights="optimized"),
    "solution": lambda: phd.solve(0.6, 1.0, 3, 2),
    "canonical solution": lambda: phd.solve(0.6, 1.0, weights="canonical"),
    "boundaries": boundaries,
    "no boundaries": lambda: phd.PhaseBoundaries((), (), 3, 2, "free"),
    "grid of runs": lambda: training([[0.3], [0.2]], [1.0, 2.0, 0.5], n_features=3, n_hidden=2),
    "line of runs": lambda: training(0.3, [1.0, 2.0], rng=2**100 + 1),
    "other line": lambda: training([0.3, 0.2], 1.0, record=()),
    "point of runs": lambda: training(0.3, 1.0),
    "scattered runs": lambda: training([0.3, 0.2], [1.0, 2.0], optimizer="exact"),
    "cube of runs": lambda: training(np.full((2, 1, 2), 0.3), [[[1.0], [2.0]]]),
    "section": lambda: phd.loss_section(0.55, [0.6, 0.65, 0.7]),
    "section along another axis": lambda: phd.loss_section(
        0.6, x=phd.Axis("interference_penalty", 0.01, 0.03, points=3)
    ),
    "agreement": lambda: phd.compare(
        phd.phase_diagram(*AXES), training(AXES[0][:, None], AXES[1], steps=50)
    ),
    "own networks": lambda: phd.compare_weights(
        [[1.0, -0.9]] * np.ones((3, 1, 1)), [0.0, 0], 0.4, 1.0
    ),
    "basins": lambda: phd.basin_probabilities(0.5, 0.5, runs=20, steps=2000),
    "basins without biases": lambda: phd.basin_probabilities(
        0.8, 1.0, runs=5, steps=10, model=phd.ToyModel(2, bias=False)
    ),
    "edges": lambda: phd.edge_distances(
        training(np.geomspace(0.8, 0.2, 3)[:, None], [0.2, 2.0], steps=50), boundaries()
    ),
    "certified": lambda: phd.certified_diagram(
        density=(0.02, 0.1), relative_importance=(0.5, 2.0), undecided=0.5
    ),
    "penalised": lambda: phd.certified_diagram(
        density=(0.02, 0.1), interference_penalty=(0.001, 0.01), undecided=0.9
    ),
    "configuration": lambda: phd.configurations(3, 2)[4].minimize(
        [0.2, 0.9], [[1.0], [2.0], [3.0]]
    ),
}


@pytest.fixture(scope="module", params=RESULTS)
def result(request):
    return RESULTS[request.param]()


def assert_equal(read, saved):
    assert type(read) is type(saved)
    if is_dataclass(saved):
        for field in fields(saved):
            assert_equal(getattr(read, field.name), getattr(saved, field.name))
    elif isinstance(saved, tuple):
        assert len(read) == len(saved)
        for one, other in zip(read, saved, strict=True):
            assert_equal(one, other)
    elif isinstance(saved, np.ndarray):
        same = "kind" if saved.dtype.kind == "U" else "str"  # strings are as long as need be
        assert getattr(read.dtype, same) == getattr(saved.dtype, same)
        assert read.shape == saved.shape
        np.testing.assert_array_equal(read, saved)
    elif isinstance(saved, float) and np.isnan(saved):
        assert np.isnan(read)
    else:
        assert read == saved


@pytest.mark.parametrize("ending", ENDINGS)
def test_round_trips_are_exact(result, ending, tmp_path):
    path = tmp_path / f"result.{ending}"
    phd.save(path, result)
    assert_equal(phd.load(path, type(result)), result)
    assert_equal(phd.load(str(path)), result)
    assert phd.load(path) == result
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ENDINGS)
def test_results_save_themselves(result, ending, tmp_path):
    result.save(tmp_path / f"result.{ending}")
    assert_equal(phd.load(tmp_path / f"result.{ending}"), result)


def test_certificates_are_saved_and_loaded_like_other_results(tmp_path):
    certificate = phd.certify(0.2)
    phd.save(tmp_path / "proof.gz", certificate)
    read = phd.load(tmp_path / "proof.gz", phd.Certificate)
    assert (read.exact_lower, read.exact_upper) == (
        certificate.exact_lower,
        certificate.exact_upper,
    )
    with pytest.raises(ValueError, match=r"path of a certificate must end in \.gz, got"):
        phd.save(tmp_path / "proof.npz", certificate)
    with pytest.raises(ValueError, match=r"holds a Certificate, not a Solution"):
        phd.load(tmp_path / "proof.gz", phd.Solution)
    (tmp_path / "other.gz").write_bytes(b"something else")
    with pytest.raises(ValueError, match="truncated or foreign"):
        phd.load(tmp_path / "other.gz")


def test_derived_arrays_survive(tmp_path):
    diagram = phd.phase_diagram(*AXES, 3, 2, "optimized")
    phd.save(tmp_path / "diagram.npz", diagram)
    read = phd.load(tmp_path / "diagram.npz", phd.PhaseDiagram)
    np.testing.assert_array_equal(read.W, diagram.W)
    np.testing.assert_array_equal(read.phase, diagram.phase)
    np.testing.assert_array_equal(read.outcome, diagram.outcome)
    assert read.shares() == diagram.shares()


def test_non_finite_runs_survive(tmp_path):
    runs = training([0.3, 0.2], 1.0)
    loss = np.array([[np.inf, np.nan], [-0.0, 5e-324]])
    runs = replace(runs, loss=loss, completed=~np.isnan(loss), diverged=np.isinf(loss))
    for ending in ENDINGS:
        phd.save(tmp_path / f"runs.{ending}", runs)
        read = phd.load(tmp_path / f"runs.{ending}", phd.TrainingResult)
        assert_equal(read, runs)
        assert np.signbit(read.loss[1, 0])


MODEL = {"hidden": 1, "feature": 2, "step": 2}
LARGER = {"hidden": 2, "feature": 3}


@pytest.mark.parametrize(
    ("make", "sizes"),
    [
        ("free", {"density": 4, "relative_importance": 3, "hidden": 1, "feature": 2}),
        (
            "canonical",
            {"density": 4, "relative_importance": 3, "minimum": 4} | LARGER,
        ),
        (
            "grid of runs",
            {"density": 2, "relative_importance": 3, "seed": 2, "step": 2} | LARGER,
        ),
        ("line of runs", {"relative_importance": 2, "seed": 2, **MODEL}),
        ("scattered runs", {"point": 2, "seed": 2, **MODEL}),
        ("boundaries", {"point": 4, "boundary": 2, "special_point": 1, "unresolved": 1}),
    ],
)  # fmt: skip
def test_dimensions(make, sizes):
    assert dict(phd.to_xarray(RESULTS[make]()).sizes) == sizes


def test_a_dataset_is_labelled_and_traceable():
    diagram = phd.phase_diagram(*AXES)
    data = phd.to_xarray(diagram)
    here = data.sel(density=1.0, relative_importance=0.2)
    assert float(here.loss) == diagram.loss[0, 1]
    assert str(here.phase.item()) == diagram.phase[0, 1]
    np.testing.assert_array_equal(here.W, diagram.W[0, 1])
    assert data.attrs["version"] == phd.__version__
    assert data.attrs["arguments"] == (
        "phase_diagram(density, relative_importance, n_features=2, n_hidden=1, weights='free')"
    )
    assert data.attrs["tolerance"] == 1e-13
    assert data.loss.attrs == {"long_name": "lowest expected loss", "units": "1"}
    assert all(data[name].attrs["long_name"] for name in data.variables)
    runs = phd.to_xarray(RESULTS["grid of runs"]())
    assert "batch_size=16, optimizer='adam', learning_rate=0.001" in runs.attrs["arguments"]
    assert phd.to_xarray(RESULTS["boundaries"]()).attrs["tolerance"] == 1e-10


def test_solutions_have_their_minima_along_a_dimension():
    solution = phd.solve(0.6, 1.0, 3, 2)
    data = phd.to_xarray(solution)
    assert data.sizes["minimum"] == len(solution.minima) > 1
    assert (np.diff(data.loss) >= 0).all()
    assert list(data.phase.values) == [minimum.phase for minimum in solution.minima]


@pytest.fixture(scope="module", params=ENDINGS)
def saved(request, tmp_path_factory):
    """Bytes of a good file, and its ending."""
    path = tmp_path_factory.mktemp("good") / f"diagram.{request.param}"
    phd.save(path, phd.phase_diagram(*AXES))
    return path.read_bytes(), request.param


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_file_is_refused(saved, share, tmp_path):
    data, ending = saved
    path = tmp_path / f"short.{ending}"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=r"short.*is truncated or foreign"):
        phd.load(path)


def test_a_foreign_file_is_refused(tmp_path, xarray):
    for content in (b"", b"something else", b"CDF\x01 but not really", b"PK\x03\x04 nor this"):
        for ending in ENDINGS:
            path = tmp_path / f"other.{ending}"
            path.write_bytes(content)
            with pytest.raises(ValueError, match="truncated or foreign"):
                phd.load(path)
    np.savez(tmp_path / "arrays.npz", loss=np.zeros(3))
    with pytest.raises(ValueError, match="foreign"):
        phd.load(tmp_path / "arrays.npz")
    xarray.Dataset({"loss": ("x", np.zeros(3))}).to_netcdf(tmp_path / "data.nc", engine="scipy")
    with pytest.raises(ValueError, match="foreign: not a file of phasediagram"):
        phd.load(tmp_path / "data.nc")
    with pytest.raises(ValueError, match=r"must end in one of \.npz, \.nc, \.gz, got"):
        phd.load(tmp_path / "diagram.pkl")
    with pytest.raises(FileNotFoundError):
        phd.load(tmp_path / "missing.nc")
    with pytest.raises(FileNotFoundError):
        phd.load(tmp_path / "missing.npz")


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    header = {"format": "phasediagram", "format_version": 1}
    path = tmp_path / "trap.npz"
    trap = np.array([Trap()], dtype=object)
    np.savez(path, arguments=np.array(json.dumps(header)), loss=trap)
    with pytest.raises(ValueError, match="truncated or foreign"):
        phd.load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_newer_format_is_refused(tmp_path, xarray):
    diagram = phd.phase_diagram(*AXES)
    data = phd.to_xarray(diagram)
    data.attrs["phasediagram_format"] = 2
    data.to_netcdf(tmp_path / "new.nc", engine="scipy")
    header = {"format": "phasediagram", "format_version": 2}
    np.savez(tmp_path / "new.npz", arguments=np.array(json.dumps(header)))
    for ending in ENDINGS:
        with pytest.raises(ValueError, match=r"new.*has format 2, but .* up to 1: install a newer"):
            phd.load(tmp_path / f"new.{ending}")


@pytest.mark.parametrize("ending", ENDINGS)
def test_missing_parts_are_noticed(ending, tmp_path, xarray):
    path = tmp_path / f"diagram.{ending}"
    phd.save(path, phd.phase_diagram(*AXES))
    if ending == "nc":
        data = xarray.load_dataset(path, engine="scipy").drop_vars("loss")
        data.to_netcdf(path, engine="scipy")
    else:
        with zipfile.ZipFile(path) as file:
            parts = {name: file.read(name) for name in file.namelist() if name != "loss.npy"}
        with zipfile.ZipFile(path, "w") as file:
            for name, content in parts.items():
                file.writestr(name, content)
    with pytest.raises(ValueError, match="truncated or foreign"):
        phd.load(path)


def test_the_type_is_checked(tmp_path):
    path = tmp_path / "diagram.npz"
    phd.save(path, phd.phase_diagram(*AXES))
    with pytest.raises(ValueError, match="holds a PhaseDiagram, not a TrainingResult"):
        phd.load(path, phd.TrainingResult)
    directory = tmp_path / "blocks"
    phd.phase_diagram([0.3, 0.5], [1.0, 2.0], directory=directory)
    assert type(phd.load(directory, phd.PhaseDiagram)) is phd.PhaseDiagram
    with pytest.raises(ValueError, match="blocks' holds a PhaseDiagram, not a Solution"):
        phd.load(directory, phd.Solution)
    with pytest.raises(TypeError, match="result must be one of PhaseDiagram, "):
        phd.save(path, {})


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failed_write_leaves_the_old_file(ending, tmp_path, monkeypatch):
    path = tmp_path / f"result.{ending}"
    solution = phd.solve(0.5, 1.0)
    phd.save(path, solution)
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError("disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk is full"):
        phd.save(path, phd.solve(0.1, 1.0))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_killed_writer_leaves_a_whole_file(ending, tmp_path):
    path = tmp_path / f"result.{ending}"
    program = f"""
        import numpy as np, phasediagram as phd
        axes = np.geomspace(1, 0.1, 60), np.geomspace(0.1, 10, 60)
        diagram = phd.phase_diagram(*axes, weights="canonical")
        while True:
            phd.save({str(path)!r}, diagram)
    """
    environment = os.environ | {"PYTHONPATH": str(Path(phd.__file__).parent.parent)}
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], env=environment)
        deadline = time.monotonic() + 30
        before = path.stat().st_mtime_ns if path.exists() else 0
        while time.monotonic() < deadline:
            if path.exists() and path.stat().st_mtime_ns != before:
                break
            time.sleep(0.01)
        time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert phd.load(path).loss.shape == (60, 60)


def test_without_xarray_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    solution = phd.solve(0.5, 1.0)
    needs_xarray = r"install the extra \[xarray\]"
    with pytest.raises(ImportError, match=needs_xarray):
        phd.to_xarray(solution)
    with pytest.raises(ImportError, match=needs_xarray):
        phd.save(tmp_path / "solution.nc", solution)
    phd.save(tmp_path / "solution.npz", solution)
    assert_equal(phd.load(tmp_path / "solution.npz", phd.Solution), solution)
