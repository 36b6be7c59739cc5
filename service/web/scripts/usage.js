// The usage page: what the answers cost by day, model and prompt, and what is left of the budgets.
import { fetchJson } from "./api.js";
import { bars, columns } from "./charts.js";
import { element } from "./elements.js";
import { counted, money, number, shortDay } from "./figures.js";
import { remedyFor } from "./remedy.js";
import { sentenceOf } from "./states.js";

const DAYS = 30;
const COLUMNS = ["Calls", "Answers", "Failed", "Tokens read", "of them cached", "Tokens written", "Cost"];

/**
 * Draw the page anew.
 * @param {HTMLElement} root
 * @param {(words: string) => void} say
 */
export async function showUsage(root, say) {
  const heading = element("h1", {}, "Usage");
  const page = element("div", { class: "usage" }, heading, element("p", { class: "lede" }, "Loading the figures…"));
  root.replaceChildren(page);
  try {
    const since = new Date(Date.now() - (DAYS - 1) * 86_400_000).toISOString().slice(0, 10);
    const [days, models, prompts] = await Promise.all(
      ["day", "model", "prompt"].map((by) => fetchJson(`/api/usage?by=${by}&since=${since}T00:00:00Z`)),
    );
    page.replaceChildren(heading, ...reportOf(days, models, prompts));
  } catch (error) {
    const sentence = sentenceOf(error);
    const again = element(
      "button",
      { type: "button", class: "button quiet", onclick: () => showUsage(root, say) },
      "Try again",
    );
    const remedy = remedyFor(sentence, say, () => showUsage(root, say));
    page.replaceChildren(heading, element("p", { class: "lede" }, sentence.text), ...(remedy ? [remedy] : []), again);
  }
}

function reportOf(days, models, prompts) {
  const budgets = days.budgets.filter((budget) => budget.limit !== null);
  if (!days.rows.length) return [...emptyReport(), ...budgetPart(budgets)];
  const perDay = everyDay(days.rows);
  return [
    element(
      "p",
      { class: "lede" },
      `The last ${DAYS} days, in days of UTC. Calls are counted whether they succeeded or not.`,
    ),
    totals(days.rows),
    ...budgetPart(budgets),
    ...part("By day", columns(perDay, "US dollars a day", money), days.rows, "Day", "Table by day"),
    ...part("By model", bars(rowsOf(models.rows), "US dollars"), models.rows, "Model", "Table by model"),
    ...part(
      "By prompt version",
      bars(rowsOf(prompts.rows), "US dollars"),
      prompts.rows,
      "Prompt",
      "Table by prompt version",
    ),
  ];
}

function emptyReport() {
  return [
    element(
      "p",
      { class: "lede" },
      "No model was called yet, so nothing was spent. Answers quoted from the chapters cost nothing.",
    ),
    element(
      "p",
      { class: "lede" },
      "Once a model is set (OPENAI_API_KEY or OPENAI_BASE_URL where the service runs), every call stands here with its tokens and its price.",
    ),
  ];
}

function totals(rows) {
  const sum = (of) => rows.reduce((total, row) => total + Number(of(row)), 0);
  const unpriced = sum((row) => row.unpriced);
  const answers = sum((row) => row.answers);
  const cost = sum((row) => row.cost);
  const figures = [
    ["Spent", money(cost), unpriced ? `and ${counted(unpriced, "call")} of unknown price` : ""],
    ["Answers", number(answers), answers ? `${money(cost / answers)} each` : ""],
    ["Calls", number(sum((row) => row.calls)), `${number(sum((row) => row.failed))} failed`],
    ["Tokens", number(sum((row) => row.usage.input_tokens + row.usage.output_tokens)), ""],
  ];
  return element(
    "dl",
    { class: "figures" },
    ...figures.map(([name, value, more]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, value, more ? element("small", {}, more) : null)),
    ),
  );
}

function budgetPart(budgets) {
  if (!budgets.length) return [];
  const rows = budgets.map(({ name, limit, spent, left }) => ({
    label: named(name),
    value: Number(spent) / (Number(limit) || 1),
    words: `${money(left)} left`,
  }));
  const cells = budgets.map(({ name, limit, spent, left }) => [named(name), money(limit), money(spent), money(left)]);
  return [
    element("h2", {}, "Budgets today"),
    figure(bars(rows, "Share spent; what is left beside it", 1)),
    table(["Budget", "Limit", "Spent", "Left"], cells, "Table of budgets"),
  ];
}

function part(title, chart, rows, first, name) {
  const cells = rows.map((row) => [
    row.key || "none",
    number(row.calls),
    number(row.answers),
    number(row.failed),
    number(row.usage.input_tokens),
    number(row.usage.cached_tokens),
    number(row.usage.output_tokens),
    priced(row),
  ]);
  return [element("h2", {}, title), figure(chart), table([first, ...COLUMNS], cells, name)];
}

function figure(chart) {
  return element("figure", { tabindex: 0, role: "group", "aria-label": chart.getAttribute("aria-label") }, chart);
}

function table(head, rows, name) {
  const heads = head.map((words) => element("th", { scope: "col" }, words));
  const lines = rows.map(([first, ...rest]) =>
    element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((cell) => element("td", {}, cell))),
  );
  const whole = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...lines));
  return element(
    "details",
    {},
    element("summary", {}, name),
    element("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": name }, whole),
  );
}

function rowsOf(rows) {
  return rows.map((row) => ({ label: row.key || "none", value: Number(row.cost), words: priced(row) }));
}

/** What it cost, where that is known of every call, of some or of none. */
function priced({ cost, unpriced, calls }) {
  if (!unpriced) return money(cost);
  return unpriced === calls ? "price unknown" : `${money(cost)} + ${unpriced} unknown`;
}

/** Days without calls have their place too, or the axis would lie. */
function everyDay(rows) {
  const byDay = new Map(rows.map((row) => [row.key.slice(0, 10), row]));
  const first = new Date(`${[...byDay.keys()].sort()[0]}T00:00:00Z`);
  const days = [];
  for (let day = first; day <= new Date() && days.length < DAYS; day = new Date(day.getTime() + 86_400_000)) {
    const key = day.toISOString().slice(0, 10);
    const cost = Number(byDay.get(key)?.cost ?? 0);
    days.push({ label: shortDay(key), value: cost, words: `${shortDay(key)}: ${money(cost)}` });
  }
  return days;
}

const BUDGETS = { per_day: "Everybody", per_caller_day: "You", per_request: "One question" };

function named(name) {
  if (name in BUDGETS) return BUDGETS[name];
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
