// What mends a problem, right where it is shown: the command to run, or the key to give.
import { copyFrom } from "./clipboard.js";
import { element } from "./elements.js";
import { remember } from "./memory.js";

/**
 * @param {{command?: string, key?: boolean}} sentence from `states.js`
 * @param {(words: string) => void} say
 * @param {() => void} again tries once more with the key
 * @returns {HTMLElement | null}
 */
export function remedyFor({ command, key }, say, again) {
  if (command) return commandToRun(command, say);
  return key ? keyForm(again) : null;
}

function commandToRun(command, say) {
  const copy = element(
    "button",
    { type: "button", class: "copy-code", onclick: () => copyFrom(copy, command, say) },
    "Copy",
  );
  const figure = element(
    "figure",
    { class: "code" },
    element("figcaption", {}, element("span", {}, "Shell"), copy),
    element("pre", { tabindex: 0 }, element("code", {}, command)),
  );
  return element("div", { class: "prose remedy" }, figure);
}

function keyForm(again) {
  const field = element("input", {
    class: "field",
    type: "password",
    autocomplete: "off",
    required: true,
    "aria-label": "Key",
  });
  const form = element(
    "form",
    { class: "feedback" },
    field,
    element("button", { class: "button", type: "submit" }, "Use this key"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    remember("key", field.value.trim());
    again();
  });
  return form;
}
