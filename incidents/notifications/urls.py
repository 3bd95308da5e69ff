"""The addresses of notifications."""

from django.urls import path

from incidents.notifications.views import acting, browsers, destinations, inbox, rules, slack

urlpatterns = [
    path("channels/", destinations.channels, name="channels"),
    path("channels/slack/", slack.slack_app, name="slack-app"),
    path("channels/slack/remove/", slack.remove_app, name="slack-app-remove"),
    path("slack/interactions/", slack.interactions, name="slack-interactions"),
    path("slack/commands/", slack.commands, name="slack-commands"),
    path("slack/connect/<str:secret>/", slack.connect, name="slack-connect"),
    path("account/slack/", slack.accounts, name="slack-accounts"),
    path("account/slack/<int:pk>/remove/", slack.disconnect, name="slack-account-remove"),
    path("channels/new/", destinations.choose, name="channel-new"),
    path("channels/new/<slug:kind>/", destinations.add, name="channel-add"),
    path("channels/<int:pk>/", destinations.channel, name="channel"),
    path("channels/<int:pk>/edit/", destinations.edit, name="channel-edit"),
    path("channels/<int:pk>/rules/new/", rules.add, name="channel-rule-add"),
    path("channels/<int:pk>/rules/<int:rule_pk>/", rules.edit, name="channel-rule"),
    path("channels/<int:pk>/rules/<int:rule_pk>/remove/", rules.remove, name="channel-rule-remove"),
    path("channels/<int:pk>/week/", destinations.week, name="channel-week"),
    path("channels/<int:pk>/test/", destinations.test, name="channel-test"),
    path("channels/<int:pk>/pause/", destinations.pause, name="channel-pause"),
    path("channels/<int:pk>/resume/", destinations.resume, name="channel-resume"),
    path("channels/<int:pk>/rotate/", destinations.rotate, name="channel-rotate"),
    path("channels/<int:pk>/on-call/", destinations.page_through, name="channel-on-call"),
    path("channels/<int:pk>/remove/", destinations.remove, name="channel-remove"),
    path("channels/<int:pk>/replay/", destinations.replay, name="channel-replay"),
    path("channels/<int:pk>/log/<int:row_pk>/", destinations.transmission, name="transmission"),
    path("notifications/", inbox.notifications, name="notifications"),
    path("notifications/read/", inbox.read_all, name="notifications-read"),
    path("notifications/<uuid:pk>/", inbox.notification, name="notification"),
    path("account/notifications/", inbox.notification_settings, name="notification-settings"),
    path("account/browsers/", browsers.browsers, name="browsers"),
    path("account/browsers/add/", browsers.add, name="browser-add"),
    path("account/browsers/test/", browsers.test, name="browsers-test"),
    path("account/browsers/<int:pk>/remove/", browsers.remove, name="browser-remove"),
    path("incidents/<int:number>/snooze/", acting.snooze, name="incident-snooze"),
    path("act/<str:secret>/", acting.act, name="act"),
    path("unsubscribe/<str:token>/", inbox.unsubscribe, name="unsubscribe"),
]
