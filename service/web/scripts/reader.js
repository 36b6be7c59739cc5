// The reader: chapters brought in, opened at their anchor or passage, with contents that follow the scroll.
import { request } from "./api.js";
import { dressCode } from "./code_block.js";
import { element } from "./elements.js";
import { fragmentOf } from "./markup.js";
import { markPassage, unmarkPassages } from "./passage.js";
import { decoded, linesOf } from "./places.js";
import { sentenceOf } from "./states.js";

export class Reader {
  #root = document.getElementById("m-view-read");
  #shown = null;
  #watching = null;
  #say;

  /** @param {(words: string) => void} say */
  constructor(say) {
    this.#say = say;
    if (!this.#root.firstElementChild) return;
    this.#shown = location.pathname;
    this.#dress();
  }

  /** @param {URL} url below /read @returns {Promise<string>} the title */
  async open(url) {
    if (this.#shown !== url.pathname) await this.#load(url);
    this.#goTo(url);
    return this.#root.querySelector("[data-title]")?.dataset.title ?? "Read";
  }

  get chapter() {
    return this.#root.querySelector(".chapter")?.dataset.path ?? null;
  }

  async #load(url) {
    this.#shown = null;
    this.#root.setAttribute("aria-busy", "true");
    try {
      const response = await request(`${url.pathname}?part=view`);
      this.#root.replaceChildren(fragmentOf(await response.text()));
      this.#shown = url.pathname;
      this.#dress();
    } catch (error) {
      const { text } = sentenceOf(error);
      const links = element(
        "p",
        {},
        element("a", { href: "/read" }, "All chapters"),
        " · ",
        element("a", { href: "/" }, "Ask"),
      );
      this.#root.replaceChildren(
        element(
          "div",
          { class: "notice", "data-title": "Not found" },
          element("h1", {}, "This cannot be shown"),
          element("p", {}, text),
          links,
        ),
      );
    }
    this.#root.removeAttribute("aria-busy");
  }

  #dress() {
    const outline = this.#root.querySelector(".outline details");
    if (outline && matchMedia("(max-width: 61.99rem)").matches) outline.open = false;
    const prose = this.#root.querySelector("[data-prose]");
    if (!prose) return;
    dressCode(prose, this.#say);
    for (const heading of prose.querySelectorAll(":is(h2, h3, h4)[id]")) {
      if (!heading.id || heading.querySelector(".heading-link")) continue;
      const link = element(
        "a",
        {
          class: "heading-link",
          href: `#${encodeURIComponent(heading.id)}`,
          "aria-label": `Link to ${heading.textContent}`,
        },
        "#",
      );
      heading.append(link);
    }
    this.#follow(prose);
  }

  #goTo(url) {
    const lines = linesOf(url.searchParams.get("lines"));
    const passage = lines && markPassage(this.#root, lines);
    if (!lines) unmarkPassages(this.#root);
    const anchor = decoded(url.hash.slice(1));
    const at = passage ?? (anchor && document.getElementById(anchor));
    if (!at) {
      scrollTo({ top: 0, behavior: "instant" });
      return;
    }
    at.scrollIntoView({ block: passage ? "center" : "start", behavior: "instant" });
    at.tabIndex = -1;
    at.focus({ preventScroll: true });
  }

  /** Marks in the contents the heading that is being read. */
  #follow(prose) {
    this.#watching?.disconnect();
    const links = new Map(
      [...this.#root.querySelectorAll(".outline a")].map((link) => [decoded(link.hash.slice(1)), link]),
    );
    const headings = [...prose.querySelectorAll(":is(h2, h3)[id]")].filter((heading) => links.has(heading.id));
    const mark = () => {
      const read = headings.findLast((heading) => heading.getBoundingClientRect().top < 160) ?? headings[0];
      for (const link of links.values()) link.removeAttribute("aria-current");
      const link = links.get(read?.id);
      if (!link) return;
      link.setAttribute("aria-current", "location");
      const nav = link.closest(".outline");
      if (nav.scrollHeight > nav.clientHeight) nav.scrollTop = link.offsetTop - nav.clientHeight / 3;
    };
    this.#watching = new IntersectionObserver(mark, { rootMargin: "-60px 0px -60% 0px" });
    for (const heading of headings) this.#watching.observe(heading);
  }
}
