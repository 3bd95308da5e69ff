"""Which account serves: PostgreSQL refuses to run as root."""

import ctypes
import os
from pathlib import Path

_CLONE_NEWUSER = 0x10000000


def enter_user_namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    for name, line in (("setgroups", "deny"), ("uid_map", "1000 0 1"), ("gid_map", "1000 0 1")):
        Path(f"/proc/self/{name}").write_text(line)


def namespaces_allowed() -> bool:
    child = os.fork()
    if child == 0:
        try:
            enter_user_namespace()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def unprivileged() -> tuple[int, int] | None:
    """The account that serves where root may not; None for whoever is not root."""
    if os.geteuid() != 0:
        return None
    import pwd  # not on Windows

    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid
