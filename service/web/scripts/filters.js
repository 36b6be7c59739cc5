// Where a question is kept to: quiet chips above the composer, each opening a short list.
import { element } from "./elements.js";

const KINDS = { sections: ["All sections", "section"], levels: ["Any level", "level"] };

export class Filters {
  #root;
  #choices = { sections: [], levels: [] };
  #titles = new Map();
  #chosen = { sections: new Set(), levels: new Set(), chapters: new Set() };
  #open = null;

  /** @param {HTMLElement} root where the chips stand */
  constructor(root) {
    this.#root = root;
    addEventListener("resize", () => this.#open?.hidePopover());
  }

  /** @param {HTMLTemplateElement | null} template what can be chosen, as the server wrote it */
  offer(template) {
    if (!template) return;
    const inputs = [...template.content.querySelectorAll("input")];
    for (const kind of Object.keys(KINDS))
      this.#choices[kind] = inputs.filter((input) => input.name === kind).map((input) => input.getAttribute("value"));
    for (const option of template.content.querySelectorAll("option"))
      this.#titles.set(option.value, option.textContent);
    this.#draw();
  }

  /** @returns {{sections: string[], levels: string[], chapters: string[]}} as the API takes them */
  get chosen() {
    return Object.fromEntries(Object.entries(this.#chosen).map(([kind, values]) => [kind, [...values]]));
  }

  /** @param {string} path keep to this chapter alone */
  keepToChapter(path) {
    this.#chosen.chapters = new Set([path]);
    this.#draw();
  }

  /** @param {{sections?: string[], levels?: string[], chapters?: string[]}} [filters] */
  set(filters = {}) {
    for (const kind of Object.keys(this.#chosen)) this.#chosen[kind] = new Set(filters[kind] ?? []);
    this.#draw();
  }

  #draw() {
    const chapters = [...this.#chosen.chapters].map((path) =>
      this.#chip(this.#titles.get(path) ?? path, "chapters", path),
    );
    const offered = Object.keys(KINDS).filter((kind) => this.#choices[kind].length > 1);
    const groups = offered.flatMap((kind) => {
      const on = [...this.#chosen[kind]].map((value) => this.#chip(named(value), kind, value));
      return [this.#opener(kind, on.length), ...on];
    });
    this.#root.replaceChildren(...chapters, ...groups);
  }

  #chip(words, kind, value) {
    const remove = () => {
      this.#chosen[kind].delete(value);
      this.#draw();
      this.#root.querySelector("button")?.focus();
    };
    return element(
      "button",
      { type: "button", class: "chip on", "aria-label": `Take away the filter ${words}`, onclick: remove },
      element("span", {}, words),
    );
  }

  #opener(kind, count) {
    const [all, one] = KINDS[kind];
    const button = element(
      "button",
      { type: "button", class: "chip", "aria-haspopup": "dialog", "aria-expanded": "false" },
      count ? `Another ${one}` : all,
    );
    button.addEventListener("click", () => this.#choose(kind, button));
    return button;
  }

  #choose(kind, button) {
    if (this.#open) {
      const same = this.#open.dataset.kind === kind;
      this.#open.hidePopover();
      if (same) return;
    }
    const boxes = this.#choices[kind].map((value) => {
      const box = element("input", { type: "checkbox", value, checked: this.#chosen[kind].has(value) });
      box.addEventListener("change", () => this.#chosen[kind][box.checked ? "add" : "delete"](value));
      return element("label", {}, box, named(value));
    });
    const fieldset = element("fieldset", {}, element("legend", {}, `Look only in`), ...boxes);
    const list = element(
      "div",
      {
        class: "choices",
        popover: "auto",
        role: "dialog",
        "aria-label": `Choose ${KINDS[kind][1]}s`,
        "data-kind": kind,
      },
      fieldset,
    );
    button.after(list);
    list.addEventListener("toggle", ({ newState }) => {
      button.setAttribute("aria-expanded", String(newState === "open"));
      if (newState !== "closed") return;
      const back = list.contains(document.activeElement) || document.activeElement === document.body;
      this.#open = null;
      this.#draw();
      if (back) [...this.#root.querySelectorAll("[aria-haspopup]")].at(kind === "sections" ? 0 : -1)?.focus();
    });
    list.showPopover();
    this.#open = list;
    const at = button.getBoundingClientRect();
    list.style.left = `${Math.max(16, Math.min(at.left, innerWidth - list.offsetWidth - 16))}px`;
    list.style.bottom = `${innerHeight - at.top + 6}px`;
    list.querySelector("input").focus();
  }
}

function named(value) {
  return value.charAt(0).toUpperCase() + value.slice(1);
}
