// Keeps the changing parts of a page as the server has them, and lets shas and code be copied.
// A part is an element with `data-live` and an id. What a person is typing in is left alone.
"use strict";

const EVERY = 2000;
const served = new Map();

function parts(root) {
  return new Map([...root.querySelectorAll("[data-live][id]")].map((part) => [part.id, part]));
}

function isTouched(part) {
  const forms = [...part.querySelectorAll("form")];
  if (forms.some((form) => form.hasAttribute("data-touched"))) return true;
  const fields = part.querySelectorAll("textarea, input:not([type=hidden]):not([type=checkbox])");
  const focused = part.contains(document.activeElement) && document.activeElement.matches("textarea, input, select");
  return focused || [...fields].some((field) => field.value !== field.defaultValue);
}

function replace(part, fresh) {
  const open = new Set([...part.querySelectorAll("details[open]")].map(key));
  const chosen = new Map([...part.querySelectorAll("select")].map((select) => [select.name, select.value]));
  for (const details of fresh.querySelectorAll("details")) if (open.has(key(details))) details.open = true;
  for (const select of fresh.querySelectorAll("select")) if (chosen.has(select.name)) select.value = chosen.get(select.name);
  part.replaceWith(fresh);
  decorate(fresh);
}

function key(details) {
  return details.dataset.key ?? details.querySelector("summary")?.textContent;
}

function warnOfOutdated(part, fresh) {
  const mine = part.querySelector("form[data-blob]");
  const theirs = fresh.querySelector("form[data-blob]");
  const notice = mine?.querySelector("[data-outdated]");
  if (notice) notice.hidden = mine.elements.blob.value === theirs?.dataset.blob;
}

async function refresh() {
  if (document.hidden) return;
  let page;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return; // The sandbox is away; the next turn tries again.
  }
  const present = parts(document);
  for (const [id, fresh] of parts(page)) {
    const part = present.get(id);
    const html = fresh.outerHTML;
    if (!part || served.get(id) === html) continue;
    if (isTouched(part)) {
      warnOfOutdated(part, fresh);
      continue;
    }
    served.set(id, html);
    replace(part, document.adoptNode(fresh));
  }
}

function copyButton(text) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.dataset.copy = text;
  return button;
}

function decorate(root) {
  for (const code of root.querySelectorAll(".prose pre > code")) {
    code.parentElement.append(copyButton(code.textContent.replace(/\n$/, "")));
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-submit]")) event.target.form.submit();
});

document.documentElement.classList.add("scripted");
for (const [id, part] of parts(document)) served.set(id, part.outerHTML);
decorate(document);
setInterval(refresh, EVERY);
