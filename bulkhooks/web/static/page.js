// What the page does by itself: take a dropped file, send a corrected cell, ask how a run stands. All else are forms.
"use strict";

// A form that sends its file as soon as there is one; a file may be dropped anywhere on the page.
const form = document.querySelector("[data-drop]");
if (form) {
  const input = form.querySelector("input[type=file]");
  const isFile = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  input.addEventListener("change", () => input.files.length && form.requestSubmit());
  document.addEventListener("dragover", (event) => {
    if (isFile(event)) {
      event.preventDefault();
      form.classList.add("over");
    }
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || form.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    if (isFile(event)) {
      event.preventDefault();
      form.classList.remove("over");
      input.files = event.dataTransfer.files;
      form.requestSubmit();
    }
  });
}

// Cells: a changed one is sent, and its rows come back with their verdicts. One at a time, in order.
const grid = document.querySelector("[data-cells]");
if (grid) {
  let before = Promise.resolve();
  grid.addEventListener("change", (event) => {
    const { row, field } = event.target.dataset;
    if (row !== undefined) {
      const text = event.target.value;
      before = before.then(() => correct(row, field, text));
    }
  });
  grid.addEventListener("keydown", (event) => {
    const { row, field } = event.target.dataset;
    if (row === undefined) return;
    if (event.key === "Escape") {
      event.target.value = event.target.defaultValue;
    } else if (event.key === "Enter" || (event.altKey && ["ArrowDown", "ArrowUp"].includes(event.key))) {
      event.preventDefault();
      const up = event.key === "ArrowUp" || event.shiftKey;
      const column = [...grid.querySelectorAll(`input[data-field="${field}"]`)];
      const next = column[column.indexOf(event.target) + (up ? -1 : 1)];
      if (next) next.focus();
      else event.target.blur();
    }
  });
}

async function correct(row, field, text) {
  grid.classList.add("busy");
  try {
    const answer = await fetch(grid.dataset.cells, {
      method: "POST",
      body: new URLSearchParams({ row, field, text }),
      headers: { Accept: "application/json" },
    });
    const found = await answer.json();
    if (found.error) {
      tell(found.error);
      return;
    }
    for (const [number, html] of Object.entries(found.rows)) {
      const old = document.getElementById(`row-${number}`);
      if (old) replace(old, html);
    }
    document.getElementById("summary").innerHTML = found.summary;
    document.getElementById("planned").replaceChildren();
  } catch {
    tell("The page does not answer: is `bulkhooks serve` still running?");
  } finally {
    grid.classList.remove("busy");
  }
}

function tell(sentence) {
  const said = document.createElement("p");
  said.className = "problem";
  said.setAttribute("role", "alert");
  said.textContent = sentence;
  document.getElementById("summary").prepend(said);
}

// Put new HTML in the place of an element; who typed in it, or was at one of its buttons, stays there.
function replace(old, html) {
  const at = old.contains(document.activeElement) ? document.activeElement : null;
  const made = document.createElement("template");
  made.innerHTML = html.trim();
  const fresh = made.content.firstElementChild;
  old.replaceWith(fresh);
  const again = at && at.id && document.getElementById(at.id);
  if (again) {
    if (again.value !== undefined && at.value !== at.defaultValue) again.value = at.value;
    again.focus();
  }
  return fresh;
}

// What is under way is asked for again each second; once it is over, the page shows what became of it.
function watch(part) {
  if (part.dataset.done !== undefined) location.reload();
  if (!part.dataset.poll) return;
  setTimeout(async () => {
    try {
      const answer = await fetch(part.dataset.poll);
      if (answer.status === 404) location.reload();
      else if (answer.ok) part = replace(part, await answer.text());
    } catch {
      // The server is away: asked again.
    }
    watch(part);
  }, 1000);
}
document.querySelectorAll("[data-poll]").forEach(watch);

// The list of events, narrowed to what is typed.
const find = document.querySelector("[data-find]");
if (find) {
  const rows = document.querySelectorAll(`#${find.dataset.find} tbody tr`);
  find.addEventListener("input", () => {
    const text = find.value.toLowerCase();
    rows.forEach((row) => (row.hidden = !row.textContent.toLowerCase().includes(text)));
  });
}
