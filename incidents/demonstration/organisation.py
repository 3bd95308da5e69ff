"""Who works here, and what they run."""

from typing import NamedTuple

TEAMS = {
    "assistants": "Assistants",
    "risk": "Risk",
    "discovery": "Discovery",
    "operations": "Operations AI",
    "data-platform": "Data platform",
}

# email, name, administrator?, {team: role}
PEOPLE: tuple[tuple[str, str, bool, dict[str, str]], ...] = (
    ("mara", "Mara Okafor", False, {"assistants": "responder", "operations": "responder", "risk": "responder"}),
    ("jo", "Jo Lindqvist", False, {"assistants": "lead", "operations": "lead"}),
    ("lee", "Lee Tan", False, dict.fromkeys(TEAMS, "viewer")),
    ("ada", "Ada Brandt", True, {"data-platform": "admin"}),
    ("sam", "Sam Outis", False, {}),
    ("rui", "Rui Costa", False, {"risk": "lead"}),
    ("noor", "Noor Haddad", False, {"discovery": "lead"}),
    ("ivan", "Ivan Petrov", False, {"discovery": "responder", "data-platform": "responder"}),
    ("priya", "Priya Raman", False, {"data-platform": "lead", "risk": "responder"}),
    ("tom", "Tom Adeyemi", False, {"operations": "responder", "assistants": "responder"}),
)


class ExampleSystem(NamedTuple):
    slug: str
    kind: str
    tier: int
    team: str
    purpose: str
    fallback: str


SYSTEMS = (
    ExampleSystem(
        slug="support-assistant",
        kind="rag",
        tier=1,
        team="assistants",
        purpose="Answers customers’ questions from policies and past tickets.",
        fallback="Keyword search over the help centre, with hand-over to a person.",
    ),
    ExampleSystem(
        slug="fraud-scorer",
        kind="predictor",
        tier=1,
        team="risk",
        purpose="Scores card payments while they are authorised.",
        fallback="Velocity rules and a block list.",
    ),
    ExampleSystem(
        slug="home-feed",
        kind="recommender",
        tier=2,
        team="discovery",
        purpose="Ranks what people see when they open the app.",
        fallback="The editors’ list, the same for everyone.",
    ),
    ExampleSystem(
        slug="refund-agent",
        kind="agent",
        tier=1,
        team="operations",
        purpose="Grants refunds of up to €200 on its own and prepares larger ones.",
        fallback="Every refund waits for human approval.",
    ),
    ExampleSystem(
        slug="demand-forecast",
        kind="forecaster",
        tier=2,
        team="operations",
        purpose="Forecasts what each warehouse will need.",
        fallback="Last year’s same week, corrected for growth.",
    ),
    ExampleSystem(
        slug="product-search",
        kind="search",
        tier=2,
        team="discovery",
        purpose="Finds products from what people type.",
        fallback="Lexical search.",
    ),
    ExampleSystem(
        slug="feature-store",
        kind="pipeline",
        tier=1,
        team="data-platform",
        purpose="Serves features to the models, online and for training.",
        fallback="The last good snapshot, at most a day old.",
    ),
    ExampleSystem(
        slug="policy-index",
        kind="data",
        tier=2,
        team="data-platform",
        purpose="The indexed text of policies and tickets.",
        fallback="",
    ),
)

DEPENDENCIES = (
    ("support-assistant", "policy-index"),
    ("refund-agent", "support-assistant"),
    ("refund-agent", "fraud-scorer"),
    ("fraud-scorer", "feature-store"),
    ("home-feed", "feature-store"),
    ("demand-forecast", "feature-store"),
    ("product-search", "policy-index"),
)
