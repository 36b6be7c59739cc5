// A dialog over the page, made once and opened often; the browser traps the focus in it and gives it back.
import { element, icon } from "./elements.js";

/**
 * @param {string} kind its class
 * @param {string} title
 * @param {...(Node | false)} children
 * @returns {HTMLDialogElement}
 */
export function sheet(kind, title, ...children) {
  const id = `m-${kind}-title`;
  const close = element("button", { type: "button", class: "icon-button", "aria-label": "Close" }, icon("close"));
  const head = element("div", { class: "sheet-head" }, element("h2", { id }, title), close);
  const dialog = element("dialog", { class: `sheet ${kind}`, "aria-labelledby": id }, head, ...children);
  close.addEventListener("click", () => dialog.close());
  closeOnBackdrop(dialog);
  document.body.append(dialog);
  return dialog;
}

/** @param {HTMLDialogElement} dialog */
export function closeOnBackdrop(dialog) {
  dialog.addEventListener("pointerdown", (event) => {
    if (event.target !== dialog) return;
    const box = dialog.getBoundingClientRect();
    const inside =
      event.clientX >= box.left &&
      event.clientX <= box.right &&
      event.clientY >= box.top &&
      event.clientY <= box.bottom;
    if (!inside) dialog.close();
  });
}
