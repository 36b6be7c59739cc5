// The drawer of conversations: found, renamed, deleted and brought back, exported.
import { fetchJson, request } from "./api.js";
import { downloadWithKey } from "./download.js";
import { element } from "./elements.js";
import { counted, when } from "./figures.js";
import { sheet } from "./sheet.js";
import { sentenceOf } from "./states.js";

const PAGE = 30;

export class Conversations {
  #search = element("input", {
    class: "field",
    type: "search",
    placeholder: "Search conversations",
    "aria-label": "Search conversations",
    autocomplete: "off",
  });
  #list = element("ul", { class: "conversation-list" });
  #note = element("p", { class: "label", role: "status" });
  #older = element("button", { type: "button", class: "button quiet", hidden: true }, "Show older");
  #dialog;
  #last = null;
  #asked = 0;
  #page;

  /** @param {{current: () => string | null, say: (words: string) => void, changed: (id: string) => void, gone: (id: string) => void}} page */
  constructor(page) {
    this.#page = page;
    const fresh = element("a", { href: "/", class: "button quiet", "data-new": true }, "New conversation");
    this.#dialog = sheet(
      "drawer",
      "Conversations",
      element("div", { class: "drawer-tools" }, fresh, this.#search),
      element("div", { class: "sheet-body" }, this.#note, this.#list, this.#older),
    );
    this.#search.addEventListener("input", () => this.#load());
    this.#older.addEventListener("click", () => this.#load(this.#last));
    this.#dialog.addEventListener("click", (event) => {
      if (event.target.closest("a[href^='/c/'], a[href='/']")) this.#dialog.close();
    });
  }

  open() {
    this.#search.value = "";
    this.#dialog.showModal();
    this.#search.focus();
    this.#load();
  }

  /** @param {string | null} [before] go on after this moment instead of from the start */
  async #load(before = null) {
    const asked = ++this.#asked;
    const query = new URLSearchParams({ q: this.#search.value.trim(), limit: String(PAGE) });
    if (before) query.set("before", before);
    try {
      const found = await fetchJson(`/api/conversations?${query}`);
      if (asked !== this.#asked) return;
      const rows = found.map((conversation) => this.#row(conversation));
      if (before) this.#list.append(...rows);
      else this.#list.replaceChildren(...rows);
      this.#last = found.at(-1)?.updated_at ?? null;
      this.#older.hidden = found.length < PAGE;
      this.#note.textContent = this.#list.children.length ? "" : this.#nothing();
      if (before) rows[0]?.querySelector("a").focus();
    } catch (error) {
      this.#note.textContent = sentenceOf(error).text;
    }
  }

  #nothing() {
    const sought = this.#search.value.trim();
    return sought
      ? `No conversation mentions “${sought}”.`
      : "Nothing yet. What you ask is kept here, so that you can come back to it.";
  }

  #row(conversation) {
    const { id, title, updated_at: updated, turns } = conversation;
    const address = `/c/${encodeURIComponent(id)}`;
    const current = this.#page.current() === id;
    const link = element(
      "a",
      { class: "title", href: address, "aria-current": current && "page" },
      title || "Untitled",
    );
    const exported = (format, words) =>
      element(
        "a",
        {
          href: `/api/conversations/${encodeURIComponent(id)}/export?format=${format}`,
          download: true,
          onclick: (event) => this.#try(() => downloadWithKey(event)),
          "aria-label": `Export ${title} as ${words}`,
        },
        words,
      );
    const item = element("li", {});
    const rename = element(
      "button",
      { type: "button", "aria-label": `Rename ${title}`, onclick: () => this.#rename(item, conversation) },
      "Rename",
    );
    const remove = element(
      "button",
      { type: "button", "aria-label": `Delete ${title}`, onclick: () => this.#delete(item, conversation) },
      "Delete",
    );
    const about = element("span", { class: "when" }, `${when(updated)} · ${counted(turns, "question")}`);
    item.append(
      link,
      element(
        "div",
        { class: "row" },
        about,
        rename,
        "Export:",
        exported("markdown", "Markdown"),
        exported("json", "JSON"),
        remove,
      ),
    );
    return item;
  }

  #rename(item, conversation) {
    const field = element("input", {
      class: "field",
      value: conversation.title,
      maxlength: 200,
      "aria-label": "New title",
    });
    const form = element("form", {}, field);
    const back = (now) => {
      const row = this.#row(now);
      item.replaceWith(row);
      row.querySelector("a").focus();
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const title = field.value.trim();
      if (!title) return;
      await this.#try(async () => {
        back(
          await fetchJson(`/api/conversations/${encodeURIComponent(conversation.id)}`, {
            method: "PATCH",
            json: { title },
          }),
        );
        this.#page.changed(conversation.id);
      });
    });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      back(conversation);
    });
    item.querySelector(".title").replaceWith(form);
    field.focus();
    field.select();
  }

  #delete(item, conversation) {
    const address = `/api/conversations/${encodeURIComponent(conversation.id)}`;
    return this.#try(async () => {
      await request(address, { method: "DELETE" });
      const undo = element("button", { type: "button" }, "Undo");
      undo.addEventListener("click", () =>
        this.#try(async () => {
          await request(`${address}/restore`, { method: "POST" });
          const row = this.#row(conversation);
          item.replaceWith(row);
          row.querySelector("a").focus();
          this.#page.say("Brought back");
        }),
      );
      item.replaceChildren(
        element("div", { class: "row" }, element("span", { class: "when" }, `Deleted “${conversation.title}”.`), undo),
      );
      undo.focus();
      this.#page.say("Deleted. Undo brings it back.");
      this.#page.gone(conversation.id);
    });
  }

  async #try(act) {
    try {
      await act();
      this.#note.textContent = "";
    } catch (error) {
      this.#note.textContent = sentenceOf(error).text;
    }
  }
}
