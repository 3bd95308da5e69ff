/* Runs in the background of a browser: shows what Faultline pushes, and opens what is pressed. It keeps and fetches nothing. */

self.addEventListener("push", (event) => {
  const shown = event.data?.json() ?? { title: "Faultline" };
  event.waitUntil(
    self.registration.showNotification(shown.title, {
      body: shown.body,
      tag: shown.tag,
      renotify: Boolean(shown.tag && shown.urgent),
      requireInteraction: Boolean(shown.urgent),
      data: { url: shown.url, acts: shown.acts },
      actions: (shown.acts ?? []).map((act, position) => ({ action: String(position), title: act.title })),
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  const { url, acts } = event.notification.data;
  const address = acts?.[Number(event.action || -1)]?.url ?? url;
  event.notification.close();
  if (address && new URL(address).origin === self.location.origin) event.waitUntil(self.clients.openWindow(address));
});
