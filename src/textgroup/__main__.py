"""`python -m textgroup` is the command `textgroup`."""

import sys

from textgroup.cli import main

sys.exit(main())
