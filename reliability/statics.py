"""How static files are served: named by their content, compressed, and the style sheets as one."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from whitenoise.storage import CompressedManifestStaticFilesStorage

BUNDLE = "css/app.css"
_IMPORT = re.compile(r'@import url\("(?P<name>[^"]+)"\) layer\((?P<layer>\w+)\);')


class BundledStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Writes what app.css imports into it when files are collected: a first visit asks once for what are a dozen files."""

    def create_compressor(self, **options: Any) -> Any:
        """Gzip alone: brotli, which comes along with other packages, takes twenty seconds of the first start."""
        return super().create_compressor(**options, use_brotli=False)

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if BUNDLE in paths and not dry_run:
            (Path(self.location) / BUNDLE).write_text(bundled())
            paths[BUNDLE] = (self, BUNDLE)
        yield from super().post_process(paths, dry_run, **options)


def bundled() -> str:
    """Give app.css with each import replaced by its file, in the layer that the import names."""
    found = finders.find(BUNDLE)
    if not isinstance(found, str):
        raise FileNotFoundError(BUNDLE)
    source = Path(found)

    def inline(match: re.Match[str]) -> str:
        return f"@layer {match['layer']} {{\n{(source.parent / match['name']).read_text()}}}"

    return _IMPORT.sub(inline, source.read_text())
