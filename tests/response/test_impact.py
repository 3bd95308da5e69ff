"""What an incident did."""

from collections.abc import Callable

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response import impact as impacts
from incidents.response.impact import Harm, Reversible, suggest_severity
from incidents.response.incident import Incident
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
