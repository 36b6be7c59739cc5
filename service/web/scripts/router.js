// Places have addresses: links within the page change what is shown without loading it anew, so that an answer goes on
// being written while somebody reads a chapter.

import { decoded } from "./places.js";

const PLACES = [
  [/^\/$/, "ask"],
  [/^\/c\/([^/]+)$/, "conversation"],
  [/^\/a\/([^/]+)$/, "answer"],
  [/^\/read(\/.*)?$/, "read"],
  [/^\/usage$/, "usage"],
];

/** @param {URL} url @returns {{name: string, id: string | undefined} | null} */
export function placeAt(url) {
  for (const [pattern, name] of PLACES) {
    const found = url.origin === location.origin && pattern.exec(url.pathname);
    if (found) return { name, id: found[1] && decoded(found[1]) };
  }
  return null;
}

/** @typedef {(place: {name: string, id: string | undefined}, url: URL, moved: "link" | "history") => Promise<void>} Show */

export class Router {
  #show;

  /** @param {Show} show */
  constructor(show) {
    this.#show = show;
    history.scrollRestoration = "manual";
    document.addEventListener("click", (event) => this.#clicked(event));
    addEventListener("popstate", (event) => this.#back(event));
    addEventListener("scrollend", () => history.replaceState({ ...history.state, scroll: scrollY }, ""));
  }

  /** @param {string} address @returns {Promise<void>} once it is shown */
  async go(address) {
    const url = new URL(address, location.href);
    const place = placeAt(url);
    if (!place) {
      location.assign(url);
      return;
    }
    if (url.href !== location.href) history.pushState({}, "", url);
    await this.#show(place, url, "link");
  }

  /** Give what is shown another address, as when a question begins a conversation. @param {string} address */
  rename(address) {
    history.pushState({}, "", address);
  }

  #clicked(event) {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = event.target.closest?.("a[href]");
    if (!link || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (!placeAt(url)) return;
    if (link.matches(".skip")) return;
    event.preventDefault();
    this.go(url.href);
  }

  async #back(event) {
    const url = new URL(location.href);
    const place = placeAt(url);
    if (!place) return;
    await this.#show(place, url, "history");
    if (event.state?.scroll !== undefined) scrollTo({ top: event.state.scroll, behavior: "instant" });
  }
}
