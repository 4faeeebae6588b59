import sys

from textgroup.cli import main

sys.exit(main())
