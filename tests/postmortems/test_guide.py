"""What postmortems ask is data, in versions."""

from collections.abc import Callable

import pytest
from django.test import Client

from incidents.errors import Refused
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.guide import BUILT_IN, Guide, GuidePart

As = Callable[[User], Client]


class TestGuide:
    def test_a_new_version_is_asked_from_now_on_and_what_was_begun_keeps_its_own(
        self, postmortem: Postmortem, ada: User, another: Callable[[str], Postmortem]
    ) -> None:
        extra = GuidePart("fairness", "Fairness", "Who bore it?", 5, questions=("Which groups were hit more?",))
        Guide.objects.publish([*BUILT_IN, extra], {"retrieval": ["Only this?"]}, note="Fairness", by=ada, over=1)
        later = another("Recall fell")
        assert "fairness" in [part.key for part in later.parts()]
        assert "fairness" not in [part.key for part in postmortem.parts()]
        assert later.guide.questions_for("retrieval") == ["Only this?"]
        with pytest.raises(Refused, match="version 2 meanwhile"):
            Guide.objects.publish(BUILT_IN, {}, note="", by=ada, over=1)
        with pytest.raises(Refused, match="cannot be left out"):
            Guide.objects.publish(BUILT_IN[1:], {}, note="", by=ada, over=2)

    def test_administrators_change_it_on_its_page_and_others_read_it(
        self, postmortem: Postmortem, ada: User, mara: User, as_person: As
    ) -> None:
        assert as_person(mara).get("/postmortems/guide/").status_code == 200
        page = as_person(ada).get("/postmortems/guide/")
        form = page.context["forms"]
        given = {
            "over": "1",
            "note": "Shorter",
            f"{form.prefix}-TOTAL_FORMS": str(len(form.forms)),
            f"{form.prefix}-INITIAL_FORMS": str(form.initial_form_count()),
        }
        for one in form.forms:
            for name, field in one.fields.items():
                value = one.initial.get(name, field.initial)
                if value not in (None, False):
                    given[f"{one.prefix}-{name}"] = str(value)
        given["part-0-questions"] = "What did users get?"
        given[f"part-{len(form.forms) - 1}-title"] = "Fairness"
        for category, text in page.context["prompts"]:
            given[f"prompts-{category.code}"] = text
        assert as_person(mara).post("/postmortems/guide/", given).status_code == 403
        answer = as_person(ada).post("/postmortems/guide/", given)
        assert answer.status_code == 302, answer.content.decode()[-3000:]
        newest = Guide.objects.current()
        assert newest.number == 2
        assert newest.part("summary").questions == ("What did users get?",)
        assert newest.part("fairness").title == "Fairness"
        assert newest.prompts == {}, "what was not changed follows the taxonomy"
        assert as_person(mara).get("/postmortems/guide/1/").status_code == 200
