// An answer's text as it is being written: blocks of HTML that replace each other, put in once a frame.
//
// A block is only touched where it changed, so that text that stands does not move and a mark that has the focus keeps
// it; however many deltas come between two frames, the page is laid out once.
import { dressCode } from "./code_block.js";
import { element } from "./elements.js";
import { fragmentOf } from "./markup.js";

export class WrittenAnswer {
  element = element("div", { class: "prose" });
  #blocks = [];
  #waiting = new Map();
  #frame = 0;
  #plain = "";
  #dress;
  #say;

  /**
   * @param {(root: ParentNode) => void} dress names the citation marks of new HTML
   * @param {(words: string) => void} say
   */
  constructor(dress, say) {
    this.#dress = dress;
    this.#say = say;
  }

  get isEmpty() {
    return this.#blocks.length === 0 && this.#waiting.size === 0;
  }

  /** @param {{text: string, html?: {block: number, html: string}[]}} delta */
  write(delta) {
    if (delta.html) for (const { block, html } of delta.html) this.#waiting.set(block, html);
    else this.#writePlain(delta.text);
    this.#frame ||= requestAnimationFrame(() => this.#flush());
  }

  /** The whole text at last; what already stands there is left as it is. @param {string} html */
  finish(html) {
    cancelAnimationFrame(this.#frame);
    this.#waiting.clear();
    const wanted = [...fragmentOf(html).children].map((child) => child.outerHTML);
    while (this.#blocks.length > wanted.length) this.#blocks.pop().element.remove();
    wanted.forEach((block, at) => this.#put(at, block));
  }

  /** Something else instead of what was written. @param {...Node} shown */
  replace(...shown) {
    cancelAnimationFrame(this.#frame);
    this.#waiting.clear();
    this.#blocks = [];
    this.element.replaceChildren(...shown);
  }

  /** Show what is waiting at once, as when the reader stops the answer. */
  flush() {
    cancelAnimationFrame(this.#frame);
    this.#flush();
  }

  #flush() {
    this.#frame = 0;
    for (const [at, html] of this.#waiting) this.#put(at, html);
    this.#waiting.clear();
  }

  #put(at, html) {
    const wanted = html.trim();
    while (this.#blocks.length <= at) {
      const block = element("div", { class: "block" });
      this.#blocks.push({ element: block, html: "", parsed: "" });
      this.element.append(block);
    }
    const block = this.#blocks[at];
    if (block.html === wanted || block.parsed === wanted) return;
    const made = fragmentOf(wanted);
    block.parsed = [...made.children].map((child) => child.outerHTML).join("\n");
    this.#dress(made);
    dressCode(made, this.#say);
    block.element.replaceChildren(made);
    block.html = wanted;
  }

  /** A service that sends no HTML: paragraphs of plain text, until the whole answer comes. */
  #writePlain(text) {
    this.#plain += text;
    this.#plain.split(/\n{2,}/).forEach((paragraph, at) => {
      const shown = element("p", {}, paragraph);
      this.#waiting.set(at, shown.outerHTML);
    });
  }
}
