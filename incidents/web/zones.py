"""Time zones: which there are to choose from, and moments in the zone of whoever reads them."""

from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from django.utils import timezone

_REGIONS = "Africa America Antarctica Arctic Asia Atlantic Australia Europe Indian Pacific".split()
_NO_PLACES = {
    "Factory",
    "localtime",
}  # what a computer says that was never set up, and what each takes for something else


@cache
def zone_choices() -> list[tuple[str, str | list[tuple[str, str]]]]:
    """UTC, the cities of each region, and the other names that the tz database knows; for a list to choose from."""
    regions: dict[str, list[tuple[str, str]]] = {region: [] for region in [*_REGIONS, "Other names"]}
    for name in sorted(available_timezones() - _NO_PLACES - {"UTC"}):
        region, _, place = name.partition("/")
        label = ", ".join(place.replace("_", " ").split("/")) if region in _REGIONS else name
        regions[region if region in _REGIONS else "Other names"].append((name, label))
    return [("UTC", "UTC"), *regions.items()]


def in_own_zone(moment: datetime) -> datetime:
    """A moment in the reader's zone; as it is where that lies beyond the calendar, at either end of which zones end too."""
    try:
        return timezone.localtime(moment)
    except OverflowError:
        return moment
