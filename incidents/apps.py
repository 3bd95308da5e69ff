from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"
    verbose_name = "Faultline"

    def ready(self) -> None:
        from incidents.demonstration import safety  # noqa: F401 - registers its check
        from incidents.followups import returning
        from reliability import checks  # noqa: F401 - registers them

        returning.register()
