"""How to connect each monitor: the pages of docs/sources, with an installation's own address filled in."""

import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.safestring import SafeString

from incidents.web.markdown import render

_PAGES: Path = settings.BASE_DIR / "docs" / "sources"
_ADDRESS, _HOST, _TOKEN = "http://127.0.0.1:8000", "127.0.0.1:8000", "<token>"


def guide(kind: str, *, token: str = "") -> SafeString:
    """Render a monitor's page, with the token where it is known: only just after it was made."""
    here = urlsplit(settings.BASE_URL)
    text = _page(kind).replace(_ADDRESS, settings.BASE_URL)
    # Some monitors want the address in parts.
    text = text.replace(_HOST, here.netloc).replace("scheme: http\n", f"scheme: {here.scheme}\n")
    return render(text.replace(_TOKEN, token) if token else text)


@lru_cache(maxsize=64)
def _page(kind: str) -> str:
    """Read the page without its heading, which the page around it has already."""
    return re.sub(r"\A# .*\n+", "", (_PAGES / f"{kind}.md").read_text())


def is_reachable_from_elsewhere() -> bool:
    """Tell whether a monitor on another machine could reach the address that is shown."""
    return not re.match(r"https?://(localhost|127\.|\[::1\])", settings.BASE_URL)
