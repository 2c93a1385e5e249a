// Everything works without this file. It adds: copying, filtering while you type, a theme switch without a reload,
// progress that moves, and "/" to reach the filter.
"use strict";

const copyText = async (button) => {
  const code = button.parentElement.querySelector("[data-copy]");
  try {
    await navigator.clipboard.writeText(code.dataset.copy);
    button.textContent = "Copied";
    button.classList.add("done");
  } catch {
    getSelection().selectAllChildren(code);
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => {
    button.textContent = "Copy";
    button.classList.remove("done");
  }, 1600);
};

const ready = (root) => {
  for (const button of root.querySelectorAll("button[data-copies]")) button.hidden = false;
};

// The server filters; this only asks it sooner, and shows the newest answer.
let asked = 0;
const refresh = async (form) => {
  const turn = ++asked;
  const query = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...query]) if (!value) query.delete(name);
  const address = `${form.getAttribute("action")}?${query}`;
  const answer = await fetch(address, { headers: { accept: "text/html" } });
  if (turn !== asked || !answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const [now, next] = [document, page].map((where) => where.getElementById("results"));
  if (!now || !next) return;
  now.replaceWith(next);
  ready(next);
  history.replaceState(null, "", address);
};

// Where work goes on, its card is asked for again until the work is over; then the numbers around it are new.
const watch = () => {
  const now = document.querySelector("[data-watch]");
  if (now) setTimeout(() => look(now), 1500);
};
const look = async (now) => {
  if (document.hidden) return watch();
  try {
    const answer = await fetch(now.dataset.watch, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById(now.id);
    if (!next) return;
    if (!next.dataset.watch) return location.reload();
    now.replaceWith(next);
  } catch { /* The server is away for a moment. */ }
  watch();
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copies]");
  if (button) copyText(button);
});

document.addEventListener("input", (event) => {
  const form = event.target.closest("form.filter:not([data-waits])");
  if (!form) return;
  clearTimeout(form.waiting);
  form.waiting = setTimeout(() => refresh(form), event.target.type === "search" ? 180 : 0);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id !== "theme") return;
  event.preventDefault();
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const next = (root.dataset.theme ?? (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  fetch(form.action, { method: "POST", body: new URLSearchParams({ theme: next, back: "/" }), redirect: "manual" });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  const search = document.querySelector("form.filter input[type=search]");
  if (!search) return;
  event.preventDefault();
  search.select();
});

document.documentElement.classList.add("script");
ready(document);
watch();
