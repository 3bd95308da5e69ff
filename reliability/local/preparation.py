"""Whether the database and the pages' files are up to date, before anything is started that needs them."""

from pathlib import Path

from django.contrib.staticfiles.finders import get_finders
from django.db import DatabaseError, NotSupportedError, connection
from django.db.migrations.executor import MigrationExecutor

from reliability.local import CannotStart


def is_migrated() -> bool:
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except NotSupportedError as error:
        raise CannotStart(f"The database of DATABASE_URL is too old: {_first_line(error)}") from None
    except DatabaseError as error:
        raise CannotStart(f"The database cannot be reached: {_first_line(error)}. Check DATABASE_URL.") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")


def static_state() -> str:
    """Describe all static files by name, size and time; the same text means that nothing is to be collected."""
    files = (
        (path, Path(storage.path(path)).stat())
        for finder in get_finders()
        for path, storage in finder.list(ignore_patterns=[])
    )
    return "\n".join(sorted(f"{path} {status.st_size} {status.st_mtime_ns}" for path, status in files))
