"""Who is on call: a rota for each team, one of which begins only next week; an override, and a swap that waits for its answer."""

from datetime import datetime, timedelta

from incidents.demonstration.cast import Cast
from incidents.oncall.overrides import Override
from incidents.oncall.pointer import OnCall, OnCallKind, RotaChange
from incidents.oncall.rota import Rota, RotaTurn
from incidents.oncall.shifts import Duty, turns, zone_of
from incidents.oncall.swaps import ShiftSwap
from incidents.people.models import Team, User

ZONE = "Europe/Berlin"
# By team: who takes turns, the first of them this week; and in how many weeks it begins, or with a negative number began.
ROTAS: dict[str, tuple[tuple[str, ...], int]] = {
    "assistants": (("mara", "jo", "tom"), -24),
    "risk": (("rui", "priya", "mara"), -24),
    "discovery": (("noor", "ivan"), 1),
    "operations": (("jo", "tom", "mara"), -24),
    "data-platform": (("ivan", "priya", "ada"), -24),
}


def write_rotas(cast: Cast, now: datetime) -> None:
    """Write the rotas as the leads of the teams did, and let Mara have this week’s turn for the assistants."""
    for slug, (people, weeks) in ROTAS.items():
        _write_rota(cast.teams[slug], [cast.people[name] for name in people], weeks, cast, now)
    _write_override(cast.teams["risk"], cast.people["rui"], cast.people["priya"], now)
    _write_swap(cast.teams["assistants"], cast.people["tom"], cast.people["mara"], now)


def _write_rota(team: Team, people: list[User], weeks: int, cast: Cast, now: datetime) -> None:
    here = now.astimezone(zone_of(ZONE)) - timedelta(hours=9)  # until nine on Monday it is last week
    monday = here.date() - timedelta(days=here.weekday())
    rota = Rota.objects.create(
        team=team, name=f"{team} on call", time_zone=ZONE, starts_on=monday + timedelta(weeks=weeks)
    )
    RotaTurn.objects.bulk_create(
        RotaTurn(rota=rota, position=position, person=person) for position, person in enumerate(people)
    )
    OnCall.objects.create(team=team, kind=OnCallKind.ROTA, version=1)
    detail = {"people": [str(person) for person in people], "hands_over": rota.in_words()}
    at = min(now, datetime.combine(rota.starts_on, rota.hands_over_at, zone_of(ZONE))) - timedelta(days=4)
    RotaChange.objects.create(team=team, kind=RotaChange.Kind.ROTA, by=cast.leads(team)[0], at=at, detail=detail)


def _turn_of(team: Team, person: User, now: datetime) -> Duty:
    """The next whole turn of somebody."""
    ahead = turns(team.rota.plan, now, now + timedelta(weeks=6))
    return next(turn for turn in ahead if turn.person == person.pk and turn.start > now)


def _write_override(team: Team, away: User, person: User, now: datetime) -> None:
    """Somebody takes two days of a colleague’s turn, of this one if as much is left of it."""
    tomorrow, length = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=1), timedelta(days=2)
    ahead = [turn for turn in turns(team.rota.plan, now, now + timedelta(weeks=6)) if turn.person == away.pk]
    start = next(start for turn in ahead if (start := max(turn.start, tomorrow)) + length <= turn.end)
    override = Override.objects.create(
        team=team,
        person=person,
        starts_at=start,
        ends_at=start + length,
        note="Rui is at a wedding",
        by=person,
        made_at=now - timedelta(days=1),
    )
    kind = RotaChange.Kind.OVERRIDDEN
    RotaChange.objects.create(team=team, kind=kind, by=person, at=override.made_at, detail=override.facts)


def _write_swap(team: Team, giver: User, taker: User, now: datetime) -> None:
    gives, takes = _turn_of(team, giver, now), _turn_of(team, taker, now)
    swap = ShiftSwap.objects.create(
        team=team,
        giver=giver,
        taker=taker,
        gives_from=gives.start,
        gives_until=gives.end,
        takes_from=takes.start,
        takes_until=takes.end,
        note="I am on a train that Thursday",
        made_by=giver,
        made_at=now - timedelta(hours=5),
    )
    kind = RotaChange.Kind.SWAP_OFFERED
    RotaChange.objects.create(team=team, kind=kind, by=giver, at=swap.made_at, detail=swap.facts)
