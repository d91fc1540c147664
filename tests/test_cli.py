"""The command line as a user types it."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from phasediagram import __version__, cli
from phasediagram.cli import main, options


def run(*arguments, cwd=None):
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "phasediagram", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


def test_draw_writes_the_figure_and_prints_the_shares(tmp_path):
    done = run("draw", "--weights", "canonical", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "phase_diagram.png").read_bytes().startswith(b"\x89PNG")
    assert "n = 2, m = 1, canonical weights, 128 x 128 points" in done.stdout
    assert "wrote phase_diagram.png" in done.stdout
    shares = [line.split() for line in done.stdout.splitlines() if line.endswith("%")]
    assert [name for name, *_ in shares] == ["ignored", "dedicated", "antipodal"]
    assert sum(float(share) for _, share, _ in shares) == pytest.approx(100, abs=0.2)


def test_draw_without_arguments_draws_two_features(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["draw"]) == 0
    assert capsys.readouterr().out.startswith("n = 2, m = 1, free weights")
    assert (tmp_path / "phase_diagram.png").exists()


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_draw_three_features_in_each_format(tmp_path, suffix, capsys):
    path = tmp_path / f"figure.{suffix}"
    arguments = ["draw", "--features", "3", "--hidden", "2", "--weights", "canonical"]
    assert main([*arguments, "--grid", "20", "-o", str(path)]) == 0
    assert path.stat().st_size > 1000
    assert "others-antipodal" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--features", "9"], "n_features must be 2, 3, 4, 5 or 6, got 9"),
        (["--features", "x"], "argument --features: invalid int value: 'x'"),
        (["--features", "3", "--hidden", "3"], "n_hidden must be at least 1 and below n_features"),
        (
            ["--features", "3", "--hidden", "1", "--weights", "canonical"],
            "n_hidden must be n_features - 1 = 2, got 1",
        ),
        (["--weights", "best"], "argument --weights: invalid choice: 'best'"),
        (["--grid", "1"], "--grid must be between 2 and 4096, got 1"),
        (["-o", "figure.gif"], "output must end in one of .pdf, .png, .svg, got 'figure.gif'"),
        (["-o", "nowhere/figure.png"], "output must be in an existing directory"),
        (["-o", "folder.png"], "output must be a file, got the directory 'folder.png'"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path, arguments, message):
    (tmp_path / "folder.png").mkdir()
    done = run("draw", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert message in line
    assert line.startswith("phasediagram")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_an_unwritable_output_is_refused_before_any_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda *_: False)  # also for root, whom modes don't stop
    assert main(["draw", "-o", str(tmp_path / "figure.png")]) == 2
    assert "output must be writable" in capsys.readouterr().err


def test_no_verb_and_an_unknown_verb_are_refused():
    for arguments in ([], ["paint"]):
        done = run(*arguments)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1


def test_version_and_help():
    assert run("--version").stdout.strip() == f"phasediagram {__version__}"
    assert "derive" in run("--help").stdout
    for verb in ("draw", "derive", "verify"):
        assert run(verb, "--help").returncode == 0


def test_derive_lists_prints_and_refuses(capsys):
    assert main(["derive"]) == 0
    names = capsys.readouterr().out.split()
    assert {"expectation", "linear", "ignored", "dedicated", "antipodal", "triangle"} <= set(names)
    assert main(["derive", "antipodal"]) == 0
    assert "antipodal" in capsys.readouterr().out.lower()
    assert main(["derive", "antipodal", "--latex"]) == 0
    assert r"\begin{document}" in capsys.readouterr().out
    assert main(["derive", "pentagon"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "'pentagon'" in line


@pytest.mark.parametrize(("passed", "status"), [(True, 0), (False, 1)])
def test_verify_s_exit_status_says_whether_all_checks_passed(monkeypatch, passed, status):
    monkeypatch.setattr("derivations.__main__.check_all", lambda: passed)
    assert main(["verify"]) == status


def test_importing_the_package_loads_neither_sympy_nor_matplotlib():
    code = "import sys, json, phasediagram; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))
    assert not {"sympy", "mpmath", "matplotlib", "derivations"} & set(modules)


def test_solve_prints_the_phase_and_every_minimum(capsys):
    import phasediagram as phd

    assert main(["solve", "--density", "0.55", "--relative-importance", "0.66"]) == 0
    out = capsys.readouterr().out
    assert "phase    partial (the extra feature: superposition)" in out
    assert "antipodal" in out
    assert f"{phd.solve(0.55, 0.66).loss:.10f}" in out


def test_solve_as_json_has_all_digits(capsys):
    import phasediagram as phd

    arguments = ["solve", "--density", "0.6", "--relative-importance", "1", "--features", "3"]
    assert main([*arguments, "--hidden", "2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    solution = phd.solve(0.6, 1.0, 3, 2)
    assert document["minima"][0]["loss"] == solution.loss
    assert document["minima"][0]["W"] == solution.W.tolist()
    assert document["minima"][0]["phase"] == "triangle"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["solve", "--density", "0", "--relative-importance", "1"], "density must"),
        (["solve", "--density", "0.5"], "--relative-importance"),
        (["boundaries", "--features", "6"], "at most 5 to trace boundaries, got 6"),
        (["boundaries", "-o", "x.txt"], "output must end in one of .csv, .json, .tex"),
        (["losses"], "one of --density, --relative-importance and --x must be given"),
        (["losses", "--density", "0.5", "--range", "2", "1"], "--range must be two ascending"),
        (["draw", "--importance-range", "3", "1"], "--importance-range must be two ascending"),
    ],
)
def test_bad_input_of_the_solving_verbs(arguments, message, capsys):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["csv", "json", "tex"])
def test_boundaries_prints_a_table_and_saves_every_point(suffix, tmp_path, monkeypatch, capsys):
    import numpy as np

    import phasediagram as phd
    from phasediagram.boundaries import tracing as boundaries

    curve = phd.Boundary(
        np.array([0.2, 0.3]), np.array([0.3, 0.4]), ("ignored", "antipodal"), 1, "equilibrium"
    )
    point = phd.SpecialPoint(0.123456789012, 1.0, "triple point", ("ignored", "antipodal"))
    found = phd.PhaseBoundaries((curve,), (point,), 2, 1, "free")
    monkeypatch.setattr(boundaries, "phase_boundaries", lambda *_, **__: found)
    path = tmp_path / f"curves.{suffix}"
    assert main(["boundaries", "-o", str(path)]) == 0
    out = capsys.readouterr().out
    assert "ignored | antipodal  first order" in out
    assert "0.1234567890" in out
    assert "0.123456789012" in path.read_text()


def test_losses_draws_a_section(tmp_path, capsys):
    path = tmp_path / "losses.png"
    arguments = ["losses", "--density", "0.3", "--range", "0.9", "1.1", "--points", "5"]
    assert main([*arguments, "-o", str(path)]) == 0
    assert path.stat().st_size > 5000


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("with_tqdm", [True, False])
def test_progress_is_shown_on_a_terminal_and_wiped(monkeypatch, with_tqdm):
    if with_tqdm:
        pytest.importorskip("tqdm", reason="needs the extra [progress]")
    else:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(options, "_SILENT_SECONDS", 0)
    monkeypatch.setattr(sys, "stderr", Terminal())
    with options.progress_bar("solving") as show:
        for share in (0.25, 0.5):
            time.sleep(0.11)  # tqdm draws at most ten times a second
            show(share)
    shown = sys.stderr.getvalue()
    assert "solving" in shown
    assert "50%" in shown
    assert not shown.split("\r")[-1].strip()
    if not with_tqdm:
        assert "50%, about 0 s left" in shown


def test_no_progress_without_a_terminal(monkeypatch):
    monkeypatch.setattr(options, "_SILENT_SECONDS", 0)
    with options.progress_bar("solving") as show:
        assert show is None


@pytest.mark.parametrize("terminal", [io.StringIO, Terminal])
@pytest.mark.parametrize("with_tqdm", [True, False])
def test_long_work_says_once_where_its_result_goes(monkeypatch, terminal, with_tqdm):
    """As soon as it turns out to be long, and also where no progress is shown."""
    if with_tqdm:
        pytest.importorskip("tqdm", reason="needs the extra [progress]")
    else:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", terminal())
    says = options.will_write(Path("runs.npz"), None, Path("runs.png"))
    for silent, shown in ((1e9, 0), (0, 1)):
        monkeypatch.setattr(options, "_SILENT_SECONDS", silent)
        with options.progress_bar("training", says) as show:
            for share in (0.25, 0.5, 0.75):
                show(share)
        said = sys.stderr.getvalue()
        assert said.count("training: will write runs.npz, runs.png\n") == shown


def test_training_says_where_its_runs_go_before_they_are_there(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(options, "_SILENT_SECONDS", 0)
    path = tmp_path / "runs.npz"
    arguments = ["train", "--grid", "2", "--seeds", "1", "--steps", "5", "-o", str(path)]
    assert main(arguments) == 0
    first, *_ = capsys.readouterr().err.splitlines()
    assert first == f"training: will write {path}"


def test_draw_on_other_axes_and_of_another_model(tmp_path, capsys):
    path = str(tmp_path / "figure.png")
    axes = ["--x", "interference_penalty", "0.002", "0.1", "--y", "density", "0.05", "1"]
    arguments = ["draw", *axes, "--grid", "12", "--no-boundaries", "-o", path]
    assert main(arguments) == 0
    assert "ToyModel(2, 1), 12 x 12 points" in capsys.readouterr().out
    assert main(["draw", "--no-bias", "--grid", "8", "-o", path]) == 0
    assert "ToyModel(2, 1, bias=False)" in capsys.readouterr().out
    pairs = ["--features", "4", "--hidden", "2", "--correlated", "0", "1", "--correlated", "2", "3"]
    axes = ["--x", "correlation", "0", "1", "--y", "density", "0.1", "0.6"]
    assert main(["draw", *pairs, *axes, "--grid", "4", "--no-boundaries", "-o", path]) == 0
    assert "correlated(0, 1), correlated(2, 3)" in capsys.readouterr().out


def test_losses_say_where_the_lowest_changes(tmp_path, capsys):
    path = str(tmp_path / "losses.png")
    axis = ["--x", "interference_penalty", "0.001", "0.1", "--held-density", "0.6"]
    assert main(["losses", *axis, "--points", "12", "-o", path]) == 0
    printed = capsys.readouterr().out
    assert "partial | ignored at 0.01840306333, continuous" in printed


def test_solve_takes_a_number_for_each_feature(capsys):
    arguments = [
        "--features",
        "3",
        "--density",
        "0.3",
        "0.3",
        "0.1",
        "--importance",
        "1",
        "1",
        "0.5",
    ]
    assert main(["solve", *arguments]) == 0
    assert "density 0.3, 0.3, 0.1, importances 1, 1, 0.5" in capsys.readouterr().out
    assert (
        main(["solve", "--density", "0.9", "--relative-importance", "1", "--no-bias", "--json"])
        == 0
    )
    document = json.loads(capsys.readouterr().out)
    assert document["model"]["bias"] is False
    assert document["minima"][0]["b"] == [0.0, 0.0]


def test_demonstrate_repeats_the_papers_first_demonstration(tmp_path, capsys):
    """The linear model ends at its exact optimum: here weighted by 0.7^i p (1/3 - p/4)."""
    path = tmp_path / "figure.png"
    size = ["--features", "10", "--hidden", "3", "--seeds", "1", "--steps", "12000"]
    assert main(["demonstrate", *size, "--densities", "0.8", "0.1", "-o", str(path)]) == 0
    printed = capsys.readouterr().out
    optimum = sum(0.7**i for i in range(3, 10)) * (0.8 / 3 - 0.16)
    assert f"keeps the 3 most important: {optimum:.6f}" in printed
    linear = next(line for line in printed.splitlines() if line.startswith("linear"))
    assert optimum <= float(linear.split()[2]) + 1e-6 < 1.02 * optimum
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["draw", "--x", "density", "0.1", "1"], "--x and --y must both be given"),
        (["draw", "--x", "density", "a", "1", "--y", "follow", "0", "1"], "a name and two numbers"),
        (["draw", "--correlated", "0"], "two or more different features"),
        (["draw", "--hierarchical", "0", "1", "2"], "--hierarchical needs two features, got 3"),
        (["draw", "--no-bias", "--weights", "canonical"], "for the paper's model"),
        (["losses"], "one of --density, --relative-importance and --x must be given"),
        (["losses", "--x", "density", "0.1", "1", "--range", "1", "2"], "--x excludes"),
        (["solve", "--density", "0.5"], "one of --relative-importance and --importance"),
        (["demonstrate", "--decay", "2"], r"--decay must lie in (0, 1], got 2"),
    ],
)
def test_bad_assumptions_get_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.fixture(scope="module")
def bash_script():
    pytest.importorskip("shtab", reason="needs the extra [completion]")
    done = run("completion", "bash")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["dr"], {"draw"}),
        (["cert"], {"certify", "certified-diagram"}),
        (["solve", "--we"], {"--weights", "--weight-decay"}),
        (["solve", "--weights", ""], {"free", "optimized", "canonical"}),
        (["completion", "f"], {"fish"}),
    ],
)
def test_bash_completes_verbs_options_and_choices(bash_script, words, offered, tmp_path):
    script = tmp_path / "completion"
    script.write_text(bash_script)
    typed = " ".join(f"'{word}'" for word in ["phasediagram", *words])
    asked = (
        f"source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; "
        "$(complete -p phasediagram | sed 's/.*-F \\([^ ]*\\).*/\\1/'); "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == offered


def test_completion_without_shtab_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "zsh"]) == 2
    assert "install the extra [completion]" in capsys.readouterr().err


@pytest.mark.parametrize("terminal", [io.StringIO, Terminal])
def test_a_long_proof_says_where_it_goes(monkeypatch, terminal):
    from phasediagram.cli import certifying

    monkeypatch.setattr(certifying, "_SECONDS", -1.0)
    monkeypatch.setattr(sys, "stderr", terminal())
    report = certifying._reporter("will write proof.gz")
    report(1e-3, 10, 5)
    report(1e-4, 20, 5)
    said = sys.stderr.getvalue()
    assert said.count("certifying: will write proof.gz\n") == 1
    assert said.count("boxes left") == (2 if terminal is Terminal else 0)


@pytest.mark.parametrize("traced", [True, False])
def test_draw_prints_the_shares_that_its_json_has(traced, tmp_path, monkeypatch, capsys):
    """Shares of the area between traced boundaries, else of the grid, and says which."""
    import numpy as np

    import phasediagram as phd
    from phasediagram.boundaries import tracing

    monkeypatch.chdir(tmp_path)
    curve = np.geomspace(0.85, 0.95, 3), np.ones(3), ("ignored", "dedicated"), 1, "equilibrium"
    found = phd.PhaseBoundaries((phd.Boundary(*curve),), (), 2, 1, "free")
    monkeypatch.setattr(tracing, "phase_boundaries", lambda *_, **__: found)
    window = ["--density-range", "0.85", "0.95", "--importance-range", "0.4", "2"]
    given = ["draw", "--grid", "4", *window, *([] if traced else ["--no-boundaries"])]
    assert main(given) == 0
    text = capsys.readouterr().out
    assert main([*given, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["shares_of"] == ("area" if traced else "grid")
    assert f"shares of the {'window' if traced else 'grid'}'s" in text
    ignored = np.log(1 / 0.4) / np.log(2 / 0.4) if traced else 0.5
    assert document["shares"]["ignored"] == pytest.approx(ignored, rel=1e-12)
    for phase, share in document["shares"].items():
        assert re.search(rf"^  {phase} +{100 * share:.1f} %$", text, re.MULTILINE)


SMALL = {
    "draw": ["--weights", "canonical", "--compare", "optimized", "--grid", "4"],
    "draw --no-bias": ["--grid", "3", "--no-boundaries"],
    "solve": ["--density", "0.55", "--relative-importance", "0.66"],
    "boundaries": ["-o", "curves.csv"],
    "losses": ["--density", "0.55", "--range", "0.6", "0.7", "--points", "4"],
    "certify": ["--density", "0.2", "-o", "proof.gz"],
    "certified-diagram": [],
    "train": ["--grid", "2", "--seeds", "2", "--steps", "5"],
    "geometry": [
        *("--features", "4", "--hidden", "2", "--max-features", "3", "--max-hidden", "2"),
        *("--density-range", "0.3", "0.4", "--save", "groups.npz"),
    ],
    "demonstrate": ["--features", "4", "--hidden", "2", "--seeds", "1", "--steps", "5"],
    "verify": [],
}
# what the documents say, besides that they are JSON
SAID = {
    "draw": lambda d: d["excess"]["weights"] == "optimized" and sum(d["shares"].values()) == 1,
    "draw --no-bias": lambda d: d["model"]["bias"] is False and d["shape"] == [3, 3],
    "solve": lambda d: [m["phase"] for m in d["minima"]] == ["partial", "antipodal"],
    "boundaries": lambda d: d["boundaries"][0]["loss"] == [None, 0.1],
    "losses": lambda d: [t["order"] for t in d["transitions"]] == [2, 1],
    "certify": lambda d: 0 < d["upper"] - d["lower"] < 1e-10 and d["is_closed"],
    "certified-diagram": lambda d: d["shares"] == {"superposed": 1.0},
    "train": lambda d: d["runs"] == 8 and sum(d["shares"].values()) == 1,
    "geometry": lambda d: d["mixture"] == {"antipodal": 2} and d["transitions"] == [],
    "demonstrate": lambda d: d["trained"][0]["model"] == "linear",
    "verify": lambda d: all(check["passed"] for check in d) and len(d) > 3,
}


@pytest.mark.parametrize("verb", SMALL)
def test_verbs_that_print_numbers_print_them_as_json(verb, tmp_path, monkeypatch, capsys):
    """Nothing else on stdout, no NaN, and the files that were written."""
    import numpy as np

    import derivations
    import phasediagram as phd
    from phasediagram.boundaries import tracing
    from phasediagram.certified.planes import diagram

    monkeypatch.chdir(tmp_path)
    curve = np.array([0.2, 0.3]), np.array([0.3, 0.4]), ("ignored", "antipodal"), 1, "equilibrium"
    found = phd.PhaseBoundaries((phd.Boundary(*curve, np.array([np.nan, 0.1])),), (), 2, 1, "free")
    monkeypatch.setattr(tracing, "phase_boundaries", lambda *_, **__: found)
    window = {"density": (0.02, 0.1), "relative_importance": (0.5, 2.0), "undecided": 0.5}
    proved = diagram.certified_diagram(**window) if verb == "certified-diagram" else None
    monkeypatch.setattr(diagram, "certified_diagram", lambda **_: proved)
    monkeypatch.setattr(derivations, "names", lambda: ("linear",))
    assert main([*verb.split(), *SMALL[verb], "--json"]) == 0
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert SAID[verb](document)
    if isinstance(document, dict):
        assert sorted(document.get("wrote", [])) == sorted(p.name for p in tmp_path.iterdir())


def test_every_verb_is_tried_as_json_but_those_without_numbers():
    (verbs,) = (a.choices for a in cli._parser()._actions if isinstance(a.choices, dict))
    tried = {verb.split()[0] for verb in SMALL}
    assert set(verbs) - tried == {"derive", "explore", "completion"}
    assert all("--json" in verbs[verb].format_usage() for verb in tried)
