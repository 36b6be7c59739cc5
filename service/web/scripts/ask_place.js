// The place to ask, put together: welcome, thread, composer, filters, and the source beside them.
import { Problem, request } from "./api.js";
import { citationCard } from "./citation_card.js";
import { Composer } from "./composer.js";
import { Filters } from "./filters.js";
import { fragmentOf } from "./markup.js";
import { remedyFor } from "./remedy.js";
import { SourcePane } from "./source_pane.js";
import { Thread } from "./thread.js";

export class AskPlace {
  thread;
  pane;
  composer;
  #filters = new Filters(document.getElementById("m-chips"));
  #intro = document.getElementById("m-intro");
  #root = document.getElementById("m-thread");
  #page;

  /**
   * @param {{say: (words: string) => void, go: (address: string) => void, rename: (address: string) => void, titled: (title: string) => void, changed: (conversation: string | null) => void}} page
   */
  constructor(page) {
    this.#page = page;
    this.pane = new SourcePane(page.say);
    this.composer = new Composer(
      (question) => this.ask(question),
      () => this.thread.stop(),
    );
    this.thread = new Thread(this.#root, this.#surroundings(), {
      say: page.say,
      busy: (busy) => (this.composer.busy = busy),
      began: (conversation) => conversation && page.rename(`/c/${encodeURIComponent(conversation.id)}`),
      changed: () => page.changed(this.thread.conversation),
    });
    citationCard(this.#root, (mark) => this.thread.exchangeOf(mark)?.placeOf(mark) ?? null);
    this.#root.addEventListener("click", (event) => this.#openSource(event));
    this.#intro.addEventListener("click", (event) => this.#suggested(event));
    this.#readIntro();
  }

  /** @param {string} question @param {boolean} [fresh] */
  async ask(question, fresh = false) {
    if (this.thread.isBusy) return;
    if (document.documentElement.dataset.view !== "ask") {
      this.clear();
      await this.#page.go("/");
    }
    this.#welcome(false);
    this.composer.placeholder = "Ask a follow-up";
    this.#page.titled(question);
    this.thread.ask(question, this.#filters.chosen, fresh);
  }

  /**
   * An empty place, with what the address asks for already written.
   * @param {URL} url
   * @param {boolean} comingBack from another place, to questions that are not kept as a conversation
   */
  async begin(url, comingBack) {
    const chapter = url.searchParams.get("chapter");
    const question = url.searchParams.get("q");
    if (comingBack && !chapter && !question && !this.thread.isEmpty) return;
    if (!this.thread.isEmpty) this.clear();
    await this.#fetchIntro();
    this.#welcome(true);
    if (chapter) this.#filters.keepToChapter(chapter);
    if (question) this.composer.text = question;
    if (matchMedia("(hover: hover)").matches || chapter) this.composer.focus();
    this.#page.titled("Backend Mastery");
    const problem = this.#intro.querySelector("[data-problem]");
    if (problem)
      this.thread.fail(
        "The chapters are not there yet",
        new Problem({ code: problem.dataset.problem, detail: problem.dataset.detail, status: 503 }),
      );
  }

  /** @param {string} id @param {boolean} again even if it is the one that is shown */
  async openConversation(id, again = false) {
    this.#welcome(false);
    await this.#fetchIntro();
    if (this.thread.conversation === id && !again) return;
    try {
      const { title } = await this.thread.open(id);
      this.#page.titled(title);
      this.composer.placeholder = "Ask a follow-up";
    } catch (error) {
      this.thread.fail("Conversation", error);
    }
  }

  /** @param {string} id */
  async openAnswer(id) {
    this.#welcome(false);
    await this.#fetchIntro();
    try {
      const { question } = await this.thread.openAnswer(id);
      this.#page.titled(question);
      this.composer.placeholder = "Ask a follow-up";
    } catch (error) {
      this.thread.fail("Answer", error);
    }
  }

  clear() {
    this.pane.close();
    this.thread.clear();
    this.#filters.set();
    this.composer.placeholder = "Ask a question";
  }

  /** @param {{words: string, chapter: string}} passage that somebody selected */
  async askAbout({ words, chapter }) {
    this.pane.close();
    await this.#page.go(`/?chapter=${encodeURIComponent(chapter)}`);
    this.composer.text = `“${words}”\n\n`;
    this.composer.focus();
  }

  #surroundings() {
    const retry = (exchange, fresh) =>
      exchange.isPlaceholder ? location.reload() : this.thread.retry(exchange, fresh);
    return {
      say: this.#page.say,
      retry,
      edit: (question) => {
        this.composer.text = question;
        this.composer.focus();
      },
      ask: (question) => this.ask(question),
      remedy: (sentence, exchange) => remedyFor(sentence, this.#page.say, () => retry(exchange, true)),
    };
  }

  #openSource(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.target.closest("a[data-citation], a[data-passage]");
    const exchange = link && this.thread.exchangeOf(link);
    const place = exchange && (link.dataset.citation ? exchange.placeOf(link) : exchange.passageOf(link));
    if (!place) return;
    event.preventDefault();
    this.pane.open(place, link);
  }

  #suggested(event) {
    const suggestion = event.target.closest("[data-suggestion]");
    if (!suggestion || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    this.ask(suggestion.textContent);
  }

  /** Where the page was opened at another place, what stands here before the first question comes with the first visit. */
  async #fetchIntro() {
    if (this.#intro.firstElementChild) return;
    try {
      this.#intro.replaceChildren(fragmentOf(await (await request("/?part=view")).text()));
      this.#readIntro();
    } catch {
      this.#intro.replaceChildren();
    }
  }

  #readIntro() {
    const template = this.#intro.querySelector("template");
    this.#filters.offer(template);
    if (template?.dataset.longest) this.composer.longest = Number(template.dataset.longest);
  }

  #welcome(shown) {
    const welcome = this.#intro.querySelector("[data-welcome]");
    if (welcome) welcome.hidden = !shown;
    document.getElementById("m-thread-title").hidden = shown && Boolean(welcome);
  }
}
