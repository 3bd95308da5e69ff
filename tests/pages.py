"""Addresses of the demonstration, by which tests walk all pages. Which number tells what depends on the day it was loaded."""

from typing import Any, NamedTuple

# Anybody’s.
PAGES = (
    "/incidents/",
    "/incidents/?status=all",
    "/incidents/{triage}/",
    "/incidents/{closed}/",
    "/incidents/new/",
    "/incidents/{triage}/?show=log",
    "/incidents/{triage}/similar/",
    "/status/",
    "/alerts/",
    "/alerts/1/",
    "/deliveries/",
    "/deliveries/1/",
    "/sources/",
    "/on-call/",
    "/on-call/assistants/",
    "/systems/",
    "/systems/support-assistant/",
    "/systems/support-assistant/cases/",
    "/systems/support-assistant/cases/grid/",
    "/postmortems/",
    "/postmortems/?show=all",
    "/postmortems/?q=index",
    "/postmortems/{unfinished}/",
    "/postmortems/{published}/",
    "/postmortems/{published}/history/",
    "/postmortems/{unfinished}/meeting/?step=6",
    "/postmortems/{unfinished}/meeting/?step=13",
    "/postmortems/{published}/print/",
    "/postmortems/{unfinished}/evidence/",
    "/postmortems/guide/",
    "/postmortems/guide/1/",
    "/postmortems/public/",
    "/follow-ups/?show=all",
    "/follow-ups/1/",
    "/reports/",
    "/reports/?months=18&by=system",
    "/reports/kept/",
    "/reports/trust/",
    "/reports/trust/support-assistant/",
    "/account/",
    "/style-guide/",
    "/accounts/password/change/",
    "/sources/quality-monitors/",
    "/sources/quality-monitors/setup/",
    "/alerts/?show=unlinked",
    "/rules/",
    "/rules/1/",
    "/rules/0/",
    "/silences/",
    "/silences/new/?matchers=severity%3Dcritical",
)
# Those of whoever leads; the last is there once an administrator opened it.
LEADS_PAGES = (
    "/systems/support-assistant/changes/new/",
    "/on-call/data-platform/edit/rota/",
    "/on-call/data-platform/edit/calendar/",
    "/on-call/data-platform/overrides/new/",
    "/on-call/data-platform/swaps/new/",
    "/systems/support-assistant/cases/new/",
    "/sources/new/",
    "/sources/new/generic/",
    "/sources/new/alertmanager/",
    "/sources/quality-monitors/",
    "/sources/quality-monitors/map/",
    "/sources/quality-monitors/map/?preset=pingdom",
    "/sources/quality-monitors/settings/",
    "/postmortems/{published}/share/",
    "/postmortems/import/",
    "/postmortems/guide/",
    "/incidents/{triage}/",
    "/incidents/{triage}/severity/",
    "/incidents/{triage}/classify/",
    "/incidents/{triage}/visibility/",
    "/incidents/{triage}/channel/",
    "/incidents/{triage}/clocks/impact_started_at/",
    "/incidents/{triage}/impact/more/",
    "/incidents/{triage}/impact/harm/",
    "/incidents/{triage}/hand-over/",
    "/incidents/{triage}/events/",
    "/systems/support-assistant/public/",
    "/public/home-feed/",
)


class Numbers(NamedTuple):
    """Of incidents and postmortems that the demonstration has, each in one state."""

    triage: int
    investigating: int  # a SEV2
    closed: int
    published: int
    unfinished: int

    def paths(self, paths: tuple[str, ...]) -> list[str]:
        return [path.format(**self._asdict()) for path in paths]


def numbers_in_database() -> Numbers:
    from incidents.postmortems.document import Postmortem
    from incidents.response.incident import Incident

    published = Postmortem.objects.published().filter(depth="standard").latest("incident__number").incident.number
    return Numbers(
        triage=Incident.objects.filter(status="triage").latest("number").number,
        investigating=Incident.objects.get(status="investigating", severity="sev2").number,
        closed=published,
        published=published,
        unfinished=Postmortem.objects.unfinished().earliest("incident__number").incident.number,
    )


def numbers_of(site: Any) -> Numbers:
    """Ask a running Faultline for them."""
    key = site.key()

    def listed(path: str) -> list[dict[str, Any]]:
        status, found = site.get(f"/api/v1/{path}", **key)
        assert status == 200, found
        return list(found["results"])

    postmortems = listed("postmortems/?page_size=100")
    published = max(row["incident"] for row in postmortems if (row["state"], row["depth"]) == ("published", "standard"))
    return Numbers(
        triage=max(row["number"] for row in listed("incidents/?status=triage")),
        investigating=min(row["number"] for row in listed("incidents/?status=investigating&severity=sev2")),
        closed=published,
        published=published,
        unfinished=min(row["incident"] for row in postmortems if row["state"] in ("draft", "in_review")),
    )
