// Where an answer's time went, as one bar with its parts named.
import { drawing, element } from "./elements.js";
import { duration } from "./figures.js";

const WIDTH = 600;

/**
 * @param {{retrieve: number, generate: number, total: number, first_token: number | null}} latency milliseconds
 * @returns {HTMLElement}
 */
export function timeBar(latency) {
  const rest = Math.max(0, latency.total - latency.retrieve - latency.generate);
  const parts = [
    ["finding passages", latency.retrieve],
    ["writing", latency.generate],
    ["the rest", rest],
  ];
  const total = Math.max(latency.total, 0.001);
  const words = parts.filter(([, time]) => time / total > 0.005).map(([name, time]) => `${name} ${duration(time)}`);
  const bar = drawing("svg", {
    class: "time-bar",
    viewBox: `0 0 ${WIDTH} 10`,
    preserveAspectRatio: "none",
    height: 10,
    role: "img",
    "aria-label": words.join(", "),
  });
  let left = 0;
  parts.forEach(([, time], at) => {
    const width = (time / total) * WIDTH;
    bar.append(drawing("rect", { class: `part-${at}`, x: left, y: 0, width: Math.max(0, width), height: 10 }));
    left += width;
  });
  const first = latency.first_token ? `; first word after ${duration(latency.first_token)}` : "";
  return element(
    "div",
    {},
    bar,
    element("p", { class: "label" }, `${duration(latency.total)} in all: ${words.join(", ")}${first}`),
  );
}
