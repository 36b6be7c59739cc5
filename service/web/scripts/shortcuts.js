// Keyboard shortcuts and the sheet that lists them. Single keys can be switched off, for people who speak to their
// computer or press keys by accident.
import { element } from "./elements.js";
import { remember, remembered } from "./memory.js";
import { sheet } from "./sheet.js";

const ALWAYS = [
  ["Enter", "Ask"],
  ["Shift+Enter", "Start a new line in the question"],
  ["Esc", "Close what is open, or stop the answer"],
  ["↑", "In an empty box: edit the last question"],
];

/** @typedef {{key: string, words: string, act: () => void}} Shortcut */

/**
 * @param {Shortcut[]} shortcuts single keys
 * @param {() => boolean} escape what Esc does when no sheet is open; whether it did something
 * @returns {() => void} opens the help sheet
 */
export function shortcutKeys(shortcuts, escape) {
  const help = helpSheet(shortcuts);
  const open = () => help.showModal();
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (!document.querySelector("dialog:modal, [popover]:popover-open") && escape()) event.preventDefault();
      return;
    }
    if (writing(event.target) || document.querySelector("dialog:modal") || remembered("single-keys") === "off") return;
    const pressed = event.key === "?" ? { act: open } : shortcuts.find((shortcut) => shortcut.key === event.key);
    if (!pressed) return;
    event.preventDefault();
    pressed.act();
  });
  return open;
}

function helpSheet(shortcuts) {
  const rows = [...ALWAYS, ...shortcuts.map(({ key, words }) => [key, words]), ["?", "This sheet"]];
  const list = element(
    "dl",
    {},
    ...rows.flatMap(([key, words]) => [element("dt", {}, ...keysOf(key)), element("dd", {}, words)]),
  );
  const box = element("input", { type: "checkbox", checked: remembered("single-keys") !== "off" });
  box.addEventListener("change", () => remember("single-keys", box.checked ? "on" : "off"));
  const choice = element("label", {}, box, "Single keys work outside of text boxes");
  return sheet("help-sheet", "Keyboard shortcuts", element("div", { class: "sheet-body" }, list, choice));
}

function keysOf(key) {
  return key
    .split("+")
    .flatMap((one, at) => [at ? " + " : null, element("kbd", {}, one)])
    .filter(Boolean);
}

function writing(target) {
  return target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") ?? false;
}
