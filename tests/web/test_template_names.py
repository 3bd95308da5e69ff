"""Every name that a template reads is there: Django would show nothing in the place of one that was renamed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.template import Context, Template, VariableDoesNotExist
from django.template.base import FilterExpression, Variable
from django.template.context import BaseContext
from django.test import Client

from incidents.alerts.models import Alert, Delivery
from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.public_pages import PublicPage
from incidents.systems.models import System
from tests.pages import LEADS_PAGES, PAGES, numbers_in_database

# Names that a template asks for with {% if %}, and that some of those who render it leave out. Those of components
# (templates/components/) are their options.
OPTIONAL = {"fault", "for_pdf", "link", "note", "oob", "svg_style", "wide"}


def is_renamed(missing: VariableDoesNotExist, *, asked: bool, template: str) -> bool:
    """Tell a name that nobody gives from one that may well be missing: within JSON, a query or nothing at all."""
    name, within = missing.params[:2]
    if not isinstance(within, BaseContext):
        return not isinstance(within, dict | str | None)
    return not (asked and (name in OPTIONAL or template.startswith("components/")))


@pytest.fixture
def renamed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What was read in vain, with the template that read it."""
    found: set[str] = set()
    resolve = FilterExpression.resolve

    def watched(expression: FilterExpression, context: Any, ignore_failures: bool = False) -> Any:
        if isinstance(expression.var, Variable):
            template = str(getattr(context.render_context.template, "name", None))
            try:
                expression.var.resolve(context)
            except VariableDoesNotExist as missing:
                if is_renamed(missing, asked=ignore_failures, template=template):
                    found.add(f"{template}: {expression.token}")
        return resolve(expression, context, ignore_failures)

    monkeypatch.setattr(FilterExpression, "resolve", watched)
    return found


def test_no_page_reads_a_name_that_is_not_there(
    db: None, renamed: set[str], as_person: Callable[[User], Client]
) -> None:
    call_command("load_demo")
    PublicPage.objects.create(system=System.objects.get(slug="home-feed"), name="Home feed", is_on=True)
    # Numbers begin at 1 in every database, rows’ own ids do not.
    rows: dict[str, type[Alert | Delivery | FollowUp]] = {
        "/alerts/1/": Alert,
        "/deliveries/1/": Delivery,
        "/follow-ups/1/": FollowUp,
    }
    client = as_person(User.objects.get(email="ada@example.com"))
    numbers = numbers_in_database()
    for path in numbers.paths((*PAGES, *LEADS_PAGES)):
        if path in rows:
            path = rows[path].objects.latest("pk").get_absolute_url()
        if path.endswith("/events/"):  # the page of one entry
            path += f"{Event.objects.filter(incident__number=numbers.triage).latest('pk').pk}/"
        assert client.get(path).status_code == 200, path
    assert renamed == set()


def test_a_renamed_name_would_be_seen(renamed: set[str], mara: User) -> None:
    template = Template("{% if gone %}{% endif %}{{ person.title }}{{ person.name }}{{ detail.reason }}", name="page")
    template.render(Context({"person": mara, "detail": {}}))
    assert renamed == {"page: gone", "page: person.title"}
