"""Static files as they are served."""

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from reliability.statics import SCRIPTS, bundled_script, bundled_styles


def test_the_style_sheets_are_one_with_every_layer_in_it() -> None:
    text = bundled_styles()
    assert "@import" not in text
    assert text.count("@layer components {") == 6
    assert text.index("@layer reset, tokens") < text.index("@layer tokens {") < text.index("@layer print {")


def test_every_module_is_in_a_script_once_and_after_what_it_imports() -> None:
    scripts = Path(str(finders.find("js/main.js"))).parent
    names = {str(file.relative_to(scripts.parent)) for file in scripts.rglob("*.js")}
    bundles = [bundled_script(name) for name in SCRIPTS]
    for name in names:
        scope = "_" + name.replace("/", "_").replace(".", "_")
        assert [text.count(f"const {scope} =") for text in bundles].count(1) == 1, name
    assert bundles[0].index("const _js_menus_js =") < bundles[0].index("= _js_menus_js;")
    assert not any(line.startswith(("import ", "export ")) for text in bundles for line in text.splitlines())


@pytest.mark.parametrize(
    ("modules", "sentence"),
    [
        (
            {"one.js": 'import { b } from "./two.js";\n', "two.js": 'import { a } from "./one.js";\n'},
            "import each other",
        ),
        ({"one.js": 'import two from "./two.js";\n', "two.js": ""}, "cannot be bundled"),
        ({"one.js": "export let changing = 1;\n"}, "cannot be bundled"),
    ],
)
def test_a_module_that_would_break_as_one_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, modules: dict[str, str], sentence: str
) -> None:
    for name, text in modules.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(finders, "find", lambda name: str(tmp_path / name))
    with pytest.raises(ValueError, match=sentence):
        bundled_script("one.js")
