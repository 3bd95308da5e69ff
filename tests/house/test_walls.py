"""A slice reads no row of a slice above it: not in Python, not in a template. What it shows of one comes through a slot."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Model

HERE = Path(__file__).resolve().parent.parent.parent
# From below to above; reports and health are siblings.
FLOORS = {
    name: floor
    for floor, names in enumerate(
        [
            "taxonomy",
            "people",
            "web",
            "api",
            "systems",
            "oncall",
            "response",
            "notifications",
            "alerts",
            "evidence pagers",
            "evaluations",
            "followups",
            "postmortems",
            "reports health",
        ]
    )
    for name in names.split()
}
# A `.name` of a template's expression, never the first name: that one is the context's.
LOOKUP = re.compile(r"(?<=[\w\)\]])\.([a-z_]+)")
EXPRESSION = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}", re.DOTALL)
# Neither a text nor what an Event wrote down of that moment (JSON, no row) is a door.
NO_ROW = re.compile(r'"[^"]*"|\'[^\']*\'|\bdetail(\.\w+)*')


def slice_of(model: type[Model]) -> str:
    return model.__module__.split(".")[1]


def own_models() -> list[type[Model]]:
    return [
        model for model in apps.get_app_config("incidents").get_models() if model.__module__.startswith("incidents.")
    ]


def doors_into(name: str) -> dict[str, str]:
    """By accessor: the slice above `name` that owns it. A name that a model of this floor or below has too is no door."""
    above: dict[str, str] = {}
    ours: set[str] = set()
    for model in own_models():
        if FLOORS[slice_of(model)] <= FLOORS[name]:
            ours |= {field.name for field in model._meta.get_fields() if not field.auto_created}
        for relation in model._meta.related_objects:
            owner, accessor = slice_of(relation.related_model), relation.get_accessor_name()
            if accessor is None or owner not in FLOORS or FLOORS[slice_of(model)] > FLOORS[name]:
                continue
            if FLOORS[owner] > FLOORS[name]:
                above[accessor] = owner
            else:
                ours.add(accessor)
    return {accessor: owner for accessor, owner in above.items() if accessor not in ours}


def lookups_in_templates(name: str) -> Iterator[tuple[str, str]]:
    for file in sorted((HERE / "templates" / name).rglob("*.html")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            for parts in EXPRESSION.findall(line):
                for accessor in LOOKUP.findall(NO_ROW.sub("", "".join(parts))):
                    yield accessor, f"{file.relative_to(HERE)}:{number}"


def lookups_in_python(name: str) -> Iterator[tuple[str, str]]:
    """Attributes that are read, and the names by which a query joins: in keywords and in strings of `a__b`."""
    for file in sorted((HERE / "incidents" / name).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            where = f"{file.relative_to(HERE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Attribute):
                yield node.attr, where
            elif isinstance(node, ast.keyword) and node.arg and "__" in node.arg:
                yield node.arg.split("__")[0], f"{file.relative_to(HERE)}:{node.value.lineno}"
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in (
                "prefetch_related",
                "select_related",
                "values",
                "values_list",
                "Count",
                "Exists",
                "F",
                "Prefetch",
            ):
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield argument.value.split("__")[0], where


@pytest.mark.parametrize("name", FLOORS)
def test_a_slice_reads_no_row_of_a_slice_above_it(name: str) -> None:
    doors = doors_into(name)
    used = [
        f"{where}: .{accessor} belongs to {doors[accessor]}"
        for accessor, where in [*lookups_in_templates(name), *lookups_in_python(name)]
        if accessor in doors
    ]
    assert not used, "\n".join(used)


def test_the_walls_would_be_seen_through() -> None:
    """The test above knows the doors that once stood open."""
    doors = doors_into("response")
    assert doors["alerts"] == "alerts"
    assert doors["postmortems"] == "postmortems"
    assert doors["followups"] == "followups"
    assert LOOKUP.findall("incident.postmortems.first") == ["postmortems", "first"]
