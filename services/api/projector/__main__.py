"""`python -m services.api.projector`."""

from __future__ import annotations

import sys

from services.api.projector.app import main

if __name__ == "__main__":
    sys.exit(main())
