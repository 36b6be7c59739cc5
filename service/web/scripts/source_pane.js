// The chapter beside the answer, open at the cited passage; a sheet where the window is narrow.
import { request } from "./api.js";
import { copyFrom } from "./clipboard.js";
import { dressCode } from "./code_block.js";
import { fragmentOf } from "./markup.js";
import { markPassage, unmarkPassages } from "./passage.js";
import { nameOf, passageUrl } from "./places.js";
import { sentenceOf } from "./states.js";

const WIDE = matchMedia("(min-width: 1100px)");

export class SourcePane {
  #dialog = document.getElementById("m-source");
  #body = document.getElementById("m-source-body");
  #title = document.getElementById("m-source-title");
  #placeLine = document.getElementById("m-source-place");
  #open = document.getElementById("m-source-open");
  #place = null;
  #path = null;
  #opener = null;
  #say;

  /** @param {(words: string) => void} say */
  constructor(say) {
    this.#say = say;
    document.getElementById("m-source-close").addEventListener("click", () => this.close());
    const copy = document.getElementById("m-source-copy");
    copy.addEventListener("click", () => copyFrom(copy, new URL(passageUrl(this.#place), location.href).href, say));
    this.#dialog.addEventListener("close", () => this.#closed());
    this.#dialog.addEventListener("click", (event) => event.target === this.#dialog && this.close());
    WIDE.addEventListener("change", () => this.isOpen && this.#show());
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /**
   * @param {import("./places.js").Place} place
   * @param {HTMLElement} opener gets the focus back, and shows which mark is open
   */
  async open(place, opener) {
    this.#opener?.classList.remove("open");
    this.#opener = opener;
    this.#place = place;
    opener?.classList.add("open");
    this.#title.textContent = place.title;
    this.#placeLine.textContent = place.heading && place.heading !== place.title ? place.heading : "Source";
    this.#open.href = passageUrl(place);
    const anew = !this.isOpen;
    if (anew) this.#show();
    try {
      await this.#load(place.chapter);
      if (this.#place !== place) return;
      this.#goTo(place);
      this.#say(`${nameOf(place)} is open at the passage`);
    } catch (error) {
      this.#path = null;
      this.#body.replaceChildren(sentenceOf(error).text);
    }
    this.#title.focus({ preventScroll: true });
  }

  close() {
    if (this.isOpen) this.#dialog.close();
  }

  #show() {
    if (this.isOpen) this.#dialog.close();
    if (WIDE.matches) this.#dialog.show();
    else this.#dialog.showModal();
  }

  #closed() {
    if (this.isOpen) return;
    unmarkPassages(this.#body);
    this.#opener?.classList.remove("open");
    if (this.#opener?.isConnected) this.#opener.focus({ preventScroll: true });
  }

  async #load(chapter) {
    if (this.#path === chapter) return;
    this.#body.setAttribute("aria-busy", "true");
    const response = await request(`${passageUrl({ chapter, anchor: "" }).split("?")[0]}?part=view`);
    const view = fragmentOf(await response.text());
    // The reader may show the same chapter: one id must not stand twice in a document.
    for (const heading of view.querySelectorAll("[id]")) {
      heading.dataset.anchor = heading.id;
      heading.removeAttribute("id");
    }
    dressCode(view, this.#say);
    this.#body.replaceChildren(view);
    this.#body.removeAttribute("aria-busy");
    this.#path = chapter;
  }

  #goTo(place) {
    const block = markPassage(this.#body, [place.start_line, place.end_line], place.quote);
    const at = block ?? this.#body.querySelector(`[data-anchor="${CSS.escape(place.anchor)}"]`);
    const top = at ? at.getBoundingClientRect().top - this.#body.getBoundingClientRect().top + this.#body.scrollTop : 0;
    this.#body.scrollTop = Math.max(0, top - this.#body.clientHeight * 0.25);
  }
}
