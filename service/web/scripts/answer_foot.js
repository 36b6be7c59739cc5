// What stands under a finished answer: its sources, what can be done with it, and what to ask next.
import { copyFrom } from "./clipboard.js";
import { element, icon } from "./elements.js";
import { feedbackOn } from "./feedback.js";
import { fragmentOf } from "./markup.js";
import { distinct, linesIn, nameOf, passageUrl } from "./places.js";
import { receiptOf } from "./receipt.js";

const NEAREST = 4;

/**
 * @param {import("./exchange.js").Exchange} exchange finished
 * @param {import("./exchange.js").Surroundings} around
 * @param {{verdict: string} | null} feedback what was said of it before
 * @returns {HTMLElement[]}
 */
export function footOf(exchange, around, feedback) {
  const { answer } = exchange;
  return [
    sourcesOf(answer),
    nearestTo(answer),
    ...actionsOn(exchange, around, feedback),
    followUps(answer, around),
  ].filter(Boolean);
}

function sourcesOf({ citations }) {
  if (!citations.length) return null;
  const names = citations.map(nameOf);
  const items = citations.map((cited, at) => {
    const alike = names.filter((name) => name === names[at]).length > 1;
    const mark = element("span", { class: "cite", "aria-hidden": "true" }, String(cited.number));
    const place = element(
      "a",
      { class: "place", href: passageUrl(cited), "data-citation": cited.number },
      alike ? `${names[at]}, ${linesIn(cited)}` : names[at],
    );
    return element("li", {}, mark, place);
  });
  return element("ol", { class: "sources", "aria-label": "Sources" }, ...items);
}

/** Where the chapters do not cover it, the nearest of them: those that the answer names, else the best that were found. */
function nearestTo({ status, answer_html: html, passages }) {
  if (status !== "not_in_knowledge_base") return null;
  const named = [...fragmentOf(html).querySelectorAll('a[href^="/read/"]')].map((link) => [
    link.getAttribute("href"),
    link.textContent,
  ]);
  const found = distinct(passages)
    .slice(0, NEAREST)
    .map((place) => [passageUrl(place), nameOf(place)]);
  const near = named.length ? named : found;
  const items = near.map(([href, name]) => element("li", {}, element("a", { class: "place", href }, name)));
  return element("ul", { class: "sources nearest", "aria-label": "Nearest chapters" }, ...items);
}

function actionsOn(exchange, { say, retry }, feedback) {
  const { answer } = exchange;
  const copy = action("copy", "Copy", (button) => copyFrom(button, exchange.markdown, say));
  const address = new URL(`/a/${encodeURIComponent(answer.id)}`, location.href).href;
  const link = action("link", "Link", (button) => copyFrom(button, address, say));
  link.title = "Copy the link to this answer";
  const again = action("retry", "Ask again", () => retry(exchange, true));
  const { buttons, form } = feedbackOn(answer.id, feedback, say);
  const panel = element("div", { hidden: true });
  const receipt = action("receipt", "Receipt", () => {
    panel.hidden = !panel.hidden;
    receipt.setAttribute("aria-expanded", String(!panel.hidden));
    if (!panel.hidden && !panel.firstChild) panel.append(receiptOf(answer));
  });
  receipt.setAttribute("aria-expanded", "false");
  return [
    element("div", { class: "actions" }, copy, link, again, receipt, element("span", { class: "apart" }), ...buttons),
    form,
    panel,
  ];
}

function action(name, words, act) {
  const button = element("button", { type: "button" }, icon(name), element("span", {}, words));
  button.addEventListener("click", () => act(button));
  return button;
}

function followUps({ follow_ups: asked = [] }, { ask }) {
  if (!asked.length) return null;
  const items = asked.map((question) =>
    element("li", {}, element("button", { type: "button", onclick: () => ask(question) }, question)),
  );
  return element("ul", { class: "follow-ups", "aria-label": "Ask next" }, ...items);
}
