"""The pages: each asks a fixed number of questions, however much there is, and answers whatever it is asked."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from incidents.alerts.models import Alert, Delivery
from incidents.people.models import User
from incidents.response.followers import Follower
from incidents.response.incident import Incident
from reliability.logs import cut_secrets
from tests.pages import numbers_in_database
from tests.security.asking import filled, parameters, routes

# One of each page’s is for the count of unread notifications.
BUDGETS = {
    "/": 26,
    "/notifications/": 13,
    "/incidents/": 16,  # one of them for what contains the contained ones
    "/incidents/?status=all": 16,
    "/incidents/{closed}/": 46,  # four of them for evaluation cases, two for the pagers that were told, one for why nobody knows a clock, one for what only some see of it
    "/incidents/{triage}/": 46,
    "/incidents/{closed}/evidence/": 12,
    "/incidents/{closed}/actions/": 11,
    "/incidents/{closed}/similar/": 19,  # one of them for the postmortems that cover several incidents
    "/status/": 14,
    "/palette/?q=recall": 10,
    "/alerts/?show=all": 16,
    "/alerts/1/": 13,
    "/deliveries/": 11,
    "/deliveries/1/": 12,
    "/rules/": 12,
    "/silences/": 11,
    "/sources/": 9,
    "/channels/": 9,
    "/on-call/": 12,
    "/on-call/assistants/": 21,
    "/systems/": 8,
    "/systems/support-assistant/cases/": 12,
    "/systems/support-assistant/": 41,  # eleven of them for whom a SEV1 would reach
    "/postmortems/?show=all": 13,
    "/postmortems/?q=index": 17,
    "/postmortems/{published}/": 60,
    "/postmortems/{published}/live/?have=summary:0": 12,
    "/postmortems/{published}/history/": 12,
    "/follow-ups/?show=all": 12,  # three of them for the teams, owners and systems to choose from
    "/api/v1/incidents/?status=all": 5,
    "/api/v1/deliveries/": 7,
    "/api/v1/postmortems/": 8,
    "/api/v1/follow-ups/": 4,
}


@pytest.fixture
def everybody(db: None) -> None:
    call_command("load_demo")


def test_no_page_asks_more_the_more_there_is(
    everybody: None, as_person: Callable[[User], Client], key_of: Callable[..., Any], django_assert_max_num_queries: Any
) -> None:
    priya = User.objects.get(email="priya@example.com")
    client, key = as_person(priya), key_of(priya)
    # Numbers begin at 1 in every database, rows’ own ids do not.
    ids = {"/alerts/1/": Alert.objects.latest("pk").pk, "/deliveries/1/": Delivery.objects.latest("pk").pk}
    for path, most in zip(numbers_in_database().paths(tuple(BUDGETS)), BUDGETS.values(), strict=True):
        path = path.replace("/1/", f"/{ids[path]}/") if path in ids else path
        with django_assert_max_num_queries(most):
            answer = client.get(path, headers=key if path.startswith("/api/") else {})
        assert answer.status_code == 200, path


@pytest.mark.parametrize(
    "path",
    [
        "/incidents/?severity=sev9&category=%00&system=x&team=y&q=%25_%5C'%22&before=zzz&since=notadate&until=9999-12-31",
        "/incidents/?q=" + "x" * 5000,
        "/incidents/?q=INC-99999999999999999999",
        "/incidents/99999999/",
        "/alerts/?show=nonsense&before=9999999999999999999999&q=%00&incident=%D9%A3",
        "/alerts/?show=firing&q=a%3D%22b%00%22",
        "/alerts/?show=all&q=" + "9" * 18,
        "/alerts/?show=all&q=system%3Dhome-feed",
        "/deliveries/?q=" + "9" * 18,
        "/rules/99999/",
        "/rules/draft/999/",
        "/silences/new/?matchers=%7B%7B((",
        "/deliveries/?before=-1&source=%00",
        "/follow-ups/?due_since=yesterday&due_until=%00&incident=%D9%A3",
        "/postmortems/?show=%00",
        "/reports/?months=%00&team=%F0%9F%98%80",
        "/i/12",
        "/systems/nobody/",
        "/on-call/nobody/",
        "/on-call/assistants/overrides/new/?start=9999999999&end=%D9%A3",
        "/on-call/assistants/swaps/new/?gives=%F0%9F%98%80",
        "/calendars/x.ics",
    ],
)
def test_no_address_breaks_a_page(
    path: str, mara: User, incident: Incident, as_person: Callable[[User], Client]
) -> None:
    assert as_person(mara).get(path).status_code in (200, 301, 302, 400, 403, 404)


@pytest.mark.parametrize(
    "path", ["/", "/incidents/", "/incidents/new/", "/alerts/", "/reports/", "/account/", "/healthz"]
)
def test_whoever_asks_only_whether_a_page_is_there_is_answered(
    path: str, mara: User, as_person: Callable[[User], Client]
) -> None:
    answer = as_person(mara).head(path)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("path", ["/accounts/login/?next=%00", "/incidents/?q=a%00b", "/incidents/?%00=a"])
def test_an_address_with_nul_is_refused(path: str, mara: User, as_person: Callable[[User], Client]) -> None:
    assert as_person(mara).get(path).status_code == 400


def test_a_form_with_nul_is_refused_signed_in_or_not(mara: User, as_person: Callable[[User], Client]) -> None:
    assert as_person(mara).post("/incidents/new/", {"title": "a\x00b"}).status_code == 400
    assert Client().post("/accounts/login/", {"login": "mara\x00@example.com", "password": "x"}).status_code == 400


def test_a_program_that_sends_nul_is_told_in_which_field(mara: User, key_of: Callable[..., dict[str, str]]) -> None:
    answer = Client().get("/api/v1/incidents/?system=a%00", headers=key_of(mara))
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert (answer.json()["code"], answer.json()["errors"]) == ("invalid", {"system": ["NUL is not text."]})


def test_wrong_input_is_said_where_it_was_typed_and_nothing_is_lost(
    mara: User, as_person: Callable[[User], Client]
) -> None:
    answer = as_person(mara).post("/incidents/new/", {"title": "x" * 201, "severity": "sev9"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "x" * 201 in page
    assert 'aria-invalid="true"' in page
    assert not Incident.objects.exists()


def test_two_who_press_the_same_button_are_told(
    incident: Incident, mara: User, as_person: Callable[[User], Client]
) -> None:
    client = as_person(mara)
    for _ in range(2):
        client.post(f"/incidents/{incident.number}/resolve/", {"note": "The index is fresh again."})
    page = client.get(f"/incidents/{incident.number}/").content.decode()
    assert "INC-1 is resolved, not investigating or contained." in page
    assert incident.events.count() == 2


def test_a_change_needs_a_token_against_forgery(incident: Incident, mara: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(mara)
    assert client.post(f"/incidents/{incident.number}/resolve/").status_code == 403


def test_a_refused_change_leads_back_to_our_own_pages_only(
    incident: Incident, rui: User, as_person: Callable[[User], Client]
) -> None:
    answer = as_person(rui).post(f"/incidents/{incident.number}/resolve/", {"next": "https://evil.example/"})
    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize(
    "header", ["Content-Security-Policy", "X-Frame-Options", "Referrer-Policy", "X-Content-Type-Options"]
)
def test_every_page_carries_its_protection(mara: User, as_person: Callable[[User], Client], header: str) -> None:
    answer = as_person(mara).get("/incidents/")
    assert answer[header]
    assert "unsafe" not in answer["Content-Security-Policy"]


class TestFirstRun:
    def test_an_empty_faultline_asks_for_its_first_administrator_once(self, db: None, client: Client) -> None:
        assert client.get("/")["Location"] == "/welcome/"
        form = {"name": "Ada", "email": "ada@example.com", "password": "correct horse battery", "team": "Response"}
        assert client.post("/welcome/", form | {"password": "short"}).status_code == 422
        assert client.post("/welcome/", form)["Location"] == "/"
        ada = User.objects.get()
        assert (ada.is_superuser, [str(team) for team in ada.teams.all()]) == (True, ["Response"])
        assert client.get("/incidents/").status_code == 200
        assert client.get("/welcome/").status_code == 404
        assert Client().post("/welcome/", form | {"email": "eve@example.com"}).status_code == 404


class TestSigningIn:
    def test_by_e_mail_in_any_case(self, mara: User, client: Client) -> None:
        answer = client.post("/accounts/login/", {"login": "MARA@example.com", "password": "faultline-demo"})
        assert (answer.status_code, answer["Location"]) == (302, "/")

    def test_a_forgotten_password_is_reset_by_mail(self, mara: User, client: Client, mailoutbox: list[Any]) -> None:
        client.post("/accounts/password/reset/", {"email": "mara@example.com"})
        link = next(word for word in mailoutbox[0].body.split() if "/accounts/password/reset/key/" in word)
        page = client.get("/" + link.split("/", 3)[3], follow=True)
        path = page.redirect_chain[-1][0]
        client.post(path, {"password1": "a quite new one", "password2": "a quite new one"})
        mara.refresh_from_db()
        assert mara.check_password("a quite new one")

    def test_nobody_signs_up_by_themselves(self, db: None, client: Client) -> None:
        assert "By invitation" in client.get("/accounts/signup/").content.decode()

    def test_the_administrators_site_opens_for_administrators_only(
        self, ada: User, jo: User, as_person: Callable[[User], Client]
    ) -> None:
        assert as_person(ada).get("/admin/incidents/user/").status_code == 200
        assert as_person(jo).get("/admin/incidents/user/").status_code == 302
        assert (
            Client().post("/admin/login/", {"username": "ada@example.com", "password": "faultline-demo"}).status_code
            == 302
        )


@pytest.mark.parametrize(
    "line",
    [
        "POST /ingest/0123456789abcdef0123456789abcdef",
        "key flk_0123456789abcdef0123",
        "Authorization: Bearer abc.def",
        "Basic dTpw",
    ],
)
def test_no_secret_reaches_a_log_line(line: str) -> None:
    cut = cut_secrets(None, "", f"before {line} after")
    assert "[cut]" in cut
    assert cut.startswith("before")
    assert cut.endswith("after")
    assert not any(secret in cut for secret in ("0123456789abcdef", "abc.def", "dTpw"))


def test_no_address_that_is_a_secret_reaches_a_log_line() -> None:
    """Whoever has such an address needs no password, and logs are read by more people than it was given to."""
    values = {
        "token": "0123456789abcdef" * 2,
        "secret": "Zq-0123456789abcdef_01",
        "uidb36": "3",
        "key": "dive0r-0123456789abcdef",
    }
    opening = [route for route in routes() if {"token", "secret"} & set(parameters(route)) or "reset/key/(" in route]
    assert len(opening) >= 8
    for route in opening:
        cut = cut_secrets(None, "", f"GET {filled(route, values)} 404")
        assert "[cut]" in cut, route
        assert "0123456789abcdef" not in cut, cut


def test_a_key_and_a_token_are_shown_once_and_not_kept_by_caches(jo: User, as_person: Callable[[User], Client]) -> None:
    client = as_person(jo)
    made = client.post("/account/keys/", {"name": "CI", "scopes": ["read"], "days": 30})
    assert "flk_" in made.content.decode()
    assert made["Cache-Control"] == "no-store"
    team = jo.teams.get().pk
    connected = client.post("/sources/new/alertmanager/", {"name": "Prometheus", "team": team})
    assert connected["Cache-Control"] == "no-store"
    assert "send_resolved: true" in connected.content.decode()


def test_the_account_lists_what_one_follows_and_may_still_see(
    incident: Incident, rui: User, as_person: Callable[[User], Client]
) -> None:
    Follower.objects.create(person=rui, incident=incident)
    Follower.objects.create(person=rui, system=incident.system)
    page = as_person(rui).get("/account/").content.decode()
    assert incident.title in page
    Incident.objects.filter(pk=incident.pk).update(private=True)
    page = as_person(rui).get("/account/").content.decode()
    assert incident.title not in page
    assert "support-assistant" in page
