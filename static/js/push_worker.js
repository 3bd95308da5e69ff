/* Runs in the background of a browser: shows what Faultline pushes, and does or opens what is pressed. It keeps nothing.

   What can be done is an address with the act behind its #. The address opens a page on which one confirms; pressing the
   button is that confirmation, so the worker posts the act there. The secret in the address is what allows it, once. */

function show(title, { body, tag, url, acts = [], urgent = false }) {
  return self.registration.showNotification(title, {
    body,
    tag,
    renotify: Boolean(tag && urgent),
    requireInteraction: Boolean(urgent),
    data: { title, tag, url, acts },
    actions: acts.map((act, position) => ({ action: String(position), title: act.title })),
  });
}

function open(address) {
  return new URL(address).origin === self.location.origin ? self.clients.openWindow(address) : null;
}

async function perform(act, { title, tag, url }) {
  const [address, name] = act.url.split("#");
  if (new URL(address).origin !== self.location.origin) return;
  try {
    const body = new URLSearchParams({ act: name });
    const answer = await fetch(address, { method: "POST", body, credentials: "omit", redirect: "error" });
    if (!answer.ok) throw new Error(`It answered ${answer.status}.`);
    await show(title, { body: `${act.title}: done.`, tag, url });
  } catch {
    // The page says why: somebody was faster, or the link is old. Without a network it can be opened later.
    await show(title, { body: `${act.title}: not done. Open it to see why.`, tag, url: address, urgent: true });
  }
}

async function press(notification, action) {
  const shown = notification.data;
  const act = shown.acts[Number(action || -1)];
  notification.close();
  if (act?.url.includes("#")) await perform(act, shown);
  else if (act?.url ?? shown.url) await open(act?.url ?? shown.url);
}

self.addEventListener("push", (event) => {
  const { title, ...shown } = event.data?.json() ?? { title: "Faultline" };
  event.waitUntil(show(title, shown));
});

self.addEventListener("notificationclick", (event) => {
  event.waitUntil(press(event.notification, event.action));
});
