// What working pages gain from JavaScript: focus on errors, no double submit, Western digits,
// keys at the desk, and a page that watches its own case.
document.getElementById("errors")?.focus();

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 4000);
  });
}

// The language link of the header keeps what was typed, by the form's own button for it.
const keeping = document.querySelector("[data-switch]");
if (keeping)
  document.querySelector(".lang")?.addEventListener("click", (event) => {
    event.preventDefault();
    delete keeping.form.dataset.sent;
    keeping.form.requestSubmit(keeping);
  });

const western = (text) =>
  text.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (d) => String((d.charCodeAt(0) - 0x660) & 15));
document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.inputMode === "numeric" || field.inputMode === "decimal" || field.inputMode === "tel")
    field.value = western(field.value);
});

// Officer's keys: on when the page carries data-keys, off by its visible switch.
const desk = document.querySelector("[data-keys]");
if (desk) {
  const toggle = document.getElementById("keys-switch");
  const on = () => localStorage.getItem("keys") !== "off";
  const show = () => toggle && (toggle.checked = on());
  show();
  toggle?.addEventListener("change", () =>
    localStorage.setItem("keys", toggle.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (!on() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target !== toggle) return;
    const rows = [...document.querySelectorAll("[data-row] a")];
    const at = rows.indexOf(document.activeElement);
    if (event.key === "j") rows[Math.min(at + 1, rows.length - 1)]?.focus();
    else if (event.key === "k") rows[Math.max(at - 1, 0)]?.focus();
    else if (event.key === "?") document.getElementById("keys-help")?.toggleAttribute("open");
    else document.querySelector(`[data-key="${event.key}"]`)?.focus();
  });
}

// A page that waits asks again while it is looked at.
const live = document.querySelector("[data-live]");
if (live) {
  let version = live.dataset.live;
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live]");
    if (fresh && fresh.dataset.live !== version) {
      version = fresh.dataset.live;
      live.replaceChildren(...fresh.childNodes);
    }
  }, 5000);
}
