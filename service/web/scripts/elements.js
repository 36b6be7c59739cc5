// Makes elements. Strings become text nodes, never HTML, so that nothing said by anybody can become markup here.

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `on…` with a function listens, `class` and others are set as they are,
 *   false, null and undefined are left out, true is an empty attribute
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

const ICONS = {
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  link: "M6.5 9.5a3 3 0 0 0 4.2 0l2.1-2.1a3 3 0 0 0-4.2-4.2l-.8.8M9.5 6.5a3 3 0 0 0-4.2 0L3.2 8.6a3 3 0 0 0 4.2 4.2l.8-.8",
  retry: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
  receipt: "M4 2h8v12l-2-1.2L8 14l-2-1.2L4 14zM6.5 5.5h3M6.5 8.5h3",
  edit: "M3 13h2.5L13 5.5 10.5 3 3 10.5z",
  up: "M5 7.5 8 2c1 0 1.8.8 1.6 1.8L9.2 6h3.3c.9 0 1.6.8 1.4 1.7l-.8 4c-.2.8-.8 1.3-1.6 1.3H5zM2.5 7.5H5V13H2.5z",
  down: "M5 8.5 8 14c1 0 1.8-.8 1.6-1.8L9.2 10h3.3c.9 0 1.6-.8 1.4-1.7l-.8-4C12.9 3.5 12.3 3 11.5 3H5zM2.5 8.5H5V3H2.5z",
  close: "m4 4 8 8M12 4l-8 8",
};

/** @param {keyof typeof ICONS} name @returns {SVGElement} */
export function icon(name) {
  return drawing("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, drawing("path", { d: ICONS[name] }));
}
