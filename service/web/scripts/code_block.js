// Gives code blocks their line with language and *copy*, and lets wide tables scroll in themselves.
import { copyFrom } from "./clipboard.js";
import { element } from "./elements.js";

const NAMES = {
  python: "Python",
  sql: "SQL",
  bash: "Shell",
  json: "JSON",
  yaml: "YAML",
  toml: "TOML",
  js: "JavaScript",
};

/** Characters of a cell that is not broken: a number stays with its unit. */
const SHORT_CELL = 12;

/** Lines; a little more than what is shown of a folded block, so that folding always saves something. */
const FOLDED_FROM = 28;

/**
 * @param {ParentNode} root freshly made, not yet shown
 * @param {(words: string) => void} say
 */
export function dressCode(root, say) {
  for (const pre of root.querySelectorAll("pre")) {
    const figure = pre.closest("figure.code") ?? wrapped(pre);
    const caption = figure.querySelector("figcaption");
    if (caption.querySelector("button")) continue;
    const copy = element("button", { type: "button", class: "copy-code" }, "Copy");
    copy.addEventListener("click", () => copyFrom(copy, pre.textContent.replace(/\n$/, ""), say));
    const words = element("span", {}, caption.textContent);
    if (pre.dataset.codeCheck === "failed")
      words.append(element("span", { class: "code-note" }, " · does not pass the check"));
    caption.replaceChildren(words, copy);
    pre.tabIndex = 0;
    pre.setAttribute("role", "group");
    pre.setAttribute("aria-label", `Code${words.textContent ? `, ${words.textContent}` : ""}`);
  }
  for (const table of root.querySelectorAll("table")) {
    if (table.parentElement?.classList.contains("table-scroll")) continue;
    for (const cell of table.querySelectorAll("td"))
      if (cell.textContent.length <= SHORT_CELL) cell.classList.add("short");
    const scroll = element("div", { class: "table-scroll", tabindex: 0, role: "group", "aria-label": "Table" });
    table.replaceWith(scroll);
    scroll.append(table);
  }
}

/**
 * Long code with its first lines only, and a button that shows the rest: what follows it is easily missed.
 * @param {ParentNode} root
 */
export function foldCode(root) {
  for (const figure of root.querySelectorAll("figure.code:not(.foldable)")) {
    const lines = figure.querySelector("pre").textContent.trimEnd().split("\n").length;
    if (lines <= FOLDED_FROM) continue;
    figure.classList.add("foldable", "folded");
    const more = element("button", { type: "button", class: "unfold", "aria-expanded": "false" });
    const label = () => {
      const folded = figure.classList.contains("folded");
      more.textContent = folded ? `Show all ${lines} lines` : "Show less";
      more.setAttribute("aria-expanded", String(!folded));
    };
    more.addEventListener("click", () => {
      figure.classList.toggle("folded");
      label();
      if (figure.classList.contains("folded")) figure.scrollIntoView({ block: "nearest" });
    });
    label();
    figure.append(more);
  }
}

function wrapped(pre) {
  const language = /language-([\w+-]+)/.exec(pre.firstElementChild?.className ?? "")?.[1] ?? "";
  const figure = element("figure", { class: "code" }, element("figcaption", {}, NAMES[language] ?? language));
  pre.replaceWith(figure);
  figure.append(pre);
  return figure;
}
