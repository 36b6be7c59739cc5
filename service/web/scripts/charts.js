// Two small charts, drawn to be read: columns by day, and bars with their names and values beside them.
import { drawing } from "./elements.js";

const WIDTH = 720;
const HEIGHT = 220;
const LEFT = 72;
const BOTTOM = 28;
const TOP = 36;
const ROW = 34;
const NAME = 200;
const VALUE = 120;

/**
 * @param {{label: string, value: number, words: string}[]} days oldest first
 * @param {string} title what is drawn, with its unit
 * @param {(value: number) => string} shown
 * @returns {SVGElement}
 */
export function columns(days, title, shown) {
  const most = roundUp(Math.max(...days.map((day) => day.value), 0));
  const step = (WIDTH - LEFT) / days.length;
  const width = Math.min(48, step * 0.62);
  const height = HEIGHT - TOP - BOTTOM;
  const chart = drawing(
    "svg",
    { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title },
    drawing("text", { x: 0, y: 12 }, title),
  );
  for (const share of [0, 0.5, 1]) {
    const y = TOP + height * (1 - share) + 0.5;
    chart.append(drawing("line", { class: "axis", x1: LEFT, x2: WIDTH, y1: y, y2: y }));
    chart.append(drawing("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, shown(most * share)));
  }
  const every = Math.ceil(days.length / 8);
  days.forEach((day, at) => {
    const tall = most ? (day.value / most) * height : 0;
    const x = LEFT + step * at + (step - width) / 2;
    const column = drawing(
      "rect",
      { class: "bar", x, y: TOP + height - tall, width, height: tall },
      drawing("title", {}, day.words),
    );
    chart.append(column);
    if (at % every === 0)
      chart.append(drawing("text", { x: x + width / 2, y: HEIGHT - 8, "text-anchor": "middle" }, day.label));
  });
  return chart;
}

/**
 * @param {{label: string, value: number, words: string}[]} rows
 * @param {string} title what is drawn, with its unit
 * @param {number} [full] what a whole bar stands for; the largest value if left out
 * @returns {SVGElement}
 */
export function bars(rows, title, full = Math.max(...rows.map((row) => row.value))) {
  const height = TOP - 12 + rows.length * ROW;
  const longest = WIDTH - NAME - VALUE;
  const chart = drawing(
    "svg",
    { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title },
    drawing("text", { x: 0, y: 12 }, title),
  );
  rows.forEach((row, at) => {
    const y = TOP - 12 + at * ROW + 6;
    const width = full ? Math.min(1, row.value / full) * longest : 0;
    chart.append(drawing("text", { x: 0, y: y + 16 }, shortened(row.label)));
    chart.append(drawing("rect", { class: "track", x: NAME, y, width: longest, height: 22, rx: 2 }));
    chart.append(drawing("rect", { class: "bar", x: NAME, y, width, height: 22, rx: 2 }));
    chart.append(drawing("text", { x: NAME + longest + 10, y: y + 16 }, row.words));
  });
  return chart;
}

function shortened(name) {
  return name.length > 26 ? `${name.slice(0, 25)}…` : name;
}

/** The next round number, so that the axis has numbers one can halve. */
function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value * 0.999) * power;
}
