"""People: how accounts are made, found and left."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from incidents.people.adapter import InviteOnly, display_name
from incidents.people.models import Role, User, check_time_zone


class TestAccounts:
    def test_an_address_is_stored_as_mail_servers_read_it(self, db: None) -> None:
        assert User.objects.create_user(" Mara@EXAMPLE.com ", name="Mara").email == "Mara@example.com"

    def test_one_address_in_any_case_has_one_account(self, mara: User) -> None:
        with pytest.raises(IntegrityError, match="one_user_per_email"), transaction.atomic():
            User.objects.create_user("MARA@example.com", name="Another Mara")
        assert User.objects.get_by_natural_key("MARA@EXAMPLE.COM") == mara

    def test_without_a_password_nobody_signs_in(self, db: None) -> None:
        user = User.objects.create_user("new@example.com", name="New")
        assert not user.has_usable_password()
        assert not user.check_password("")

    def test_an_ordinary_account_administers_nothing(self, mara: User, ada: User) -> None:
        assert (mara.is_staff, mara.is_superuser) == (False, False)
        assert (ada.is_staff, ada.is_superuser) == (True, True)

    def test_those_who_left_are_not_among_the_active_who_are_listed_by_name(self, mara: User, jo: User) -> None:
        User.objects.create_user("ben@example.com", name="ben lower")
        User.objects.create_user("gone@example.com", name="Gone", is_active=False)
        assert [user.name for user in User.objects.active()] == ["ben lower", "Jo Lindqvist", "Mara Okafor"]

    @pytest.mark.parametrize(
        ("name", "display", "initials"),
        [
            ("Mara Okafor", "Mara Okafor", "MO"),
            ("ada", "ada", "A"),
            ("", "x@example.com", "X"),
            ("A B C", "A B C", "AB"),
        ],
    )
    def test_somebody_without_a_name_goes_by_the_address(self, name: str, display: str, initials: str) -> None:
        user = User(name=name, email="x@example.com")
        assert (str(user), display_name(user), user.initials) == (display, display, initials)


class TestSomebodyWhoLeft:
    def test_cannot_sign_in(self, mara: User, client: Client) -> None:
        User.objects.filter(pk=mara.pk).update(is_active=False)
        client.post("/accounts/login/", {"login": "mara@example.com", "password": "faultline-demo"})
        assert "_auth_user_id" not in client.session

    def test_is_signed_out_everywhere_at_once(self, mara: User, as_person: Callable[[User], Client]) -> None:
        browser = as_person(mara)
        assert browser.get("/incidents/").status_code == 200
        User.objects.filter(pk=mara.pk).update(is_active=False)
        assert browser.get("/incidents/").status_code == 302


class TestTimeZones:
    @pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
    def test_names_of_the_tz_database_are_taken(self, name: str) -> None:
        check_time_zone(name)

    @pytest.mark.parametrize("name", ["", "Berlin", "CEST", "+02:00", "../../etc/passwd", "Europe/Berlin "])
    def test_anything_else_is_refused_with_an_example(self, name: str) -> None:
        with pytest.raises(ValidationError, match="Europe/Berlin"):
            check_time_zone(name)

    def test_one_is_chosen_by_its_region_and_city(self, mara: User, as_person: Callable[[User], Client]) -> None:
        client = as_person(mara)
        page = client.get("/account/").content.decode()
        assert '<option value="UTC" selected>UTC</option>' in page
        assert '<option value="America/Argentina/Buenos_Aires">Argentina, Buenos Aires</option>' in page
        assert 'value="localtime"' not in page, "a computer's own, whichever that is"
        for name in ("Europe/Berlin", "US/Eastern"):
            assert client.post("/account/", {"name": "Mara", "time_zone": name, "theme": ""}).status_code == 302
            assert f'<option value="{name}" selected>' in client.get("/account/").content.decode()

    def test_a_wrong_one_is_refused_where_it_is_chosen(self, mara: User, as_person: Callable[[User], Client]) -> None:
        answer = as_person(mara).post("/account/", {"name": "Mara", "time_zone": "Mars/Base", "theme": ""})
        assert answer.status_code == 422
        assert "Choose a time zone from the list." in answer.content.decode()
        mara.refresh_from_db()
        assert mara.time_zone == "UTC"

    def test_pages_show_the_time_of_whoever_looks_and_of_nobody_after(
        self, mara: User, as_person: Callable[[User], Client]
    ) -> None:
        User.objects.filter(pk=mara.pk).update(time_zone="Asia/Kolkata")
        assert as_person(mara).get("/account/").status_code == 200
        assert timezone.localtime(datetime(2026, 1, 1, tzinfo=UTC)).hour == 0, "the zone ends with the request"


class TestAllauth:
    def test_it_asks_our_adapter_which_is_closed_to_sign_ups(self) -> None:
        adapter = get_adapter()
        assert isinstance(adapter, InviteOnly)
        assert adapter.is_open_for_signup(None) is False


def test_roles_rise_in_the_order_they_are_listed() -> None:
    assert [role.label for role in Role] == ["Viewer", "Responder", "Lead", "Admin"]
    assert Role.LEAD.and_above() == ["lead", "admin"]
