// The button that goes through system, light and dark, and keeps the choice.
import { remembered, remember } from "./memory.js";

const NEXT = { system: "light", light: "dark", dark: "system" };

/**
 * @param {HTMLButtonElement} button
 * @param {(words: string) => void} say tells people who cannot see the change
 * @returns {() => void} goes on to the next theme
 */
export function themeSwitch(button, say) {
  const show = (choice) => {
    if (choice === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    button.dataset.choice = choice;
    button.setAttribute("aria-label", `Theme: ${choice}`);
  };
  const next = () => {
    const choice = NEXT[button.dataset.choice] ?? "light";
    remember("theme", choice);
    show(choice);
    say(`Theme: ${choice}`);
  };
  const stored = remembered("theme");
  show(stored === "light" || stored === "dark" ? stored : "system");
  button.addEventListener("click", next);
  addEventListener("storage", (event) => {
    if (event.key === "theme") show(event.newValue in NEXT ? event.newValue : "system");
  });
  return next;
}
