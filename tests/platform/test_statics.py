"""Static files as they are served."""

from reliability.statics import bundled


def test_the_style_sheets_are_one_with_every_layer_in_it() -> None:
    text = bundled()
    assert "@import" not in text
    assert text.count("@layer components {") == 6
    assert text.index("@layer reset, tokens") < text.index("@layer tokens {") < text.index("@layer print {")
