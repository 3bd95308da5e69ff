"""The addresses of reports."""

from django.urls import path

from incidents.reports.views import saved, trends, trust

_saved = "reports/kept/<int:pk>/"

urlpatterns = [
    path("reports/", trends.trends, name="reports"),
    path("reports/incidents.<slug:form>", trends.rows, name="report-rows"),
    path("reports/report.pdf", trends.pdf, name="report-pdf"),
    path("reports/keep/", saved.save, name="report-keep"),
    path("reports/kept/", saved.saved_reports, name="kept-reports"),
    path("reports/kept/subscribe/", saved.subscribe, name="report-subscribe"),
    path("reports/kept/subscriptions/<int:pk>/end/", saved.unsubscribe, name="report-unsubscribe"),
    path(_saved, saved.saved_report, name="kept-report"),
    path(_saved + "report.pdf", saved.pdf, name="kept-report-pdf"),
    path(_saved + "write/", saved.write, name="report-write"),
    path(_saved + "notes/", saved.note, name="report-note"),
    path(_saved + "decisions/", saved.ask, name="report-ask"),
    path(_saved + "decisions/<int:decision>/decide/", saved.decide, name="report-decide"),
    path("reports/trust/", trust.trust, name="trust"),
    path("reports/trust/<slug:slug>/", trust.trust_system, name="trust-system"),
    path("reports/trust/<slug:slug>/objective/", trust.objective, name="system-objective"),
]
