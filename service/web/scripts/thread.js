// The conversation on the page: its questions in order, the one being answered, and the earlier ones when wanted.
import { ConnectionLost, Problem, fetchJson } from "./api.js";
import { STOPPED, answerOf, askQuestion, stopAnswer } from "./asking.js";
import { element } from "./elements.js";
import { Exchange } from "./exchange.js";

const SHOWN_AT_ONCE = 12;
const REMEMBERED_TURNS = 6;
const TITLE = 80;
/** What the service enters for an answer that its reader stopped: no failure, and nothing to be alarmed about. */
const WAS_STOPPED = "The answer was stopped.";

export class Thread {
  conversation = null;
  #root;
  #exchanges = [];
  #earlier = [];
  #running = null;
  #around;
  #page;

  /**
   * @param {HTMLElement} root
   * @param {import("./exchange.js").Surroundings} around
   * @param {{busy: (busy: boolean) => void, began: (conversation: object | null) => void, changed: () => void, say: (words: string) => void}} page
   */
  constructor(root, around, page) {
    this.#root = root;
    this.#around = around;
    this.#page = page;
  }

  get isEmpty() {
    return this.#exchanges.length === 0;
  }

  get lastQuestion() {
    return this.#exchanges.at(-1)?.question ?? "";
  }

  get isBusy() {
    return this.#running !== null;
  }

  /** @param {Element} inside @returns {Exchange | undefined} */
  exchangeOf(inside) {
    const article = inside.closest(".exchange");
    return this.#exchanges.find((exchange) => exchange.element === article);
  }

  clear() {
    this.#running?.abort();
    this.#running = null;
    this.conversation = null;
    this.#exchanges = [];
    this.#earlier = [];
    this.#root.replaceChildren();
    this.#page.busy(false);
  }

  /** @param {string} question @param {object} filters @param {boolean} [fresh] a new answer where a stored one would do */
  async ask(question, filters, fresh = false) {
    if (this.isBusy) return;
    const exchange = this.#append(question, filters);
    exchange.begin();
    exchange.element.scrollIntoView({ block: "start" });
    await this.#run(exchange, async (signal) => {
      const said = this.#history();
      this.conversation ??= await this.#begin(question, signal);
      // The service knows what was said in a conversation of its own, but not what stood at `/a/…` before it began.
      const history = this.conversation ? [] : said;
      const asked = { question, history, filters, conversation: this.conversation, fresh };
      const listener = {
        sources: (sources) => exchange.sources(sources),
        delta: (delta) => exchange.delta(delta),
        lost: (begun) => exchange.lost(begun),
      };
      exchange.finish(await askQuestion(asked, listener, signal));
      this.#page.say(`The answer is complete, with ${exchange.answer.citations.length} sources`);
      this.#page.changed();
    });
  }

  /** Once more with the same question; what failed makes room for it. @param {Exchange} exchange @param {boolean} fresh */
  retry(exchange, fresh) {
    if (this.isBusy) return;
    if (!exchange.answer) {
      exchange.element.remove();
      this.#exchanges = this.#exchanges.filter((one) => one !== exchange);
    }
    this.ask(exchange.question, exchange.filters, fresh);
  }

  stop() {
    const running = this.#running;
    if (!running) return;
    const { answerId } = running.exchange;
    if (answerId) stopAnswer(answerId);
    running.abort(STOPPED);
  }

  /** @param {string} id of a conversation @throws {Problem | ConnectionLost} */
  async open(id) {
    const said = await fetchJson(`/api/conversations/${encodeURIComponent(id)}`);
    this.clear();
    this.conversation = id;
    this.#earlier = said.exchanges.slice(0, -SHOWN_AT_ONCE);
    const shown = said.exchanges.slice(-SHOWN_AT_ONCE).map((one) => this.#append(one.question, {}, one));
    this.#showEarlierButton();
    shown.at(-1)?.element.scrollIntoView({ block: "start" });
    const last = said.exchanges.at(-1);
    if (last && !last.answer && !last.error) this.#await(shown.at(-1), last.answer_id);
    return said.conversation;
  }

  /** @param {string} id of one answer, shown by itself @throws {Problem | ConnectionLost} */
  async openAnswer(id) {
    this.clear();
    const waiting = new AbortController();
    await answerOf(id, waiting.signal);
    const record = await fetchJson(`/api/answers/${encodeURIComponent(id)}`);
    const exchange = this.#append(record.answer.question, record.ask?.where ?? {});
    exchange.finish(record.answer, record.feedback);
    return record.answer;
  }

  /** Show what went wrong as if it were the answer to nothing. @param {string} title @param {unknown} error */
  fail(title, error) {
    this.clear();
    const exchange = this.#append(title, {});
    exchange.isPlaceholder = true;
    exchange.fail(error);
  }

  #append(question, filters, said = null) {
    const exchange = this.#made(question, filters, said);
    this.#exchanges.push(exchange);
    this.#root.append(exchange.element);
    return exchange;
  }

  #made(question, filters, said) {
    const exchange = new Exchange(question, filters, this.#around);
    if (said?.answer) exchange.finish(said.answer);
    else if (said?.error === WAS_STOPPED) exchange.stop(WAS_STOPPED);
    else if (said?.error) exchange.fail(new Problem({ code: "earlier", title: said.error }));
    return exchange;
  }

  /** An answer that was being made when the page was opened. */
  #await(exchange, id) {
    exchange.answerId = id;
    exchange.begin();
    return this.#run(exchange, async (signal) => exchange.finish(await answerOf(id, signal)));
  }

  async #run(exchange, work) {
    const running = new AbortController();
    running.exchange = exchange;
    this.#running = running;
    this.#page.busy(true);
    try {
      await work(running.signal);
    } catch (error) {
      if (running.signal.reason === STOPPED) exchange.stop();
      else if (!running.signal.aborted) exchange.fail(error);
    } finally {
      if (this.#running === running) {
        this.#running = null;
        this.#page.busy(false);
      }
    }
  }

  /** A conversation to keep it in; where none can be kept, the question is asked all the same. */
  async #begin(question, signal) {
    try {
      const title = question.length > TITLE ? `${question.slice(0, TITLE - 1).trimEnd()}…` : question;
      const made = await fetchJson("/api/conversations", { method: "POST", json: { title }, signal });
      this.#page.began(made);
      return made.id;
    } catch (error) {
      const needsKey = error instanceof Problem && error.status === 401;
      if (signal.aborted || needsKey || error instanceof ConnectionLost) throw error;
      this.#page.began(null);
      return null;
    }
  }

  #history() {
    const answered = this.#exchanges.filter((exchange) => exchange.answer).slice(-REMEMBERED_TURNS);
    return answered.flatMap(({ question, written }) => [
      { role: "user", content: question },
      { role: "assistant", content: written },
    ]);
  }

  #showEarlierButton() {
    this.#root.querySelector(".earlier")?.remove();
    if (!this.#earlier.length) return;
    const words = `Show earlier questions (${this.#earlier.length})`;
    this.#root.prepend(
      element("button", { type: "button", class: "button quiet earlier", onclick: () => this.#showEarlier() }, words),
    );
  }

  /** Put earlier ones above, and keep what is being read where it is. */
  #showEarlier() {
    const batch = this.#earlier.splice(-SHOWN_AT_ONCE);
    const made = batch.map((one) => this.#made(one.question, {}, one));
    const first = this.#exchanges[0]?.element.querySelector(".question");
    const before = first?.getBoundingClientRect().top ?? 0;
    this.#exchanges.unshift(...made);
    this.#showEarlierButton();
    const button = this.#root.querySelector(".earlier");
    const elements = made.map((exchange) => exchange.element);
    if (button) button.after(...elements);
    else this.#root.prepend(...elements);
    scrollBy({ top: (first?.getBoundingClientRect().top ?? 0) - before, behavior: "instant" });
  }
}
