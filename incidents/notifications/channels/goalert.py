"""GoAlert, by its generic API: an alert under the incident's number, closed with it. It takes no acknowledgement."""

from datetime import datetime
from urllib.parse import urlencode

from incidents.notifications.channels import addresses
from incidents.notifications.channels.base import Act, Announcement, Config, Field, Outgoing, Pager
from incidents.notifications.channels.limits import clip, octets

SUMMARY, DETAILS = 1024, 6 * 1024  # bytes


class GoAlert(Pager):
    kind = "goalert"
    name = "GoAlert"
    about = "Alerts in GoAlert, closed along with the incident"
    can = frozenset({Act.OPEN, Act.CLOSE})
    fields = (
        Field(
            name="url",
            label="Address of the integration key",
            help="In GoAlert: the service, Integration Keys, Create, Generic API. It holds “token=”.",
            check=addresses.address("a generic API key of GoAlert", path="/generic/incoming"),
            secret=True,
        ),
    )

    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        links = "\n".join(f"{label}: {url}" for label, url in announcement.links())
        facts = "\n".join(f"{label}: {clip(text, 200)}" for label, text in announcement.facts())
        text = clip(announcement.body, 2500, size=octets)
        values = {
            "summary": clip(announcement.headline, SUMMARY, size=octets),
            "details": clip("\n\n".join(filter(None, (links, text, facts))), DETAILS, size=octets),
            "dedup": announcement.key,
        }
        if announcement.act is Act.CLOSE:
            values["action"] = "close"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Outgoing("POST", config["url"], headers, urlencode(values).encode())
