// What the pages do beyond plain forms: live numbers, the current page in view, the list of alarms anew.
// Words come from the server, in the reader's language.
"use strict";

const places = () => document.querySelectorAll("[data-live]");

function show(numbers) {
  for (const place of places()) {
    const fresh = numbers[place.dataset.live];
    if (fresh === undefined || place.textContent === fresh) continue;
    place.textContent = fresh;
    place.classList.remove("fresh");
    requestAnimationFrame(() => place.classList.add("fresh"));
  }
  if (numbers.alarms !== undefined) showAlarms(Number(numbers.alarms), numbers.alarms_words, numbers.alarms_spoken);
  if (numbers.alarms_mark !== undefined) {
    const list = document.getElementById("alarms");
    if (list && list.dataset.mark !== numbers.alarms_mark) htmx.trigger(list, "news");
  }
}

function showAlarms(count, words, spokenWords) {
  const pill = document.getElementById("alarm-pill");
  if (!pill) return;
  const before = Number(pill.dataset.count || 0);
  pill.dataset.count = count;
  pill.hidden = count === 0;
  pill.querySelector("[data-count]").textContent = words;
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = count ? `(${count}) ${title}` : title;
  const spoken = document.getElementById("spoken");
  if (spoken && count > before) spoken.textContent = spokenWords;
}

function listen() {
  const pulse = document.getElementById("pulse");
  const stream = new EventSource("/console/live");
  const say = (state, words) => {
    pulse.dataset.state = state;
    pulse.querySelector("span").textContent = words;
  };
  stream.addEventListener("open", () => say("live", pulse.dataset.liveWords));
  stream.addEventListener("error", () => say("lost", pulse.dataset.lostWords));
  stream.addEventListener("numbers", (event) => {
    if (document.querySelector("[data-counting]")) location.reload();
    else show(JSON.parse(event.data));
  });
  stream.addEventListener("ended", () => { stream.close(); location.reload(); });
  addEventListener("pagehide", () => stream.close());
}

document.addEventListener("DOMContentLoaded", () => {
  if (document.getElementById("pulse")) listen();
  const here = document.querySelector(".rail [aria-current]");
  if (here) here.parentElement.parentElement.scrollLeft = here.offsetLeft - 120;
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
      button.textContent = button.dataset.copied;
    });
  }
});

// A form is sent once, however often its button is pressed in the dark.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));
