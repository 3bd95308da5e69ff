/* Liveliness on top of pages that work without it: live lists, fresh ages, keys, drafts. No dependencies but htmx. */
"use strict";
(() => {
  const body = document.body;

  /* Live: fragments with hx-trigger="live from:body" ask again each second while somebody looks. */
  setInterval(() => { if (!document.hidden) body.dispatchEvent(new Event("live")); }, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) body.dispatchEvent(new Event("live")); });

  /* Somebody who is typing, has a menu open or selects text in a fragment is not to be disturbed. */
  body.addEventListener("htmx:beforeRequest", (event) => {
    const target = event.detail.target;
    if (event.detail.requestConfig.triggeringEvent?.type !== "live") return;
    if (document.querySelector("main details[open]:not([data-quiet])") || target.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) event.preventDefault();
  });

  /* What is new in a story that somebody reads further down waits behind a pill; the head and the facts follow at once. */
  const pill = document.createElement("button");
  pill.type = "button";
  pill.className = "pill";
  pill.hidden = true;
  pill.setAttribute("aria-live", "polite");
  pill.addEventListener("click", () => { pill.hidden = true; document.getElementById("timeline-title")?.scrollIntoView(); waiting = false; body.dispatchEvent(new Event("live")); });
  body.append(pill);
  let waiting = false;
  body.addEventListener("htmx:beforeSwap", (event) => {
    const story = event.detail.target;
    if (!story || !("liveStory" in story.dataset) || event.detail.xhr.status !== 200) return;
    const first = story.querySelector(".timeline");
    if (!first || first.getBoundingClientRect().top > 0) { pill.hidden = true; return; }
    const arrived = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
    const fresh = [...arrived.querySelectorAll("[data-entry]")].filter((entry) => !document.getElementById(entry.id)).length;
    if (!fresh) return;
    event.detail.shouldSwap = false;
    pill.textContent = `${fresh} new`;
    pill.hidden = false;
    waiting = true;
    for (const id of ["head", "facts", "actions"]) {
      const here = document.getElementById(id), there = arrived.getElementById(id);
      if (here && there) { there.removeAttribute("hx-swap-oob"); window.Idiomorph.morph(here, there); window.htmx.process(here); }
    }
  });
  addEventListener("scroll", () => {
    if (waiting && document.querySelector(".timeline")?.getBoundingClientRect().top > 0) { waiting = false; pill.hidden = true; body.dispatchEvent(new Event("live")); }
  }, { passive: true });

  const lost = document.getElementById("connection-lost");
  body.addEventListener("htmx:sendError", () => { if (lost) lost.hidden = false; });
  body.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401 || status === 403) location.reload();
    else if (lost && status >= 500) lost.hidden = false;
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    if (lost && event.detail.successful) lost.hidden = true;
  });

  /* The tab carries the worst open severity. */
  const markTab = () => {
    const facts = document.querySelector("[data-worst]");
    const link = document.querySelector("link[rel=icon]");
    if (!facts || !link) return;
    const wanted = link.getAttribute(`data-favicon-${facts.dataset.worst}`) || link.dataset.favicon;
    if (link.getAttribute("href") !== wanted) link.setAttribute("href", wanted);
    const count = Number(facts.dataset.openCount);
    document.title = document.title.replace(/^(\(\d+\) )?/, count ? `(${count}) ` : "");
  };
  body.addEventListener("htmx:afterSettle", markTab);
  markTab();

  /* Ages grow while a page stays open. */
  const age = (seconds) => {
    if (seconds < 60) return "just now";
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
    if (seconds < 60 * 86400) return `${Math.floor(seconds / 86400)} d ago`;
    return `${Math.floor(seconds / 86400 / 30)} months ago`;
  };
  const freshen = () => {
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      if (seconds >= 0 && time.textContent !== age(seconds)) time.textContent = age(seconds);
    }
  };
  setInterval(freshen, 15000);
  /* Timers run by the second. */
  const two = (number) => String(number).padStart(2, "0");
  setInterval(() => {
    for (const time of document.querySelectorAll("time[data-runs]")) {
      const seconds = Math.floor((Date.now() - Date.parse(time.dateTime)) / 1000);
      if (seconds >= 0 && seconds < 4 * 86400) time.textContent = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    }
  }, 1000);

  /* A part of a meeting counts down, and goes on counting when it is over. */
  for (const clock of document.querySelectorAll("[data-countdown]")) {
    const end = Date.now() + Number(clock.dataset.countdown) * 60000;
    setInterval(() => {
      const left = Math.round((end - Date.now()) / 1000);
      clock.textContent = `${left < 0 ? "+" : ""}${Math.floor(Math.abs(left) / 60)}:${two(Math.abs(left) % 60)}`;
      clock.classList.toggle("timer--over", left < 0);
    }, 1000);
  }

  /* Drafts: what is typed into data-draft survives a reload, a crash and an expired session. */
  const key = (input) => `draft:${location.pathname}:${input.dataset.draft}`;
  const restore = (root) => {
    for (const input of root.querySelectorAll("[data-draft]")) {
      const kept = localStorage.getItem(key(input));
      if (kept && !input.value) input.value = kept;
    }
  };
  document.addEventListener("input", (event) => {
    const input = event.target;
    if (input.dataset && "draft" in input.dataset) {
      if (input.value) localStorage.setItem(key(input), input.value); else localStorage.removeItem(key(input));
    }
  });
  /* Cleared only once the next page shows that it was taken. */
  document.addEventListener("submit", (event) => {
    const inputs = [...event.target.querySelectorAll("[data-draft]")].map(key);
    if (inputs.length) sessionStorage.setItem("sent", JSON.stringify(inputs));
  });
  const sent = sessionStorage.getItem("sent");
  sessionStorage.removeItem("sent");
  /* An act that was taken ends in a redirect to a page without an error. A reload, Back or a page of trouble proves nothing. */
  const arrived = performance.getEntriesByType("navigation")[0];
  if (sent && arrived?.type === "navigate" && arrived.redirectCount && !document.querySelector(".field__error, .errors, .message--error, .entrance")) {
    for (const name of JSON.parse(sent)) localStorage.removeItem(name);
  }
  restore(document);

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) { const found = document.getElementById(opener.dataset.open); if (found) { event.preventDefault(); openUp(found); found.scrollIntoView({ block: "center" }); } }
    const button = event.target.closest("[data-copy]");
    if (button) {
      navigator.clipboard?.writeText(button.dataset.copy).then(() => { button.querySelector("[data-copied]")?.removeAttribute("hidden"); });
    }
    for (const open of document.querySelectorAll("details.menu[open]")) if (!open.contains(event.target)) open.open = false;
  });
  /* Every block of a guide can be copied whole. */
  for (const block of document.querySelectorAll(".guide pre")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn--small guide__copy";
    button.textContent = "Copy";
    button.addEventListener("click", () => {
      navigator.clipboard?.writeText(block.querySelector("code")?.textContent ?? "").then(() => { button.textContent = "Copied"; });
    });
    block.append(button);
  }

  /* A box that leaves those of a list whose words hold what is typed. */
  for (const box of document.querySelectorAll("input[data-filter]")) {
    box.addEventListener("input", () => {
      const wanted = box.value.trim().toLowerCase();
      for (const item of document.querySelectorAll(box.dataset.filter)) item.hidden = !item.dataset.kind.toLowerCase().includes(wanted);
      for (const group of document.querySelectorAll("[data-filter-group]")) group.hidden = !group.querySelector("[data-kind]:not([hidden])");
    });
  }
  /* Choosing several rows: all at once, and how many. */
  const all = document.querySelector("input[data-choose-all]");
  if (all) {
    const boxes = () => [...document.querySelectorAll(`input[type=checkbox][name="${all.dataset.chooseAll}"]`)];
    const count = document.querySelector("[data-chosen]");
    const idle = count.textContent;
    const tell = () => {
      const chosen = boxes().filter((box) => box.checked).length;
      count.textContent = chosen ? `${chosen} chosen` : idle;
      all.checked = chosen > 0 && chosen === boxes().length;
      all.indeterminate = chosen > 0 && !all.checked;
    };
    all.addEventListener("change", () => { for (const box of boxes()) box.checked = all.checked; tell(); });
    document.addEventListener("change", (event) => { if (event.target.name === all.dataset.chooseAll) tell(); });
    tell();
  }
  for (const box of document.querySelectorAll("select[data-submit]")) {
    box.addEventListener("change", () => box.form.requestSubmit());
  }

  /* Keys: one registry; never inside inputs; can be switched off. */
  const off = () => localStorage.getItem("shortcuts") === "off";
  const toggle = document.getElementById("shortcuts-on");
  if (toggle) {
    toggle.checked = !off();
    toggle.addEventListener("change", () => localStorage.setItem("shortcuts", toggle.checked ? "on" : "off"));
  }
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => "selected" in row.dataset);
    const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
    all.forEach((row) => delete row.dataset.selected);
    next.dataset.selected = "";
    next.querySelector("a").focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const go = (place) => document.querySelector(`[data-go="${place}"]`)?.click();
  /* What a page marks with data-key: opened and ready to type in, or pressed. */
  const openUp = (details) => {
    details.open = true;
    details.querySelector("textarea, input:not([type=hidden]), select")?.focus();
  };
  const keyed = (key) => {
    const found = /^[a-z]$/.test(key) && document.querySelector(`[data-key="${key}"]`);
    if (!found) return null;
    return () => (found.tagName === "SUMMARY" ? openUp(found.parentElement) : found.click());
  };
  const openHashed = () => {
    const found = location.hash && document.getElementById(location.hash.slice(1));
    if (found?.tagName === "DETAILS") openUp(found);
  };
  addEventListener("hashchange", openHashed);
  openHashed();

  /* The palette: go, search, and what this page offers. */
  const palette = document.getElementById("palette");
  const words = document.getElementById("palette-words");
  const here = document.getElementById("palette-here");
  const offered = () => {
    const wanted = words.value.replace(/^>\s*/, "").trim().toLowerCase();
    here.replaceChildren();
    if (!words.value.startsWith(">") && wanted.length < 2) return;
    const acts = [...document.querySelectorAll("#actions button, #actions summary, #composer summary, #head button, .page__head .btn")].filter((one) => one.closest("main"));
    const seen = new Set();
    for (const act of acts) {
      const label = (act.getAttribute("aria-label") || act.innerText).replace(/\s+\w?$/, "").trim();
      if (!label || seen.has(label) || !label.toLowerCase().includes(wanted)) continue;
      seen.add(label);
      const item = document.createElement("button");
      item.type = "button";
      item.className = "palette__item";
      item.textContent = label;
      item.addEventListener("click", () => { palette.close(); if (act.tagName === "SUMMARY") { for (let up = act.parentElement; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true; openUp(act.parentElement); } else act.click(); });
      here.append(item);
    }
  };
  const showPalette = () => {
    if (palette.open) return;
    palette.showModal();
    words.value = "";
    offered();
    words.focus();
    window.htmx?.trigger(words, "open");
  };
  if (palette) {
    words.addEventListener("input", offered);
    palette.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });
    palette.addEventListener("keydown", (event) => {
      const items = [...palette.querySelectorAll(".palette__item")];
      const at = items.findIndex((item) => "chosen" in item.dataset);
      const choose = (next) => {
        items.forEach((item) => { delete item.dataset.chosen; item.setAttribute("aria-selected", "false"); });
        const item = items[(next + items.length) % items.length];
        if (item) { item.dataset.chosen = ""; item.setAttribute("aria-selected", "true"); item.scrollIntoView({ block: "nearest" }); }
      };
      if (event.key === "ArrowDown") { event.preventDefault(); choose(at + 1); }
      else if (event.key === "ArrowUp") { event.preventDefault(); choose(at - 1); }
      else if (event.key === "Enter") { event.preventDefault(); (items[at] ?? items[0])?.click(); }
    });
  }
  document.addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k" && palette) { event.preventDefault(); showPalette(); }
  });

  const keys = {
    "c": () => { location.href = "/incidents/new/"; },
    "/": () => document.querySelector("input[type=search]")?.focus(),
    "j": () => move(1),
    "k": () => move(-1),
    "o": () => document.querySelector("[data-row][data-selected] a")?.click(),
    "x": () => document.querySelector("[data-row][data-selected] input[type=checkbox]")?.click(),
    "p": () => (document.querySelector("[data-entry]:target, [data-entry]:hover") ?? document.querySelector("[data-entry]"))?.querySelector("[data-pin]")?.click(),
    "?": () => document.getElementById("shortcuts")?.showModal(),
  };
  let waitingForPlace = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const open of document.querySelectorAll("details.menu[open]")) { open.open = false; open.querySelector("summary").focus(); }
    if (event.ctrlKey || event.metaKey || event.altKey || off()) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable || document.querySelector("dialog[open]")) return;
    if (Date.now() - waitingForPlace < 1500) { waitingForPlace = 0; event.preventDefault(); go(event.key); return; }
    if (event.key === "g") { waitingForPlace = Date.now(); return; }
    const act = keys[event.key] ?? keyed(event.key);
    if (act) { event.preventDefault(); act(); }
  });
})();
