/* Ages, timers and countdowns go on while a page stays open. */
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

/* The same words as `_rough`, `_ago` and `late` of the templates. */
function rough(seconds) {
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h`;
  if (seconds < 60 * DAY) return `${Math.floor(seconds / DAY)} d`;
  return `${Math.floor(seconds / DAY / 30)} months`;
}

const WORDS = {
  "time[data-ago]": (seconds) => (seconds < MINUTE ? "just now" : `${rough(seconds)} ago`),
  "time[data-late]": (seconds) => (seconds < MINUTE ? "due now" : `${rough(seconds)} late`),
};

function since(time) {
  return (Date.now() - Date.parse(time.dateTime)) / 1000;
}

function two(number) {
  return String(number).padStart(2, "0");
}

setInterval(() => {
  for (const [selector, words] of Object.entries(WORDS)) {
    for (const time of document.querySelectorAll(selector)) {
      const seconds = since(time);
      if (seconds >= 0 && time.textContent !== words(seconds)) time.textContent = words(seconds);
    }
  }
}, 15000);

setInterval(() => {
  for (const timer of document.querySelectorAll("time[data-runs]")) {
    const seconds = Math.floor(since(timer));
    if (seconds < 0 || seconds >= 4 * DAY) continue;
    timer.textContent = [seconds / HOUR, (seconds / MINUTE) % 60, seconds % 60]
      .map((part) => two(Math.floor(part)))
      .join(":");
  }
}, 1000);

/* A part of a meeting counts down, and goes on counting when its time is over. */
for (const clock of document.querySelectorAll("[data-countdown]")) {
  const end = Date.now() + Number(clock.dataset.countdown) * MINUTE * 1000;
  setInterval(() => {
    const left = Math.round((end - Date.now()) / 1000);
    const minutes = Math.floor(Math.abs(left) / MINUTE);
    clock.textContent = `${left < 0 ? "+" : ""}${minutes}:${two(Math.abs(left) % MINUTE)}`;
    clock.classList.toggle("timer--over", left < 0);
  }, 1000);
}
