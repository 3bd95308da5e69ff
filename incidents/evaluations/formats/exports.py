"""Cases in the formats of tools: each is a renaming of the fields of the canonical one. Pure.

The canonical form is `schema.json` beside this module: one JSON object a line. Nothing is left out of a renaming: what a
tool has no field for stands in its metadata.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Line = dict[str, Any]
SCHEMA = Path(__file__).with_name("schema.json")


@dataclass(frozen=True, slots=True)
class ExportFormat:
    name: str
    media_type: str
    ending: str
    write: Callable[[list[Line]], str]


def _lines(rows: Iterable[Line]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _facts(line: Line) -> Line:
    """What identifies a case and sorts it, as metadata."""
    return {name: line[name] for name in ("id", "version", "title", "tags", "severity", "failure_mode", "incident")}


def _name(line: Line) -> str:
    """Its key and version, as results name it."""
    return f"{line['id']}@{line['version']}"


# promptfoo: `tests: file://cases.jsonl`, with a prompt that holds {{input}} and may hold {{context}}

_ASSERTIONS = {"contains": "icontains", "not_contains": "not-icontains", "regex": "regex", "cites": "icontains"}


def _promptfoo_assertion(check: Line) -> Line:
    kind, value = check["type"], check["value"]
    match kind:
        case "json_schema":
            return {"type": "is-json", "value": value}
        case "equals":
            return {"type": "javascript", "value": f"output.trim() === {_in_script(value.strip())}"}
        case "retrieved":
            return _listed(kind, "retrieved", value)
        case "tool_called":
            return _listed(kind, "tools", value)
        case "tool_not_called":
            return _listed(kind, "tools", value, negate="!")
    return {"type": _ASSERTIONS[kind], "value": value}


def _in_script(value: str) -> str:
    """A text in a script, from which promptfoo's own templates expand nothing."""
    return json.dumps(value).replace("{", "\\u007b").replace("}", "\\u007d")


def _listed(kind: str, name: str, value: str, *, negate: str = "") -> Line:
    """What the provider says beside its output, in the response’s metadata: ids of passages, names of tools."""
    names = f"(context.providerResponse?.metadata?.{name} ?? []).map((one) => String(one).toLowerCase())"
    script = f"{negate}{names}.includes({_in_script(value.lower())})"
    return {"type": "javascript", "value": script, "metric": kind}


def _promptfoo(line: Line) -> Line:
    rubric = [{"type": "llm-rubric", "value": line["rubric"]}] if line["rubric"] else []
    return {
        "description": f"{_name(line)} {line['title']}",
        "vars": {
            "input": line["input"],
            "context": "\n\n".join(passage["text"] for passage in line["context"]),
            "expected": line["expected"],
            "must_not": line["must_not"],
        },
        "assert": [*map(_promptfoo_assertion, line["checks"]), *rubric],
        "metadata": _facts(line),
        # A text that begins with a dash or holds a comma is one value, never a list of cases.
        "options": {"disableVarExpansion": True},
    }


# Inspect: `json_dataset("cases.jsonl")`


def _inspect(line: Line) -> Line:
    return {
        "id": _name(line),
        "input": line["input"],
        "target": line["expected"],
        "metadata": _facts(line) | {name: line[name] for name in ("context", "must_not", "rubric", "checks")},
    }


# DeepEval: `EvaluationDataset().add_goldens_from_json_file("cases.json")`


def _deepeval(line: Line) -> Line:
    tools = [check["value"] for check in line["checks"] if check["type"] == "tool_called"]
    return {
        "name": _name(line),
        "input": line["input"],
        "expected_output": line["expected"] or None,
        "context": [passage["text"] for passage in line["context"]] or None,
        "expected_tools": [{"name": tool} for tool in tools] or None,
        "comments": line["rubric"] or None,
        "additional_metadata": _facts(line) | {name: line[name] for name in ("must_not", "rubric", "checks")},
    }


# Langfuse: each line is the body of POST /api/public/dataset-items; the id is unique in a project


def _langfuse(line: Line) -> Line:
    return {
        "datasetName": line["system"],
        "id": f"{line['system']}-{line['id']}",
        "input": {"input": line["input"], "context": line["context"]},
        "expectedOutput": line["expected"] or None,
        "metadata": _facts(line) | {name: line[name] for name in ("must_not", "rubric", "checks")},
        "status": "ACTIVE",
    }


def _pytest(lines: list[Line]) -> str:
    template = Path(__file__).with_name("test_cases.py.txt").read_text(encoding="utf-8")
    # JSON in ASCII, in a raw text between quotes that JSON never holds three of in a row unescaped.
    cases = "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in lines)
    return template.replace("@CASES@", cases.replace("'", "\\u0027"))


FORMATS = {
    "jsonl": ExportFormat("Faultline JSONL", "application/x-ndjson", "jsonl", _lines),
    "promptfoo": ExportFormat("promptfoo", "application/x-ndjson", "jsonl", lambda rows: _lines(map(_promptfoo, rows))),
    "inspect": ExportFormat("Inspect", "application/x-ndjson", "jsonl", lambda rows: _lines(map(_inspect, rows))),
    "deepeval": ExportFormat(
        "DeepEval",
        "application/json",
        "json",
        lambda rows: json.dumps([_deepeval(row) for row in rows], ensure_ascii=False, indent=1) + "\n",
    ),
    "langfuse": ExportFormat("Langfuse", "application/x-ndjson", "jsonl", lambda rows: _lines(map(_langfuse, rows))),
    "pytest": ExportFormat("pytest", "text/x-python", "py", _pytest),
}
