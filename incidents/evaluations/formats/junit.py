"""JUnit XML, as pytest and most test runners write it: one try for each `testcase`, which names its case. Pure.

Read by expat as a stream: a document type, and with it every entity, is refused; depth and number are bounded. A skipped
test says nothing. `failure` and `error` are both no pass: an answer that broke the test was no right answer.
"""

from xml.parsers import expat

from incidents.evaluations.formats.reports import LONGEST_NOTE, RunReport, Tries, UnreadableReport

DEEPEST = 50


def read(body: bytes) -> RunReport:
    """Read a report. Raises UnreadableReport."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
        raise UnreadableReport(f"The body is not XML: {str(error)[:120]}.") from None
    if not reader.is_junit:
        raise UnreadableReport("The XML has no “testsuite”, so it is no JUnit report.")
    return RunReport(format="junit", results=tuple(reader.tries.reports()), unnamed=reader.tries.unnamed)


def _refuse(*_: object) -> None:
    raise UnreadableReport("A report may have neither a document type nor entities.")


class _Reader:
    def __init__(self) -> None:
        self.tries = Tries()
        self.is_junit = False
        self.depth = 0
        self.names: tuple[str, ...] | None = None  # of the test case that is open
        self.outcome = "passed"
        self.note = ""
        self.is_in_failure = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnreadableReport(f"The XML is nested more than {DEEPEST} levels deep.")
        match tag:
            case "testsuite" | "testsuites":
                self.is_junit = True
            case "testcase":
                self.names = (attributes.get("name", ""), attributes.get("classname", ""))
                self.outcome, self.note = "passed", ""
            case "failure" | "error" if self.names is not None:
                self.outcome, self.note, self.is_in_failure = "failed", attributes.get("message", ""), True
            case "skipped" if self.names is not None:
                self.outcome = "skipped"
            case "property" if self.names is not None and attributes.get("name") == "case":
                self.names = (attributes.get("value", ""), *self.names)

    def text(self, text: str) -> None:
        if self.is_in_failure and len(self.note) < LONGEST_NOTE:
            self.note = f"{self.note} {text}" if self.note else text

    def end(self, tag: str) -> None:
        self.depth -= 1
        if tag in ("failure", "error"):
            self.is_in_failure = False
        if tag == "testcase" and self.names is not None:
            if self.outcome != "skipped":
                self.tries.add(self.names, passed=self.outcome == "passed", note=self.note)
            self.names = None
