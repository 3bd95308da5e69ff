/* Turns notifications on in this browser: asks for permission when the button is pressed, and hands the subscription over. */

const form = document.querySelector("[data-push-key]");
const trouble = document.querySelector("[data-push-trouble]");

function bytes(text) {
  const padded = text
    .replaceAll("-", "+")
    .replaceAll("_", "/")
    .padEnd(Math.ceil(text.length / 4) * 4, "=");
  return Uint8Array.from(atob(padded), (sign) => sign.charCodeAt(0));
}

function text(buffer) {
  const plain = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return plain.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function subscribe() {
  const registration = await navigator.serviceWorker.register(form.dataset.pushWorker);
  const before = await registration.pushManager.getSubscription();
  if (before) await before.unsubscribe(); // it may know another key
  return registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(form.dataset.pushKey),
  });
}

async function turnOn() {
  if ((await Notification.requestPermission()) !== "granted") {
    trouble.textContent = "Your browser does not allow it. Allow notifications of this site in its settings.";
    return;
  }
  try {
    const subscription = await subscribe();
    form.elements.endpoint.value = subscription.endpoint;
    form.elements.p256dh.value = text(subscription.getKey("p256dh"));
    form.elements.auth.value = text(subscription.getKey("auth"));
    form.submit();
  } catch (error) {
    trouble.textContent = `It could not be turned on: ${error.message}`;
  }
}

if (form && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
  form.hidden = false;
  document.querySelector("[data-push-none]").hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    turnOn();
  });
}
