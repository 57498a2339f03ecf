"""``python -m tcpnotes`` is the command ``tcpnotes``."""

import sys

from tcpnotes.cli import main

if __name__ == "__main__":
    sys.exit(main())
