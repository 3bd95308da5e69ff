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
    if (document.querySelector("main details[open]") || target.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) event.preventDefault();
  });

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
  const keys = {
    "c": () => { location.href = "/incidents/new/"; },
    "/": () => document.querySelector("input[type=search]")?.focus(),
    "j": () => move(1),
    "k": () => move(-1),
    "o": () => document.querySelector("[data-row][data-selected] a")?.click(),
    "n": () => document.querySelector("[data-note]")?.focus(),
    "?": () => document.getElementById("shortcuts")?.showModal(),
  };
  let waitingForPlace = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const open of document.querySelectorAll("details.menu[open]")) { open.open = false; open.querySelector("summary").focus(); }
    if (event.ctrlKey || event.metaKey || event.altKey || off()) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable || document.querySelector("dialog[open]")) return;
    if (Date.now() - waitingForPlace < 1500) { waitingForPlace = 0; event.preventDefault(); go(event.key); return; }
    if (event.key === "g") { waitingForPlace = Date.now(); return; }
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
})();
