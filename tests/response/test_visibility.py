"""A private incident is invisible in everything about it, to everybody it does not name."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Delivery, Source
from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.response.incident import Incident
from incidents.systems.models import System

CANARY = "Zanzibar"


@pytest.fixture
def secret(
    evaluations: tuple[Source, str], post: Callable[..., Any], support_assistant: System, mara: User
) -> Incident:
    """A private incident with an alert, a delivery, a note, a postmortem and a follow-up, all carrying a canary."""
    post(evaluations[1], {"title": f"{CANARY} leaked", "metric": "pii_leakage", "system": "support-assistant"})
    drain()
    incident = Incident.objects.get()
    incident.acknowledge(by=mara)
    incident.add_note(f"About {CANARY}", by=mara)
    incident.resolve(by=mara)
    Postmortem.objects.begin(incident, by=mara).sections.get(key="summary").write(CANARY, by=mara, base="")
    FollowUp.objects.add(incident, title=f"Protect {CANARY}", by=mara, owner=mara)
    incident.restrict([], by=mara)
    return incident


def pages_about(incident: Incident) -> list[str]:
    alert, delivery = Alert.objects.get(), Delivery.objects.get()
    number = incident.number
    return [
        f"/incidents/{number}/",
        f"/incidents/{number}/clocks/detected_at/",
        f"/incidents/{number}/impact/more/",
        f"/incidents/{number}/follow-ups/new/",
        f"/alerts/{alert.pk}/",
        f"/deliveries/{delivery.pk}/",
        f"/postmortems/{number}/",
        f"/postmortems/{number}/markdown/",
        f"/follow-ups/{FollowUp.objects.get().pk}/",
        f"/api/v1/incidents/{number}/",
        f"/api/v1/incidents/{number}/events/",
        f"/api/v1/alerts/{alert.pk}/",
        f"/api/v1/deliveries/{delivery.pk}/",
        f"/api/v1/postmortems/{number}/",
        f"/api/v1/follow-ups/{FollowUp.objects.get().pk}/",
    ]


LISTS = (
    "/incidents/?status=all",
    f"/incidents/?status=all&q={CANARY.lower()}",
    "/alerts/?show=all",
    f"/alerts/?show=all&q={CANARY.lower()}",
    "/deliveries/",
    "/sources/nightly-evaluations/",
    "/systems/support-assistant/",
    "/postmortems/?show=all",
    "/follow-ups/?show=all",
    "/reports/?months=3",
    "/reports/trust/",
    "/reports/trust/support-assistant/",
    "/reports/incidents.json?months=3",
    "/api/v1/reports/trends?months=3",
    "/api/v1/incidents/?status=all",
    "/api/v1/alerts/",
    "/api/v1/deliveries/",
    "/api/v1/postmortems/",
    "/api/v1/follow-ups/",
)


def ask(client: Client, path: str, key: dict[str, str]) -> Any:
    return client.get(path, headers=key if path.startswith("/api/") else {})


@pytest.mark.parametrize("who", ["jo", "rui", "sam", "ada"])
def test_nobody_else_finds_it_anywhere(
    secret: Incident,
    who: str,
    request: pytest.FixtureRequest,
    as_person: Callable[[User], Client],
    key_of: Callable[..., Any],
) -> None:
    stranger: User = request.getfixturevalue(who)
    client, key = as_person(stranger), key_of(stranger)
    for path in pages_about(secret):
        answer = ask(client, path, key)
        assert answer.status_code == 404, path
        assert CANARY not in answer.content.decode(), path
    for path in LISTS:
        answer = ask(client, path, key)
        assert answer.status_code == 200, path
        assert CANARY not in answer.content.decode(), path


def test_the_people_it_names_find_it_everywhere(
    secret: Incident, mara: User, as_person: Callable[[User], Client], key_of: Callable[..., Any]
) -> None:
    client, key = as_person(mara), key_of(mara)
    for path in pages_about(secret):
        assert ask(client, path, key).status_code == 200, path


def test_a_verb_on_it_is_404_too(secret: Incident, jo: User, as_person: Callable[[User], Client]) -> None:
    for verb in ("reopen", "close", "severity", "notes", "private", "merge"):
        assert as_person(jo).post(f"/incidents/{secret.number}/{verb}/", {"reason": "x"}).status_code == 404
    secret.refresh_from_db()
    assert secret.status == "resolved"


OPEN_TO_ALL = {
    "act",
    "unsubscribe",
    "ingest",
    "ingest-token",
    "pager-in",
    "healthz",
    "readyz",
    "home",
    "first-run",
    "schema",
    "docs",
    "public",
    "public-feed",
    "shared",
    "on-call-calendar",
}


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> list[tuple[str, str | None]]:
    found = []
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += routes(pattern.url_patterns, path)
        else:
            found.append((path, pattern.name))
    return found


def test_every_page_asks_who_you_are(db: None, client: Client) -> None:
    """Walks all routes, so that one added without a thought fails here."""
    checked = 0
    for path, name in routes(get_resolver().url_patterns):
        # Endpoints ask for a token or a key; tests/alerts/test_endpoints.py asks each.
        if path.startswith(("accounts/", "admin/", "ingest", "v2/", "^v2/")) or name in OPEN_TO_ALL or name is None:
            continue
        filled = "/" + re.sub(r"<\w+:\w+>", "1", path.replace("<uuid:pk>", str(UUID(int=1))))
        if "^" in filled:  # the API’s routes are regular expressions
            filled = filled.replace("^", "").replace("$", "").replace("\\Z", "")
            filled = re.sub(r"\(\?P<\w+>[^()]*\)", "1", filled)
        for answer in (client.get(filled), client.post(filled)):
            assert answer.status_code in (301, 302, 401, 403, 405), f"{filled} answered {answer.status_code}"
            if answer.status_code == 302 and not path.startswith("i/"):
                assert answer["Location"].startswith("/accounts/login/"), filled
        checked += 1
    assert checked > 60


def test_making_it_private_keeps_its_lead_and_whoever_does_it(
    incident: Incident, mara: User, jo: User, rui: User, sam: User
) -> None:
    incident.restrict([rui], by=jo)
    assert incident.lead == mara
    assert set(incident.people.all()) == {mara, jo, rui}
    for person, sees in ((mara, True), (jo, True), (rui, True), (sam, False)):
        assert Incident.objects.visible_to(person).filter(pk=incident.pk).exists() is sees


def test_one_declared_private_names_its_lead_and_whoever_declares_it(mara: User, jo: User, sam: User) -> None:
    incident = Incident.objects.declare(title="A leaked transcript", by=mara, lead=jo, private=True)
    assert set(incident.people.all()) == {mara, jo}
    assert not Incident.objects.visible_to(sam).filter(pk=incident.pk).exists()
