"""The data folder: whose it is, whether it can be written, and which files and sockets lie in it.

Nothing here imports Django: settings.py asks for the key.
"""

import errno
import fcntl
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reliability.local import CannotStart
from reliability.local.accounts import unprivileged

_LONGEST_SOCKET = 100  # sun_path holds 108 bytes on Linux, 104 on macOS


def folder_trouble(folder: Path, error: OSError) -> CannotStart:
    """Say why the data folder cannot be used."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return CannotStart(
            f"The disk that holds {folder} is full; free some space, or set DATA= to a folder elsewhere."
        )
    if isinstance(error, FileExistsError | NotADirectoryError):
        return CannotStart(f"The data folder {folder} cannot be made, a file is in its place; set DATA= to a folder.")
    reason = (error.strerror or str(error)).lower()
    return CannotStart(f"The data folder {folder} cannot be written ({reason}); set DATA= to a folder of your own.")


def make_data_folder(data: Path) -> None:
    """Make the folder and what every process expects in it, for its owner's eyes only; what is there already, too.

    All that this process and its children make from now on is their owner's alone: data, mail and logs hold what people
    and monitors wrote.
    """
    os.umask(0o077)
    try:
        for folder in (data, data / "log", data / "mail", data / "run"):
            folder.mkdir(parents=True, exist_ok=True)
            _close_to_others(folder)
        for file in (data / "log").iterdir():
            _close_to_others(file)
    except OSError as error:
        raise folder_trouble(data, error) from None
    refuse_full_disk(data)


def _close_to_others(path: Path) -> None:
    # Passing through stays allowed where it was: PostgreSQL may run as another account (postgres.py).
    mode = path.stat().st_mode & 0o777
    if path.stat().st_uid == os.geteuid() and mode != mode & 0o711:
        path.chmod(mode & 0o711)


def refuse_full_disk(data: Path) -> None:
    probe = data / "probe"
    try:
        try:
            probe.write_bytes(bytes(1_000_000))
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise folder_trouble(data, error) from None


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold the data folder; the kernel lets go of it however this process ends."""
    with (data / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotStart(
                f"Faultline already runs on {data} (process {lock.read() or 'unknown'}); "
                "stop it first, or give this one its own DATA= and PORT=."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def remember_address(data: Path, address: str) -> None:
    """Note at which address this process's product answers, for commands in other shells."""
    (data / "run" / "address").write_text(f"{os.getpid()} {address}")


def remembered_address(data: Path) -> str:
    """Give the address at which the product on this data folder answers; empty where none runs."""
    try:
        process, _, address = (data / "run" / "address").read_text().partition(" ")
        os.kill(int(process), 0)  # asks only whether it is there
    except PermissionError:  # it is, and is somebody else's
        return address
    except (OSError, ValueError):
        return ""
    return address


def run_dir(data: Path) -> Path:
    """Where the sockets are: DATA/run, or a private folder in /tmp where that path is too long for a socket."""
    near = data / "run"
    if len(str(near / ".s.PGSQL.5432")) <= _LONGEST_SOCKET:
        return near
    return Path("/tmp") / f"faultline-{hashlib.sha256(str(data).encode()).hexdigest()[:12]}"  # noqa: S108


def make_run_dir(data: Path) -> Path:
    """Make the folder of the sockets; who may enter it is who may use the servers, so it must be ours alone."""
    folder = run_dir(data)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    ours = {os.geteuid(), *(unprivileged() or ())[:1]}
    if folder.is_symlink() or status.st_uid not in ours:
        raise CannotStart(f"{folder} belongs to somebody else; choose another data folder with DATA=.")
    folder.chmod(0o700)
    return folder


def secret_key(data: Path) -> str:
    """Read this installation's own key, made on its first start and readable by its owner only."""
    file = data / "secret_key"
    try:
        if not file.exists():
            _write_once(file, secrets.token_urlsafe(50))
        return file.read_text()
    except OSError as error:
        raise folder_trouble(data, error) from None


def _write_once(file: Path, text: str) -> None:
    """Write a new file whole or not at all; where another process is first, its file stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "w") as writer:
            writer.write(text)
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        Path(draft).unlink()
