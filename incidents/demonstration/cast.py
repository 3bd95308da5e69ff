"""Who works here, what they run and what watches it, as rows."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.hashers import make_password

from incidents.alerts.models import Source
from incidents.demonstration.monitors import MONITORS
from incidents.demonstration.organisation import DEPENDENCIES, PEOPLE, SYSTEMS, TEAMS
from incidents.people.models import PUBLISHED_PASSWORD, Membership, Team, User
from incidents.systems.models import Dependency, System


@dataclass
class Cast:
    teams: dict[str, Team]
    people: dict[str, User]
    systems: dict[str, System]
    sources: dict[str, Source]
    token: str  # of the quality monitors

    def responders(self, team: Team) -> list[User]:
        return self._with_role(team, "responder", "lead", "admin")

    def leads(self, team: Team) -> list[User]:
        return self._with_role(team, "lead", "admin")

    def _with_role(self, team: Team, *roles: str) -> list[User]:
        return [self.people[email] for email, _, _, teams in PEOPLE if teams.get(team.slug) in roles]


def create_cast(since: datetime) -> Cast:
    """Make the organisation as it was at a moment, from which on things happened to it."""
    teams = {slug: Team.objects.create(slug=slug, name=name) for slug, name in TEAMS.items()}
    hashed = make_password(PUBLISHED_PASSWORD)  # once: it is slow on purpose
    people = {
        email: User.objects.create(
            email=f"{email}@example.com",
            name=name,
            password=hashed,
            is_staff=admin,
            is_superuser=admin,
            date_joined=since,
        )
        for email, name, admin, _ in PEOPLE
    }
    Membership.objects.bulk_create(
        Membership(team=teams[team], user=people[email], role=role)
        for email, _, _, roles in PEOPLE
        for team, role in roles.items()
    )
    systems = {
        slug: System.objects.create(
            slug=slug,
            name=slug,
            kind=kind,
            tier=tier,
            team=teams[team],
            purpose=purpose,
            fallback=fallback,
            objective={1: Decimal("99"), 2: Decimal("98")}.get(tier),
            runbook_url=f"https://runbooks.example.com/{slug}",
            dashboard_url=f"https://grafana.example.com/d/{slug}",
            created_at=since,
        )
        for slug, kind, tier, team, purpose, fallback in SYSTEMS
    }
    Dependency.objects.bulk_create(Dependency(system=systems[a], upstream=systems[b]) for a, b in DEPENDENCIES)
    sources, tokens = {}, {}
    for code, monitor in MONITORS.items():
        sources[code], tokens[code] = Source.objects.connect(
            kind=monitor.kind,
            name=monitor.name,
            team=teams[monitor.team] if monitor.team else None,
            by=people["ada"],
            created_at=since,
            auto_resolve_minutes=monitor.ends_after,
        )
    return Cast(teams, people, systems, sources, tokens["quality"])
