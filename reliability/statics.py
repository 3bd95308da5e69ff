"""How static files are served: named by their content, compressed, the style sheets as one."""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from whitenoise.storage import CompressedManifestStaticFilesStorage

STYLES = "css/app.css"
_STYLE = re.compile(r'@import url\("(?P<name>[^"]+)"\) layer\((?P<layer>\w+)\);')


class BundledStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Writes what app.css imports into it when files are collected: a first visit asks for one style sheet, not for a dozen. The
    scripts stay modules; what they import is named by its content too. With DEBUG on, each file is served as it was written."""

    # What `support_js_module_import_aggregation` switches on, for our scripts alone: it trips over comments of other packages’.
    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", ((r'(?m)(?P<matched>^import(?P<names>[^"]*)"(?P<url>\.[^"]+)";)', 'import%(names)s"%(url)s";'),)),
    )

    def create_compressor(self, **options: Any) -> Any:
        """Gzip alone: brotli, which comes along with other packages, takes twenty seconds of the first start."""
        return super().create_compressor(**options, use_brotli=False)

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if STYLES in paths and not dry_run:
            (Path(self.location) / STYLES).write_text(bundled_styles())
            paths[STYLES] = (self, STYLES)
        yield from super().post_process(paths, dry_run, **options)


def bundled_styles() -> str:
    """Give app.css with each import replaced by its file, in the layer that the import names."""

    def inline(match: re.Match[str]) -> str:
        return f"@layer {match['layer']} {{\n{_source(posixpath.join('css', match['name']))}}}"

    return _STYLE.sub(inline, _source(STYLES))


def _source(name: str) -> str:
    path = finders.find(name)
    if not isinstance(path, str):
        raise FileNotFoundError(name)
    return Path(path).read_text()
