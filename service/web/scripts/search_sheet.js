// The sheet behind `/`: chapters and headings as somebody types, and the question itself as the last choice.
import { fetchJson } from "./api.js";
import { entriesOf, found, wordsOf } from "./chapter_search.js";
import { element } from "./elements.js";
import { chapterUrl } from "./places.js";
import { closeOnBackdrop } from "./sheet.js";
import { sentenceOf } from "./states.js";

export class SearchSheet {
  #input = element("input", {
    type: "search",
    role: "combobox",
    placeholder: "Search chapters and headings",
    "aria-label": "Search chapters and headings",
    "aria-controls": "m-results",
    "aria-expanded": "true",
    "aria-autocomplete": "list",
    autocomplete: "off",
    spellcheck: "false",
  });
  #results = element("ul", {
    class: "results",
    id: "m-results",
    role: "listbox",
    "aria-label": "Chapters and headings",
  });
  #note = element("p", { class: "search-note", role: "status" });
  #dialog = element(
    "dialog",
    { class: "sheet search-sheet", "aria-label": "Search" },
    this.#input,
    this.#results,
    this.#note,
  );
  #entries = null;
  #go;
  #ask;

  /** @param {(url: string) => void} go opens a place @param {(question: string) => void} ask */
  constructor(go, ask) {
    this.#go = go;
    this.#ask = ask;
    document.body.append(this.#dialog);
    closeOnBackdrop(this.#dialog);
    this.#input.addEventListener("input", () => this.#search());
    this.#input.addEventListener("keydown", (event) => this.#press(event));
    this.#results.addEventListener("click", (event) => {
      const item = event.target.closest("[role=option]");
      if (item) this.#choose(item);
    });
  }

  open() {
    this.#dialog.showModal();
    this.#input.value = "";
    this.#search();
    this.#load();
  }

  /** The index comes with the first search; after a new ingest the browser asks for it again. */
  async #load() {
    try {
      this.#entries = entriesOf(await fetchJson("/search-index.json"));
      this.#search();
    } catch (error) {
      this.#note.textContent = sentenceOf(error).text;
    }
  }

  #search() {
    const query = this.#input.value.trim();
    const best = this.#entries ? found(this.#entries, query) : [];
    const items = best.map((entry) => this.#item(entry, wordsOf(query)));
    if (query) items.push(this.#question(query));
    items.forEach((item, at) => (item.id = `m-result-${at}`));
    this.#results.replaceChildren(...items);
    this.#results.hidden = items.length === 0;
    this.#select(0);
    if (!query)
      this.#note.textContent = "Titles and headings of all chapters; the last choice asks your words as a question.";
    else this.#note.textContent = best.length || !this.#entries ? "" : "No title or heading has these words.";
  }

  #item(entry, words) {
    const url = chapterUrl(entry.path) + (entry.anchor ? `#${encodeURIComponent(entry.anchor)}` : "");
    const context = entry.heading ? `${entry.section} › ${entry.title}` : entry.section;
    const name = element("span", {}, ...emphasised(entry.heading || entry.title, words));
    return element(
      "li",
      { role: "option", "data-url": url, "aria-selected": "false" },
      name,
      element("small", {}, context),
    );
  }

  #question(query) {
    return element("li", { role: "option", "data-ask": query, "aria-selected": "false" }, `Ask: ${query}`);
  }

  #press(event) {
    const options = [...this.#results.children];
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.#select((at + step + options.length) % options.length);
    } else if (event.key === "Enter" && options[at]) {
      event.preventDefault();
      this.#choose(options[at]);
    }
  }

  #select(at) {
    const options = [...this.#results.children];
    options.forEach((option, position) => option.setAttribute("aria-selected", String(position === at)));
    const chosen = options[at];
    if (chosen) this.#input.setAttribute("aria-activedescendant", chosen.id);
    else this.#input.removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  }

  #choose(item) {
    this.#dialog.close();
    if (item.dataset.ask) this.#ask(item.dataset.ask);
    else this.#go(item.dataset.url);
  }
}

/** A name with the beginnings that were typed in bold. */
function emphasised(name, words) {
  return name.split(/([\p{L}\p{N}_]+)/u).map((part) => {
    const word = words.find((typed) => part.toLowerCase().startsWith(typed));
    return word ? element("span", {}, element("b", {}, part.slice(0, word.length)), part.slice(word.length)) : part;
  });
}
