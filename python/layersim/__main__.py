"""`python -m layersim` is the command line."""

from __future__ import annotations

import sys

from layersim.cli import main

sys.exit(main())
