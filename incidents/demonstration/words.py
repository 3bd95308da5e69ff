"""What people wrote in the postmortem of an incident: made of what is on record of it, so that the two agree."""

import random

from incidents.demonstration.costs import costs_of
from incidents.demonstration.past import Telling
from incidents.response.incident import Incident
from incidents.response.vocabulary import NoticedBy, Severity
from incidents.web.durations import span

_EXCUSES = (
    "The cause is that of an earlier incident, whose follow-up is under way.",
    "Found and mended within the hour; the follow-up says all there is to say.",
    "Nobody was reached beyond the test group.",
)
_GREEN = (
    "Uptime, latency and error rate were green. ",
    "All dashboards of the service were green; none of them looks at the output. ",
    "The job had succeeded every night. ",
)
_RESPONSE = (
    "Finding who could approve it took the longest.",
    "The runbook was right; the access it asks for had expired.",
    "Whoever was called had never done it before, and the runbook was enough.",
    "Two people worked on it without knowing of each other for ten minutes.",
)
_WELL = (
    "The first responder trusted the output, not the green dashboard.",
    "The example in the alert could be opened at once.",
    "Support told us in the right channel, with three examples.",
    "The containment had been practised a month before.",
)
_HARD = (
    "The samples needed to see it are kept for a day only.",
    "Nobody could say which version had served which answer.",
    "The number of those who were reached had to be counted by hand.",
    "It looked like two failures, and we followed the wrong one first.",
)
_LUCKY = (
    "It was a quiet hour; at noon it would have reached ten times as many.",
    "The next retraining was a day away, so the wrong data taught nothing.",
    "The one who noticed was about to leave for two weeks.",
    "The old version was still there, only because nobody had cleaned up.",
)
# By category, beside the cause itself: what let it through.
_FACTORS = {
    "drift": (
        "Population changed",
        "Monitor on averages only",
        "The check looks at the average, and the part that was wrong is small in it.",
    ),
    "retrieval": (
        "Stale cache or index",
        "No monitor on the output",
        "What is served is watched once an hour, after people have read it.",
    ),
    "feedback_loop": (
        "Own output fed back",
        "Goals in conflict",
        "What the model is rewarded for and what people come for are two things.",
    ),
    "agent_action": (
        "Access wider than needed",
        "No approval where one was needed",
        "At this size, the act needed nobody else to agree.",
    ),
    "data_quality": (
        "Missing contract with the source",
        "Late or incomplete data",
        "What arrives is used as it is; nothing stops for what is missing.",
    ),
}
_OTHER_FACTORS = (
    "Change without review",
    "Signal came too late",
    "The evaluation that would have shown it runs after the release.",
)
_NOTICED = {
    NoticedBy.MONITOR: "The monitor was the first to notice.",
    NoticedBy.EVALUATION: "The weekly evaluation noticed it; no monitor did.",
    NoticedBy.STAFF: "A colleague noticed it while using it; no monitor did.",
    NoticedBy.USER: "A customer told us before any monitor did.",
    NoticedBy.OUTSIDE: "Somebody outside told us; no monitor looks at this.",
}


def excuse(chance: random.Random) -> str:
    return chance.choice(_EXCUSES)


def factors_of(telling: Telling, *, is_brief: bool) -> list[tuple[str, str]]:
    """Each contributing factor by its name in the list, with what it did here."""
    category = telling.failure.mode.partition(".")[0]
    first, second, let_through = _FACTORS.get(category, _OTHER_FACTORS)
    named = [(first, telling.happening.cause), (second, let_through)]
    return named[:1] if is_brief else named


def texts_of(chance: random.Random, incident: Incident, telling: Telling) -> dict[str, str]:
    """What was written under each part."""
    happening = telling.happening
    texts = {
        "summary": happening.summary,
        "impact": " ".join([_impact(telling), *_costs(telling)]),
        "silence": chance.choice(_GREEN) + _silence(telling),
        "trigger": f"{happening.change[1]}."
        if happening.change[1]
        else "None found: the world changed, not the system.",
        "factors": "\n".join(f"- {text}" for _, text in factors_of(telling, is_brief=False)),
        "response": chance.choice(_RESPONSE),
        "well": chance.choice(_WELL),
        "hard": chance.choice(_HARD),
        "lucky": chance.choice(_LUCKY),
        "learning": happening.lesson,
        "again": f"It repeats “{happening.repeats}”, whose follow-ups did not reach this far."
        if happening.repeats
        else "We know of no earlier one like it.",
    }
    if incident.severity == Severity.SEV1:
        texts["accounts"] = (
            f"{telling.lead}: “I looked at the service first, because the alert did not say which output was wrong.”\n\n"
            f"{telling.helper}: “I expected the release to be the cause and read its changes. The examples told me otherwise.”"
        )
        texts["themes"] = "We watch what a system does, and too little what it says."
    return texts


def _impact(telling: Telling) -> str:
    reach = telling.course.reach
    if reach is None:
        return "Unknown, because outputs of that time are not kept by segment. The upper bound is all traffic while it lasted."
    of = telling.failure.of.label.lower()
    sentence = f"About {reach.estimate:,} {of} ({reach.low:,} to {reach.high:,}). How we know: {telling.failure.how}."
    if reach.corrected:
        sentence += f" {min(reach.corrected, reach.estimate):,} of them have been put right."
    return sentence


def _costs(telling: Telling) -> list[str]:
    return [
        f"{exposure.label}: about {exposure.words}{f' {exposure.interval}' if exposure.interval else ''}. "
        f"How we know: {exposure.how}."
        for exposure in costs_of(telling)
    ]


def _silence(telling: Telling) -> str:
    silence = telling.course.silence
    noticed = _NOTICED[NoticedBy(telling.happening.noticed_by)]
    if silence is None:
        return f"Since when it was wrong is unknown, because nothing recorded it. {noticed}"
    return f"The output was wrong for {span(silence)} before anybody knew. {noticed}"
