"""The addresses of the pages of alerts, deliveries, sources, rules and silences. Those of monitors: `endpoints/urls.py`."""

from django.urls import path

from incidents.alerts.views import alerts, deliveries, field_map, merging, rules, silences, sources, watches

_source = "sources/<slug:slug>/"
_incident = "incidents/<int:number>/"

urlpatterns = [
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/<int:pk>/", alerts.alert, name="alert"),
    path("alerts/many/", alerts.many, name="alerts-many"),
    path("alerts/<int:pk>/classify/", alerts.classify, name="alert-classify"),
    path("alerts/<int:pk>/link/", alerts.link, name="alert-link"),
    path("alerts/<int:pk>/settle/", alerts.settle, name="alert-settle"),
    path(_incident + "merge/", merging.merge, name="incident-merge"),
    path("incidents/many/merge/", merging.merge_many, name="incidents-merge"),
    path(_incident + "undo/", merging.undo, name="incident-undo"),
    path("deliveries/", deliveries.deliveries, name="deliveries"),
    path("deliveries/retry/", deliveries.retry_many, name="deliveries-retry"),
    path("deliveries/<int:pk>/wipe/", deliveries.wipe, name="delivery-wipe"),
    path("deliveries/<int:pk>/", deliveries.delivery, name="delivery"),
    path("deliveries/<int:pk>/retry/", deliveries.retry, name="delivery-retry"),
    path("sources/", sources.sources, name="sources"),
    path("sources/new/", sources.choose, name="source-new"),
    path("sources/new/<slug:kind>/", sources.connect, name="source-connect"),
    path(_source, sources.source, name="source"),
    path(_source + "setup/", sources.setup, name="source-setup"),
    path(_source + "connected/", sources.connected, name="source-connected"),
    path(_source + "settings/", sources.configure, name="source-settings"),
    path(_source + "map/", field_map.field_map, name="source-map"),
    path(_source + "test/", sources.test, name="source-test"),
    path(_source + "rotate/", sources.rotate, name="source-rotate"),
    path(_source + "retire/", sources.retire, name="source-retire"),
    path(_source + "secrets/", sources.add_secret, name="source-secret-new"),
    path(_source + "secrets/<int:pk>/remove/", sources.remove_secret, name="source-secret-remove"),
    path(_source + "subscriptions/<int:pk>/approve/", sources.approve, name="source-subscription-approve"),
    path(_source + "watch/", watches.watch_source, name="source-watch"),
    path(_source + "corrections/<int:pk>/undo/", watches.undo_correction, name="correction-undo"),
    # What is decided about alerts in advance
    path("rules/", rules.rules, name="rules"),
    path("rules/<int:number>/", rules.version, name="rules-version"),
    path("rules/<int:number>/again/", rules.go_back, name="rules-again"),
    path("rules/draft/", rules.draft, name="rules-draft"),
    path("rules/draft/begin/", rules.begin_draft, name="rules-draft-begin"),
    path("rules/draft/new/", rules.rule, name="rule-new"),
    path("rules/draft/<int:position>/", rules.rule, name="rule"),
    path("rules/draft/<int:position>/arrange/", rules.arrange, name="rule-arrange"),
    path("rules/draft/publish/", rules.publish, name="rules-publish"),
    path("rules/draft/discard/", rules.discard, name="rules-discard"),
    path("silences/", silences.silences, name="silences"),
    path("silences/new/", silences.silence_new, name="silence-new"),
    path("silences/<int:pk>/", silences.silence, name="silence"),
    path("silences/<int:pk>/end/", silences.end_silence, name="silence-end"),
    path("systems/<slug:slug>/watch/", watches.watch_system, name="system-watch"),
]
