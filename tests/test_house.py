"""The house: every module in a room, imports in one direction, no circle, a light front door."""

from __future__ import annotations

import ast
import configparser
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import phasediagram as phd

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "phasediagram"
FRONT_DOOR = "phasediagram"  # `__init__`, the only module that gathers

# What may be imported by what follows, never the other way round.  Those of one line do not
# import each other.  A name without a slash is a module, one with it a folder.
ORDER = (
    ("_version",),
    ("values",),
    ("model",),
    ("toymodel/",),
    ("progress",),
    ("executors",),
    ("archives",),
    ("closed_forms",),
    ("kernel/",),
    ("large/",),
    ("parameters",),
    ("naming/",),
    ("results/",),
    ("catalogue/",),
    ("minima/",),
    ("grouping/",),
    ("atlas/",),
    ("sections/",),
    ("certified/",),
    ("lines/",),
    ("limits/",),
    ("boundaries/",),
    ("regions/",),
    ("training/",),
    ("comparison/",),
    ("plotting/", "files/"),
    ("notebook",),
    ("explorer/",),
    ("cli/",),
    ("__main__",),
)
MOST_MODULES = 10  # in a folder, `__init__` aside


def modules():
    """The name and the file of every module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def room(module):
    """The room of a module, as `ORDER` names it; None for the front door."""
    _, *inside = module.split(".")
    if not inside:
        return None
    if len(inside) == 1 and (PACKAGE / f"{inside[0]}.py").exists():
        return inside[0]
    return f"{inside[0]}/"


def imported(module, path):
    """The package's modules that a module imports, also those within functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            # a name that is no module is something in the one that it is taken from
            found |= {name if name in MODULES else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return (found & set(MODULES)) - {module, FRONT_DOOR}


IMPORTS = {m: imported(m, path) for m, path in MODULES.items() if m != FRONT_DOOR}
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}


def test_every_module_belongs_to_a_room():
    homeless = {module: room(module) for module in IMPORTS if room(module) not in RANK}
    assert homeless == {}


def test_imports_go_in_one_direction():
    wrong = [
        f"{module} ({room(module)}) imports {other} ({room(other)})"
        for module, others in IMPORTS.items()
        for other in others
        if room(other) != room(module) and RANK[room(other)] >= RANK[room(module)]
    ]
    assert wrong == []


def test_no_module_imports_itself_through_others():
    left = {module: set(others) for module, others in IMPORTS.items()}
    while free := {module for module, others in left.items() if not others}:
        left = {m: others - free for m, others in left.items() if m not in free}
    assert left == {}


def test_no_folder_is_crowded():
    count = Counter(
        str(path.parent.relative_to(ROOT))
        for path in MODULES.values()
        if path.name != "__init__.py"
    )
    crowded = {name: number for name, number in count.items() if number > MOST_MODULES}
    assert crowded == {}


def test_minima_stop_where_results_say():
    """The tolerances of both Newton methods are the one that results carry."""
    from phasediagram import parameters, results
    from phasediagram.catalogue import newton

    assert newton.GRADIENT_TOLERANCE == results.GRADIENT_TOLERANCE
    assert parameters.GRADIENT_TOLERANCE == results.GRADIENT_TOLERANCE


def test_the_installed_package_has_every_room():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = set(setup["options"]["packages"].split())
    folders = {module for module, path in MODULES.items() if path.name == "__init__.py"}
    assert listed - {"derivations"} == folders
    without = {path.parent for path in MODULES.values() if path.name != "__init__.py"}
    assert {folder for folder in without if not (folder / "__init__.py").exists()} == set()


def promised():
    """Public names as type checkers see them: what `__init__` imports for them, and from where."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (checked,) = (
        node.body
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        alias.name: node.module
        for node in checked
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def run(code):
    """What a new interpreter prints, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", f"import json, sys\n{code}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", phd.__all__)
def test_every_public_name_is_there(name):
    assert getattr(phd, name) is not None
    assert name in dir(phd)


def test_type_checkers_see_every_public_name_where_it_is():
    homes = promised()
    assert set(homes) == set(phd.__all__) - {"__version__"}
    found = {name: getattr(phd, name).__module__ for name in homes if hasattr(phd, name)}
    assert found == homes


def test_a_name_that_is_none_is_refused():
    with pytest.raises(AttributeError, match="'phasediagram' has no attribute 'soLve'"):
        phd.soLve  # noqa: B018
    with pytest.raises(ImportError):
        from phasediagram import soLve  # noqa: F401


def test_no_module_takes_the_place_of_a_public_name():
    """Importing `phasediagram.x` sets `phasediagram.x`, whatever was of that name before."""
    top = {module.split(".")[1] for module in IMPORTS}
    assert top & set(phd.__all__) == set()


@pytest.mark.parametrize("name", ["closed_forms", "explorer", "naming", "plotting"])
def test_public_modules_need_no_import_of_their_own(name):
    code = f"import phasediagram as phd; print(json.dumps(phd.{name}.__name__))"
    assert run(code) == f"phasediagram.{name}"


@pytest.mark.parametrize(
    "use",
    [
        "import phasediagram",
        "from phasediagram.cli import main\n"
        "import contextlib, io\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "    main(['--help'])",
    ],
    ids=["import", "help"],
)
def test_the_front_door_is_light(use):
    loaded = run(f"{use}\nprint(json.dumps(sorted(sys.modules)))")
    heavy = {"numpy", "scipy", "sympy", "mpmath", "matplotlib", "numba", "xarray", "derivations"}
    assert heavy & set(loaded) == set()
    assert "phasediagram" in loaded
