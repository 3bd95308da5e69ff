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
        client, address = as_person(mara), f"/incidents/{incident.number}/impact/"
        client.post(f"{address}more/", {"estimate": "12400", "of": "outputs", "how": "Query log"})
        shown = client.get(f"/incidents/{incident.number}/").content.decode()
        assert "12,400" in shown
        assert "Set SEV1" in shown
        assert "12,400 outputs, tier 1" in shown
        incident.refresh_from_db()
        assert incident.severity == "sev2"


class TestInPlace:
    def test_how_much_of_what_is_said_in_one_row_and_one_save(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        client, address = as_person(mara), f"/incidents/{incident.number}/impact/more/"
        page = client.get(address).content.decode()
        assert page.count(">optional<") == 4, "at least, at most, evidence, put right"
        typed = {
            "estimate": "1200.50",
            "of": "EUR",
            "low": "1000",
            "how": "Ledger",
            "evidence": "https://ledger.example/q3",
        }
        assert client.post(address, typed).status_code == 302
        row = incident.exposures.get()
        assert (row.of, row.currency, row.estimate, row.low, row.evidence) == (
            "money",
            "EUR",
            120050,
            100000,
            "https://ledger.example/q3",
        )
        assert incident.events.filter(kind="impact").count() == 1

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ({"estimate": "140", "of": "actions", "how": ""}, "This field is required."),
            ({"estimate": "140", "of": "gremlins", "how": "Log"}, "Choose one of the list"),
            ({"estimate": "1.5", "of": "users", "how": "Log"}, "a whole number"),
            ({"estimate": "0.001", "of": "EUR", "how": "Log"}, "at most 2 decimals"),
            ({"estimate": "-1", "of": "EUR", "how": "Log"}, "greater than or equal to 0"),
            ({"estimate": "5", "of": "EUR", "low": "6", "how": "Log"}, "outside its interval"),
            ({"estimate": "1e400", "of": "EUR", "how": "Log"}, "less than or equal to"),
            ({"estimate": "NaN", "of": "EUR", "how": "Log"}, "Enter a number."),
        ],
    )
    def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
        self, incident: Incident, mara: User, as_person: Page, typed: dict[str, str], said: str
    ) -> None:
        answer = as_person(mara).post(f"/incidents/{incident.number}/impact/more/", typed | {"evidence": "Kept"})
        page = answer.content.decode()
        assert (answer.status_code, said in page, "Kept" in page) == (422, True, True), page
        assert f'value="{typed["estimate"]}"' in page
        assert not incident.exposures.exists()

    def test_a_row_is_changed_where_it_stands_and_an_empty_number_makes_it_unknown(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        impacts.expose(incident, "EUR", by=mara, estimate=Decimal("10.50"), how="Ledger")
        client, address = as_person(mara), f"/incidents/{incident.number}/impact/of/EUR/"
        page = client.get(address).content.decode()
        assert 'value="10.50"' in page
        assert "needed with a number" in page
        assert client.post(address, {"estimate": "11", "how": ""}).status_code == 422
        client.post(address, {"estimate": "11", "how": "Ledger"})
        assert incident.exposures.get().estimate == 1100
        client.post(address, {"estimate": "", "how": "Ledger"})
        assert not incident.exposures.exists()
        assert client.get(f"/incidents/{incident.number}/impact/of/money/").status_code == 404

    def test_what_is_on_record_is_not_said_a_second_time(self, incident: Incident, mara: User, as_person: Page) -> None:
        impacts.expose(incident, "users", by=mara, estimate=5, how="Log")
        typed = {"estimate": "6", "of": "users", "how": "Guess"}
        answer = as_person(mara).post(f"/incidents/{incident.number}/impact/more/", typed)
        assert (answer.status_code, "changed in its row" in answer.content.decode()) == (422, True)
        assert incident.exposures.get().estimate == 5

    @pytest.mark.parametrize("question", impacts.QUESTIONS)
    def test_each_other_question_is_answered_by_itself(
        self, incident: Incident, mara: User, as_person: Page, question: str
    ) -> None:
        about = impacts.QUESTIONS[question]
        answer, words = (about.choices.values[1], about.choices.labels[1]) if about.choices else ("German", "German")
        client = as_person(mara)
        page = client.get(incident.get_absolute_url()).content.decode()
        assert f'id="fact-{about.place}"' in page.partition('id="impact-more"')[2], (
            "what nobody answered is behind More"
        )
        client.post(f"/incidents/{incident.number}/impact/{question}/", {"answer": answer})
        page = client.get(incident.get_absolute_url()).content.decode()
        known = page.partition('id="impact"')[2].partition('id="impact-more"')[0]
        assert f'id="fact-{about.place}"' in known
        assert words in known

    def test_how_much_was_put_right_is_unknown_until_somebody_says_it(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        def row() -> str:
            page = as_person(mara).get(incident.get_absolute_url()).content.decode()
            return " ".join(page.partition('id="fact-exposure-EUR"')[2].partition("</dd>")[0].split())

        impacts.expose(incident, "EUR", by=mara, estimate=10, how="Ledger")
        assert "corrected: unknown" in row()
        impacts.expose(incident, "EUR", by=mara, estimate=10, how="Ledger", corrected=0)
        assert "corrected: unknown" not in row()
        assert "0 EUR corrected" in row()

    def test_only_where_nothing_is_known_does_it_say_that_nobody_has_said(
        self, incident: Incident, mara: User, rui: User, as_person: Page
    ) -> None:
        def told(person: User) -> bool:
            page = as_person(person).get(incident.get_absolute_url()).content.decode()
            return "nobody has said" in page.partition('id="impact"')[2].partition("</dl>")[0]

        assert (told(mara), told(rui)) == (True, True)
        impacts.expose(incident, "users", by=mara, estimate=0, how="Nobody was served")
        assert (told(mara), told(rui)) == (False, False)


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
