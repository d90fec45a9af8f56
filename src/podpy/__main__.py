"""`python -m podpy`: the command line, without the launcher."""

import sys

from podpy.cli.main import main

sys.exit(main(sys.argv[1:]))
