from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"
    verbose_name = "Faultline"

    def ready(self) -> None:
        from reliability import checks  # noqa: F401 - registers them
