// One question and its answer, through all that can become of it.
import { footOf } from "./answer_foot.js";
import { foldCode } from "./code_block.js";
import { element, icon } from "./elements.js";
import { counted } from "./figures.js";
import { distinct, nameOf, passageUrl } from "./places.js";
import { saysState, sentenceOf, stateOf } from "./states.js";
import { WrittenAnswer } from "./written_answer.js";

const LONG_QUESTION = 400;

/**
 * What an exchange asks of the page around it.
 * @typedef {object} Surroundings
 * @property {(words: string) => void} say
 * @property {(exchange: Exchange, fresh?: boolean) => void} retry
 * @property {(question: string) => void} edit
 * @property {(question: string) => void} ask
 * @property {(sentence: object, exchange: Exchange) => HTMLElement | null} remedy a form or command that mends a problem
 */

export class Exchange {
  answer = null;
  answerId = null;
  question;
  filters;
  /** Stands for a place that could not be opened, not for a question. */
  isPlaceholder = false;
  #around;
  #citations = new Map();
  #passages = [];
  #written;
  #progress = element("p", { class: "progress" });
  #state = element("p", { class: "state", hidden: true });
  #readingList = element("ul", { class: "reading-list", hidden: true });
  #after = element("div", { class: "after" });
  #box;

  /** @param {string} question @param {object} filters @param {Surroundings} around */
  constructor(question, filters, around) {
    this.question = question;
    this.filters = filters;
    this.#around = around;
    this.#written = new WrittenAnswer((root) => this.#nameMarks(root), around.say);
    this.#box = element(
      "div",
      { class: "answer", "data-tone": "neutral" },
      this.#readingList,
      this.#written.element,
      this.#state,
    );
    const edit = element(
      "button",
      {
        type: "button",
        class: "icon-button",
        "aria-label": "Edit this question and ask again",
        title: "Edit and ask again",
        onclick: () => around.edit(question),
      },
      icon("edit"),
    );
    const heading = element(
      "h2",
      {
        class: question.length > LONG_QUESTION ? "question long" : "question",
        tabindex: question.length > LONG_QUESTION ? 0 : -1,
      },
      question,
    );
    this.element = element(
      "article",
      { class: "exchange" },
      element("div", { class: "question-row" }, heading, edit),
      narrowed(filters),
      this.#progress,
      this.#box,
      this.#after,
    );
  }

  get written() {
    return this.answer?.answer ?? "";
  }

  /** @param {HTMLElement} mark @returns {import("./places.js").Place | null} what a citation mark stands for */
  placeOf(mark) {
    const cited = this.#citations.get(Number(mark.dataset.citation));
    if (!cited) return null;
    return cited.quote ? cited : { ...cited, quote: this.#textNear(cited) };
  }

  begin() {
    this.#box.setAttribute("aria-busy", "true");
    this.#progress.textContent = "Looking through the chapters…";
  }

  sources({ id, passages }) {
    this.answerId = id;
    this.#passages = passages;
    const places = distinct(passages);
    this.#progress.textContent = `Reading ${this.#read()}`;
    this.#readingList.replaceChildren(
      ...places.map((place) =>
        element(
          "li",
          {},
          element("a", { href: passageUrl(place), "data-passage": passages.indexOf(place) }, nameOf(place)),
        ),
      ),
    );
    this.#readingList.hidden = false;
    this.#around.say(`Reading ${counted(passages.length, "passage")}`);
  }

  /** @param {HTMLElement} link of the reading list @returns {import("./places.js").Place} */
  passageOf(link) {
    return this.#passages[Number(link.dataset.passage)];
  }

  delta(delta) {
    if (this.#written.isEmpty) {
      this.#readingList.hidden = true;
      this.#box.classList.add("writing");
      this.#around.say("The answer begins");
    }
    for (const citation of delta.citations ?? []) this.#citations.set(citation.number, citation);
    this.#written.write(delta);
  }

  /** @param {boolean} begun whether the answer is known to be in the making */
  lost(begun) {
    const words = begun
      ? "The connection was lost. The answer is still being written; it will appear here."
      : "The connection was lost. If the question arrived, its answer will appear here.";
    this.#showState("degraded", words);
    this.#around.say("The connection was lost; the answer is being looked for");
  }

  /** @param {object} answer @param {{verdict: string} | null} [feedback] */
  finish(answer, feedback = null) {
    this.answer = answer;
    this.answerId = answer.id;
    this.#citations = new Map(answer.citations.map((citation) => [citation.number, citation]));
    this.#passages = answer.passages;
    this.#end();
    const { tone, text } = stateOf(answer);
    if (tone === "missing") this.#written.replace(element("p", {}, "The knowledge base does not cover this. Nearest:"));
    else this.#written.finish(this.#withoutState(answer));
    if (answer.mode === "extractive") foldCode(this.#written.element);
    this.#showState(tone, text);
    if (answer.receipt.cached) this.#state.append(" ", this.#again("Ask afresh"));
    this.#after.replaceChildren(...footOf(this, this.#around, feedback));
  }

  /** @param {unknown} error */
  fail(error) {
    this.#end();
    const sentence = sentenceOf(error);
    this.#showState("failed", sentence.text);
    if (sentence.again) this.#state.append(" ", this.#again(this.isPlaceholder ? "Try again" : "Ask again"));
    const remedy = this.#around.remedy(sentence, this);
    this.#after.replaceChildren(...(remedy ? [remedy] : []));
    this.#around.say(sentence.text);
  }

  /** @param {string} [said] of an answer that was stopped earlier, whose text is not kept */
  stop(said) {
    this.#written.flush();
    this.#end();
    const now = this.#written.isEmpty
      ? "Stopped before anything was written."
      : "Stopped. This is what was written until then.";
    this.#showState("neutral", said ?? now);
    this.#state.append(" ", this.#again("Ask again"));
    this.#around.say("Stopped");
  }

  /** Words for the clipboard: Markdown with its sources. */
  get markdown() {
    const sources = this.answer.citations.map(
      (cited) =>
        `[${cited.number}] ${nameOf(cited)}, lines ${cited.start_line}–${cited.end_line}: ${new URL(passageUrl(cited), location.href).href}`,
    );
    return [
      `## ${this.question}`,
      this.answer.answer,
      ...(sources.length ? [`Sources:\n\n${sources.join("  \n")}`] : []),
    ].join("\n\n");
  }

  #end() {
    this.#readingList.hidden = true;
    this.#box.classList.remove("writing");
    this.#box.removeAttribute("aria-busy");
    this.#progress.textContent = this.#read();
  }

  /** The line above the answer stays to the end, so that nothing under it moves. */
  #read() {
    const chapters = new Set(this.#passages.map((passage) => passage.chapter)).size;
    return chapters ? `${counted(this.#passages.length, "passage")} from ${counted(chapters, "chapter")}` : "";
  }

  #showState(tone, text) {
    this.#box.dataset.tone = tone;
    this.#state.textContent = text;
    this.#state.hidden = !text;
  }

  /** A quotation says in its last line that it is one; here the line under the answer says so. */
  #withoutState({ answer_html: html }) {
    const last = /<p><em>([^<]*)<\/em><\/p>\s*$/.exec(html);
    return last && saysState(last[1]) ? html.slice(0, last.index) : html;
  }

  #nameMarks(root) {
    for (const paragraph of root.querySelectorAll("p")) if (isPointer(paragraph)) paragraph.className = "pointer";
    for (const mark of root.querySelectorAll("a.cite")) {
      const cited = this.#citations.get(Number(mark.dataset.citation));
      if (!cited) continue;
      mark.href = passageUrl(cited);
      mark.setAttribute("aria-label", `Source ${cited.number}: ${nameOf(cited)}`);
      keepWithWord(mark);
    }
  }

  #textNear({ chapter, start_line: start, end_line: end }) {
    const passage = this.#passages.find(
      (one) => one.chapter === chapter && one.start_line <= start && one.end_line >= end,
    );
    return passage && passage.start_line === start && passage.end_line === end ? passage.text : "";
  }

  #again(words) {
    return element(
      "button",
      { type: "button", class: "link-button", onclick: () => this.#around.retry(this, true) },
      words,
    );
  }
}

function narrowed({ sections = [], levels = [], chapters = [] } = {}) {
  const to = [...sections, ...levels, ...chapters.map((path) => path.replace(/^.*\/|\.md$/g, "").replaceAll("_", " "))];
  return to.length ? element("p", { class: "narrowed" }, `Only in: ${to.join(", ")}`) : null;
}

/** Whether a paragraph says where code is from or where to read on: it is no part of the answer. @param {Element} paragraph */
function isPointer({ textContent, childNodes: [words, link] }) {
  const names = /^(From|Read on:) $/.test(words?.data ?? "") && link?.matches?.('a[href^="/read/"]');
  return names || textContent === "Read on:";
}

/** A mark stands at the end of what it proves, not alone on the next line. */
function keepWithWord(mark) {
  const before = mark.previousSibling;
  if (before?.nodeType === Node.TEXT_NODE) before.data = before.data.replace(/ $/, "\u202f");
}
