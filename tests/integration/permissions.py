"""Permissions of files for the administrator too, who else may write everywhere.

Run as a program, this file gives up that right (Linux's CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH), and becomes the
program that its arguments name.
"""

import ctypes
import os
import sys

_DAC_OVERRIDE, _DAC_READ_SEARCH, _SETPCAP = 1, 2, 8
_READ, _DROP = 23, 24
"""Of `prctl`: whether a right can be had at all, and that it cannot be from the next program on."""

BOUND = (sys.executable, __file__)
"""What to put before a program's arguments."""


def can_be_bound() -> bool:
    """Whether permissions bind whoever runs this, or can be made to."""
    return os.geteuid() != 0 or (sys.platform == "linux" and _prctl(_READ, _SETPCAP) == 1)


def _prctl(what: int, capability: int) -> int:
    return int(ctypes.CDLL(None, use_errno=True).prctl(what, capability, 0, 0, 0))


if __name__ == "__main__":
    if os.geteuid() == 0:
        for right in (_DAC_OVERRIDE, _DAC_READ_SEARCH):
            if _prctl(_DROP, right):
                raise OSError(ctypes.get_errno(), "the right cannot be given up")
    os.execv(sys.argv[1], sys.argv[1:])
