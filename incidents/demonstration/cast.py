"""Who works here and what they run, as rows."""

from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.hashers import make_password

from incidents.alerts.models import Source
from incidents.demonstration.organisation import DEPENDENCIES, PEOPLE, SYSTEMS, TEAMS
from incidents.people.models import PUBLISHED_PASSWORD, Membership, Team, User
from incidents.systems.models import Dependency, System


@dataclass
class Cast:
    teams: dict[str, Team]
    people: dict[str, User]
    systems: dict[str, System]
    source: Source
    token: str

    def responders(self, team: Team) -> list[User]:
        slugs = {e: m for e, _, _, m in PEOPLE}
        return [self.people[e] for e, teams in slugs.items() if teams.get(team.slug) in {"responder", "lead", "admin"}]


def create_cast() -> Cast:
    teams = {slug: Team.objects.create(slug=slug, name=name) for slug, name in TEAMS.items()}
    hashed = make_password(PUBLISHED_PASSWORD)  # once: it is slow on purpose
    people = {
        email: User.objects.create(
            email=f"{email}@example.com", name=name, password=hashed, is_staff=admin, is_superuser=admin
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
        )
        for slug, kind, tier, team, purpose, fallback in SYSTEMS
    }
    Dependency.objects.bulk_create(Dependency(system=systems[a], upstream=systems[b]) for a, b in DEPENDENCIES)
    source, token = Source.objects.connect(kind="generic", name="Quality monitors", team=teams["data-platform"])
    return Cast(teams, people, systems, source, token)
