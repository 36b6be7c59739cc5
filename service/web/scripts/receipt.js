// The receipt behind an answer: where the time went, what was read and why, what it cost.
import { element } from "./elements.js";
import { counted, money, number } from "./figures.js";
import { linesIn, nameOf, passageUrl } from "./places.js";
import { timeBar } from "./time_bar.js";

const USES = {
  cited: "cited",
  read: "read, not cited",
  over_budget: "left out: too long for the context",
  ranked_lower: "left out: ranked lower",
};
const CHECKS = { passed: "parses and imports what exists", failed: "does not pass", not_checked: "not checked" };

/** @param {object} answer @returns {HTMLElement} */
export function receiptOf(answer) {
  const { receipt } = answer;
  return element(
    "section",
    { class: "receipt", "aria-label": "Receipt" },
    element("h3", {}, "Time"),
    timeBar(receipt.latency_ms),
    element("h3", {}, "Making"),
    facts(factsOf(answer)),
    ...passageTable(answer.passages),
    ...codeChecks(answer.code ?? []),
  );
}

function factsOf({ id, mode, receipt }) {
  const rows = [];
  if (receipt.model) rows.push(["Model", receipt.model]);
  else rows.push(["Model", mode === "extractive" ? "none; quoted from the chapters" : "not named"]);
  if (receipt.prompt)
    rows.push([
      "Prompt",
      receipt.experiment ? `${receipt.prompt}, chosen by the experiment ${receipt.experiment}` : receipt.prompt,
    ]);
  rows.push(["Cost", costOf(receipt)]);
  if (receipt.usage.input_tokens || receipt.usage.output_tokens) rows.push(["Tokens", tokensOf(receipt.usage)]);
  rows.push(["Searched for", receipt.retrieval_query]);
  if (receipt.attempts > 1) rows.push(["Calls", `${receipt.attempts}, failed ones included`]);
  if (receipt.dropped_citations)
    rows.push([
      "Citations dropped",
      `${counted(receipt.dropped_citations, "citation")} did not stand in the passage named`,
    ]);
  if (receipt.degraded_reason) rows.push(["Model not used", receipt.degraded_reason.replace(/^\w+: /, "")]);
  rows.push(["Index", `${receipt.index_generation}, ${receipt.embedding_model}`]);
  rows.push(["Answer", id]);
  return rows;
}

function costOf({ cost_usd: cost, cached, model }) {
  if (cached) return "$0; a stored answer was given again";
  if (cost === null && model) return "unknown; the price of this model is not known";
  return money(cost ?? 0);
}

function tokensOf(usage) {
  const cached = usage.cached_tokens ? ` (${number(usage.cached_tokens)} of them cached)` : "";
  return `${number(usage.input_tokens)} read${cached}, ${number(usage.output_tokens)} written`;
}

function facts(rows) {
  return element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function passageTable(passages) {
  if (!passages.length) return [];
  const rows = passages.map((passage) =>
    element(
      "tr",
      {},
      element("td", {}, element("a", { href: passageUrl(passage) }, nameOf(passage))),
      element("td", { class: "number" }, linesIn(passage).replace(/^\D+/, "")),
      element("td", { class: "number" }, passage.score.toFixed(3)),
      element("td", {}, USES[passage.use] ?? ""),
    ),
  );
  const head = ["Passage", "Lines", "Score", "Outcome"].map((name, at) =>
    element("th", { scope: "col", class: at === 1 || at === 2 ? "number" : null }, name),
  );
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
  const scroll = element("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Passages" }, table);
  return [element("h3", {}, counted(passages.length, "passage found", "passages found")), scroll];
}

function codeChecks(blocks) {
  if (!blocks.length) return [];
  const rows = blocks.map(({ number: at, language, code_check: check, detail }) => [
    `Block ${at}${language ? `, ${language}` : ""}`,
    [CHECKS[check] ?? check, detail].filter(Boolean).join(": "),
  ]);
  return [element("h3", {}, "Code"), facts(rows)];
}
