"""What an incident did."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response import impact as impacts
from incidents.response.impact import Harm, Reversible, suggest_severity
from incidents.response.incident import Incident
from incidents.response.quantities import CURRENCIES, amount, decimals_of, smallest, written
from incidents.response.vocabulary import Severity

Page = Callable[[User], Client]


class TestImpact:
    def test_unknown_stays_unknown(self, incident: Incident, mara: User) -> None:
        with pytest.raises(Refused, match="say how you know"):
            impacts.expose(incident, "outputs", by=mara, estimate=10)
        with pytest.raises(Refused, match="outside its interval"):
            impacts.expose(incident, "outputs", by=mara, estimate=10, low=20, how="Log")
        with pytest.raises(Refused, match="needs an estimate"):
            impacts.expose(incident, "outputs", by=mara, estimate=None, high=20)
        assert not incident.exposures.exists()

    def test_what_is_said_again_records_nothing(self, incident: Incident, mara: User) -> None:
        for _ in range(2):
            impacts.expose(incident, "users", by=mara, estimate=0, how="Nobody was served")
            impacts.assess(incident, by=mara, harm=Harm.NEAR_MISS)
        assert incident.events.filter(kind="impact").count() == 2
        assert incident.exposures.get().estimate == 0, "zero is a number, unlike unknown"
        impacts.expose(incident, "users", by=mara, estimate=None)
        assert not incident.exposures.exists()

    @given(
        most=st.integers(0, 10**9),
        tier=st.sampled_from([1, 2, 3]),
        harm=st.sampled_from(Harm.values),
        reversible=st.sampled_from(Reversible.values),
    )
    def test_more_harm_never_suggests_less(self, most: int, tier: int, harm: str, reversible: str) -> None:
        def rank(count: int, tier: int, reversible: str) -> int:
            found = suggest_severity({"outputs": count}, tier=tier, harm=harm, reversible=reversible)
            assert found
            return found.severity.rank

        here = rank(most, tier, reversible)
        assert rank(most * 10 + 1, tier, reversible) >= here
        assert rank(most, max(tier - 1, 1), reversible) >= here
        assert rank(most + 1, tier, Reversible.IRREVERSIBLE) >= rank(most + 1, tier, reversible)
        if harm in (Harm.NEAR_MISS, Harm.ISSUE):
            assert here <= Severity.SEV3.rank

    def test_the_page_suggests_and_a_person_decides(self, incident: Incident, mara: User, as_person: Page) -> None:
        client = as_person(mara)
        address = f"/incidents/{incident.number}/impact/"
        kept = client.post(address, {"outputs-estimate": "12400", "note": "So far"})
        assert kept.status_code == 422
        assert "Say how you know" in kept.content.decode()
        assert 'value="12400"' in kept.content.decode()
        client.post(address, {"outputs-estimate": "12400", "outputs-how": "Query log", "harm": "event"})
        shown = client.get(f"/incidents/{incident.number}/").content.decode()
        assert "12,400" in shown
        assert "Set SEV1" in shown
        assert "12,400 outputs, tier 1" in shown
        incident.refresh_from_db()
        assert incident.severity == "sev2"


class TestQuantities:
    @given(parts=st.integers(0, 10**18), unit=st.sampled_from([*CURRENCIES, "hours", "outputs"]))
    def test_an_amount_comes_back_as_it_was_typed(self, parts: int, unit: str) -> None:
        assert smallest(amount(parts, unit), unit) == parts
        assert smallest(Decimal(written(parts, unit).replace(",", "")), unit) == parts

    def test_a_currency_has_its_own_decimals_and_counts_have_none(self) -> None:
        assert [decimals_of(unit) for unit in ("EUR", "JPY", "KWD", "hours", "outputs")] == [2, 0, 3, 2, 0]
        assert [written(120050, "EUR"), written(120000, "EUR"), written(12400, "JPY")] == [
            "1,200.50",
            "1,200",
            "12,400",
        ]
        with pytest.raises(ValueError, match="EUR"):
            smallest(Decimal("0.005"), "EUR")


class TestMoney:
    def test_each_currency_is_a_row_of_its_own_and_nothing_is_converted(self, incident: Incident, mara: User) -> None:
        for unit, estimate in (("EUR", Decimal("1200.50")), ("USD", 300), ("hours", Decimal("1.5")), ("tokens", 10**9)):
            impacts.expose(incident, unit, by=mara, estimate=estimate, how="Ledger")
        told = [(row.label, str(row)) for row in incident.exposures.all()]
        assert told == [
            ("Hours of work", "about 1.50"),
            ("Money, EUR", "about 1,200.50 EUR"),
            ("Money, USD", "about 300 USD"),
            ("Tokens", "about 1,000,000,000"),
        ]
        impacts.expose(incident, "EUR", by=mara, estimate=None)
        assert not incident.exposures.filter(currency="EUR").exists()
        assert incident.exposures.filter(currency="USD").exists()

    @pytest.mark.parametrize(
        ("unit", "amounts", "field"),
        [
            ("XXX", {"estimate": 1}, "of"),
            ("money", {"estimate": 1}, "of"),
            ("EUR", {"estimate": Decimal("0.001")}, "estimate"),
            ("outputs", {"estimate": Decimal("1.5")}, "estimate"),
            ("EUR", {"estimate": 2, "low": 3}, "estimate"),
            ("EUR", {"estimate": 10**15 + 1}, "estimate"),
            ("EUR", {"estimate": 1, "corrected": -1}, "corrected"),
            ("EUR", {"estimate": None, "high": 3}, "estimate"),
            ("EUR", {"estimate": 1, "how": " "}, "how"),
        ],
    )
    def test_what_is_no_amount_is_refused_at_its_field(
        self, incident: Incident, mara: User, unit: str, amounts: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(Refused) as refused:
            impacts.expose(incident, unit, by=mara, **{"how": "Ledger"} | amounts)
        assert list(refused.value.message_dict) == [field]
        assert not incident.exposures.exists()

    @pytest.mark.parametrize("columns", [{"of": "money"}, {"of": "users", "currency": "EUR"}])
    def test_the_database_keeps_currencies_to_money(self, incident: Incident, columns: dict[str, str]) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            incident.exposures.create(estimate=1, how="Ledger", **columns)

    def test_money_suggests_no_severity_and_talks_none_down(self, incident: Incident, mara: User) -> None:
        def suggested() -> Any:
            assessed = impacts.Impact.objects.filter(incident=incident).first()
            return impacts.suggested_for(incident, impact=assessed, exposures=list(incident.exposures.all()))

        impacts.expose(incident, "EUR", by=mara, estimate=10**12, how="Ledger")
        assert suggested() is None, "how bad an amount is, a team knows"
        incident.set_severity("sev1", by=mara)
        impacts.assess(incident, by=mara, harm=Harm.EVENT, reversible=Reversible.REVERSIBLE)
        impacts.expose(incident, "actions", by=mara, estimate=5, how="Log")
        assert suggested() is None, "the money may be the worst of it"
        impacts.expose(incident, "EUR", by=mara, estimate=None)
        assert suggested().severity == "sev4"

    def test_the_timeline_says_the_amount_as_it_was_typed(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        impacts.expose(incident, "EUR", by=mara, estimate=Decimal("1200.50"), low=1000, how="Ledger")
        page = " ".join(as_person(mara).get(incident.get_absolute_url()).content.decode().split())
        assert "Money, EUR about 1,200.50 EUR, Ledger" in page
        assert "(1,000 to ?)" in page
        assert "120,050" not in page

    def test_a_program_says_money_with_its_currency_and_reads_every_cent(
        self, incident: Incident, mara: User, client: Client, key_of: Callable[..., Any]
    ) -> None:
        address, headers = f"/api/v1/incidents/{incident.number}/exposure/", key_of(mara)

        def post(**sent: Any) -> Any:
            return client.post(address, sent, content_type="application/json", headers=headers)

        rows = post(of="money", currency="EUR", estimate="1200.50", low=1000, how="Ledger", evidence="Q3").json()
        assert (rows[0]["estimate"], rows[0]["low"], rows[0]["high"]) == ("1200.50", "1000.00", None)
        assert post(of="tokens", estimate=5, how="Log").json()[1]["estimate"] == 5
        assert client.get(address, headers=headers).json()[0]["evidence"] == "Q3"
        for sent, field in (
            ({"of": "money"}, "currency"),
            ({"of": "users", "currency": "EUR"}, "currency"),
            ({"of": "money", "currency": "EURO"}, "currency"),
            ({"of": "money", "currency": "JPY", "estimate": "1.5"}, "estimate"),
            ({"of": "money", "currency": "EUR", "estimate": "NaN"}, "estimate"),
        ):
            refused = post(**{"estimate": 1, "how": "Ledger"} | sent)
            assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
