"""``python -m phasediagram``."""

import sys

from phasediagram.cli import main

sys.exit(main())
