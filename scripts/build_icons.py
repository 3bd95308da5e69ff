"""Builds static/icons.svg, one symbol for each Lucide icon that the pages use, from the wheel `lucide`."""

import re
import zipfile
from pathlib import Path

import lucide

NAMES = [
    "siren",
    "bell-ring",
    "file-text",
    "list-checks",
    "chart-line",
    "boxes",
    "radio-tower",
    "key-round",
    "search",
    "plus",
    "clock",
    "user",
    "users",
    "message-square",
    "check",
    "circle-check",
    "link",
    "ellipsis",
    "activity",
    "chevron-right",
    "chevron-down",
    "eye",
    "lock",
    "lock-open",
    "shield-alert",
    "shield-check",
    "shield-off",
    "trending-down",
    "search-x",
    "repeat",
    "rss",
    "bot",
    "database",
    "rocket",
    "circle-question-mark",
    "triangle-alert",
    "info",
    "octagon-alert",
    "copy",
    "external-link",
    "git-commit-horizontal",
    "panel-right",
    "bold",
    "italic",
    "list",
    "quote",
    "code",
    "table",
    "image",
    "undo-2",
    "x",
    "pencil",
    "tag",
    "inbox",
    "menu",
    "download",
    "rotate-ccw",
    "log-out",
    "settings",
    "merge",
    "flag",
    "volume-x",
    "palette",
    "calendar-clock",
    "send",
    "history",
    "arrow-right",
    "circle-dot",
    "braces",
    "cloud",
    "plug",
    "heart-pulse",
    "chart-no-axes-combined",
    "flask-conical",
    "wand-sparkles",
]

HERE = Path(__file__).resolve().parent.parent


def main() -> None:
    archive = zipfile.ZipFile(Path(lucide.__file__).with_name("lucide.zip"))
    symbols = [_symbol(name, archive.read(f"{name}.svg").decode()) for name in sorted(set(NAMES))]
    sprite = '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"
    (HERE / "static" / "icons.svg").write_text(sprite)
    (HERE / "static" / "vendor" / "LICENSE-lucide").write_text(_licence(archive))


def _symbol(name: str, svg: str) -> str:
    drawing_in_svg = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    if drawing_in_svg is None:
        raise SystemExit(f"{name} is no icon of this version of Lucide.")
    drawing = re.sub(r"\s+", " ", drawing_in_svg[1]).strip()
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round">{drawing}</symbol>'
    )


def _licence(archive: zipfile.ZipFile) -> str:
    text = "Lucide icons, https://lucide.dev, ISC licence, Copyright (c) Lucide Contributors.\n"
    return archive.read("LICENSE").decode() if "LICENSE" in archive.namelist() else text


if __name__ == "__main__":
    main()
