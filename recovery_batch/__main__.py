"""`python -m recovery_batch`: the command line, also from a checkout that is not installed."""

import sys

from recovery_batch.cli import main

if __name__ == "__main__":
    sys.exit(main())
