// What the desk has beside phones: light or dark, the key to the search box, the picture shown large.

export function element(id) {
  return document.getElementById(id);
}

export function openPicture(source) {
  const box = element("lightbox");
  box.querySelector("img").src = source;
  box.showModal();
}

export function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Light or dark as the system has it, until somebody chooses; the choice is kept in this browser. */
export function prepareTheme() {
  const root = document.documentElement;
  const saved = localStorage.getItem("theme");
  if (saved) root.dataset.theme = saved;
  element("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });
}

/** Ctrl+K goes to the search box; a click beside the large picture puts it away. */
export function prepareKeys() {
  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    document.querySelector(".people input[type=search]").focus();
  });
  const box = element("lightbox");
  box.addEventListener("click", (event) => event.target === box && box.close());
}
