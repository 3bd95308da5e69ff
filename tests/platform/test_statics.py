"""Static files as they are served."""

import re
from pathlib import Path
from typing import Any

from django.core.management import call_command

from reliability.statics import bundled_styles

_IMPORT = re.compile(r'^(?:import|export)\b[^"]*"(\.[^"]+)";$', re.MULTILINE)


def test_the_style_sheets_are_one_with_every_layer_in_it() -> None:
    text = bundled_styles()
    assert "@import" not in text
    components = list(Path("static/css/components").glob("*.css"))
    assert len(components) >= 6
    assert text.count("@layer components {") == len(components)
    assert text.index("@layer reset, tokens") < text.index("@layer tokens {") < text.index("@layer print {")


def test_what_a_module_imports_is_named_by_its_content_and_there(settings: Any, tmp_path: Path) -> None:
    """A browser may keep a file for ever, so a module that changed must be asked for by another name."""
    settings.STATIC_ROOT = tmp_path
    storage = {
        "BACKEND": "reliability.statics.BundledStaticFilesStorage"
    }  # as it is served; tests otherwise use a plain one
    settings.STORAGES = settings.STORAGES | {"staticfiles": storage}
    call_command("collectstatic", "--no-input", verbosity=0)
    named = {file for file in (tmp_path / "js").rglob("*.js") if re.search(r"\.[0-9a-f]{12}\.js$", file.name)}
    imported = {(file.parent / name).resolve() for file in named for name in _IMPORT.findall(file.read_text())}
    assert imported
    assert imported <= named
