"""How static files are served: named by their content, compressed, the style sheets as one, the modules of a page as one."""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from whitenoise.storage import CompressedManifestStaticFilesStorage

STYLES = "css/app.css"
SCRIPTS = ("js/main.js", "js/write.js")
_STYLE = re.compile(r'@import url\("(?P<name>[^"]+)"\) layer\((?P<layer>\w+)\);')
_IMPORT = re.compile(r'^import (?:(?P<names>\{ [\w, ]+ \}) from )?"(?P<path>\.{1,2}/[\w./]+)";$', re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*/\*.*?\*/\n", re.MULTILINE | re.DOTALL)  # one on lines of its own
_EXPORT = re.compile(r"^export (?=(?:async function|function|const|class) (?P<name>\w+))", re.MULTILINE)


class BundledStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Writes what app.css and the scripts import into them when files are collected: a first visit asks for three files, not
    for dozens. With DEBUG on, each file is served as it was written."""

    def create_compressor(self, **options: Any) -> Any:
        """Gzip alone: brotli, which comes along with other packages, takes twenty seconds of the first start."""
        return super().create_compressor(**options, use_brotli=False)

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if STYLES in paths and not dry_run:
            for name, text in ((STYLES, bundled_styles()), *((name, bundled_script(name)) for name in SCRIPTS)):
                (Path(self.location) / name).write_text(text)
                paths[name] = (self, name)
        yield from super().post_process(paths, dry_run, **options)


def bundled_styles() -> str:
    """Give app.css with each import replaced by its file, in the layer that the import names."""

    def inline(match: re.Match[str]) -> str:
        return f"@layer {match['layer']} {{\n{_source(posixpath.join('css', match['name']))}}}"

    return _STYLE.sub(inline, _source(STYLES))


def bundled_script(name: str) -> str:
    """Give a script after all modules that it imports, each once and in a scope of its own.

    This reads the few forms of import and export that we write, one a line. Any other is a ValueError, and so is a circle.
    """
    modules: dict[str, str] = {}
    _gather(name, modules, above=())
    return "".join(modules.values())


def _gather(name: str, modules: dict[str, str], *, above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"Modules import each other: {' → '.join((*above, name))}.")
    source = _source(name)

    def imported(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), match["path"]))
        if path not in modules:
            _gather(path, modules, above=(*above, name))
        return f"const {match['names']} = {_scope(path)};" if match["names"] else ""

    exports = [match["name"] for match in _EXPORT.finditer(source)]
    body = _EXPORT.sub("", _IMPORT.sub(imported, _COMMENT.sub("", source)))
    if other := re.search(r"^(?:import|export)\b.*|\bimport\(.*|\bawait import.*", body, re.MULTILINE):
        raise ValueError(f"{name} imports or exports in a way that cannot be bundled: {other[0]}")
    modules[name] = f"const {_scope(name)} = (() => {{\n{body}return {{ {', '.join(exports)} }};\n}})();\n"


def _scope(name: str) -> str:
    return "_" + re.sub(r"\W", "_", name)


def _source(name: str) -> str:
    path = finders.find(name)
    if not isinstance(path, str):
        raise FileNotFoundError(name)
    return Path(path).read_text()
