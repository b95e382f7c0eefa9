"""Becomes another program that ends together with its parent. Run by path, as a script, never imported.

usage: child.py PARENT_PID SIGNAL UID GID -- PROGRAM [ARGUMENT ...]

On Linux the kernel sends SIGNAL when the parent ends, however it ends (prctl(2), PR_SET_PDEATHSIG); elsewhere the
launcher's next start cleans up. UID -1 keeps the user. Otherwise root becomes that user for good, for PostgreSQL
refuses to run as root; it keeps one capability, to read through directories that only root may enter, so that no
permission of any directory has to be loosened.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 4
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522


def main() -> None:
    """Replace this process by PROGRAM; the pid stays."""
    parent, signal_number, uid, gid = (int(argument) for argument in sys.argv[1:5])
    program = sys.argv[sys.argv.index("--") + 1 :]
    linux = sys.platform.startswith("linux")
    if uid >= 0:
        become(uid, gid, linux)
    if linux:  # after the change of user, which clears it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the request was in place
        sys.exit(1)
    os.execvp(program[0], program)


def become(uid: int, gid: int, linux: bool) -> None:
    """Change the user for good, keeping (on Linux) one capability that lets it traverse root's directories."""
    libc = ctypes.CDLL(None, use_errno=True)
    if linux and libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) != 0:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)  # second best: access(2) then answers as if it had no capability
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if linux and not keep(libc, CAP_DAC_READ_SEARCH):  # containers often have only the wider one
        keep(libc, CAP_DAC_OVERRIDE)


def keep(libc: ctypes.CDLL, capability: int) -> bool:
    """Keep this capability, and no other, across the exec (capabilities(7), ambient set). False if not held."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; low then high word
    if libc.capset(header, data) != 0:
        return False
    return bool(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0)


if __name__ == "__main__":
    main()
