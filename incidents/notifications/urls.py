"""The addresses of notifications."""

from django.urls import path

from incidents.notifications.views import acting, inbox

urlpatterns = [
    path("notifications/", inbox.notifications, name="notifications"),
    path("notifications/read/", inbox.read_all, name="notifications-read"),
    path("notifications/<uuid:pk>/", inbox.notification, name="notification"),
    path("account/notifications/", inbox.notification_settings, name="notification-settings"),
    path("incidents/<int:number>/snooze/", acting.snooze, name="incident-snooze"),
    path("act/<str:secret>/", acting.act, name="act"),
    path("unsubscribe/<str:token>/", inbox.unsubscribe, name="unsubscribe"),
]
