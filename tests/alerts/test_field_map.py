"""A field map: JSON of any shape, read by expressions."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.alerts.bodies import Unreadable
from incidents.alerts.claims import Claim
from incidents.alerts.sources import mapped


class TestAMapOfOnesOwn:
    MAP = {
        "items": "events",
        "title": "name",
        "key": "id",
        "status": "phase",
        "resolved": "done, finished",
        "severity": "level",
        "labels": "tags",
    }
    BODY = {
        "events": [{"id": 7, "name": "Index is stale", "phase": "DONE", "level": "P1", "tags": ["system:policy-index"]}]
    }

    def test_it_reads_what_nobody_foresaw(self) -> None:
        (claim,) = mapped.reader(self.MAP)(json.dumps(self.BODY).encode(), {})
        assert isinstance(claim, Claim)
        assert (claim.says, claim.title, claim.severity, claim.identity) == (
            "resolved",
            "Index is stale",
            "critical",
            ("key/1", "7"),
        )
        assert claim.system_name == "policy-index"

    @pytest.mark.parametrize(("expression", "said"), [("nothing", "no list"), ("events[0]", "no list")])
    def test_a_list_that_is_none_is_said(self, expression: str, said: str) -> None:
        with pytest.raises(Unreadable, match=said):
            mapped.reader(self.MAP | {"items": expression})(json.dumps(self.BODY).encode(), {})

    @pytest.mark.parametrize("expression", ["a[", "]", "nope(a)" * 90, "(" * 200])
    def test_an_expression_that_cannot_be_is_said_before_it_is_kept(self, expression: str) -> None:
        assert mapped.FieldMap.of({"title": expression}).errors()["title"]

    @settings(max_examples=300, deadline=None)
    @given(expression=st.text(max_size=60), body=st.recursive(st.none() | st.integers() | st.text(), st.lists))
    def test_no_expression_breaks_a_worker(self, expression: str, body: Any) -> None:
        with contextlib.suppress(Unreadable):
            mapped.reader({"title": expression, "labels": expression})(json.dumps(body).encode(), {})
