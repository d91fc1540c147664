"""Print the lowest version of every dependency that setup.cfg admits, as pip constraints."""

from __future__ import annotations

import configparser
from pathlib import Path

setup = configparser.ConfigParser()
setup.read(Path(__file__).parent.parent / "setup.cfg")
requirements = setup["options"]["install_requires"] + setup["options.extras_require"]["test"]
for requirement in requirements.split():
    print(requirement.replace(">=", "=="))
