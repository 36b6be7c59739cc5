// Where a passage stands: its address in the reader, and its name in words. Addresses are always made here, out of a
// chapter's path, and never taken from an answer.

/**
 * @typedef {object} Place
 * @property {string} chapter path of the file
 * @property {string} title of the chapter
 * @property {string} heading
 * @property {string} anchor
 * @property {number} start_line
 * @property {number} end_line
 * @property {string} [quote]
 */

/** @param {string} path of a chapter's file @returns {string} */
export function chapterUrl(path) {
  return `/read/${path.replace(/\.md$/, "").split("/").map(encodeURIComponent).join("/")}`;
}

/** @param {Place} place @returns {string} the address that opens the chapter there, with the passage marked */
export function passageUrl(place) {
  const anchor = place.anchor ? `#${encodeURIComponent(place.anchor)}` : "";
  return `${chapterUrl(place.chapter)}?lines=${Number(place.start_line)}-${Number(place.end_line)}${anchor}`;
}

/** @param {Place} place @returns {string} */
export function nameOf(place) {
  return place.heading && place.heading !== place.title ? `${place.title} › ${place.heading}` : place.title;
}

/** @param {Place} place @returns {string} such as `lines 7–12` */
export function linesIn({ start_line: first, end_line: last }) {
  return first === last ? `line ${first}` : `lines ${first}–${last}`;
}

/** @param {Place[]} places @returns {Place[]} each chapter and heading once, in their order */
export function distinct(places) {
  const seen = new Map(places.map((place) => [`${place.chapter}#${place.anchor}`, place]).reverse());
  return [...seen.values()].reverse();
}

/** @param {string | null} lines such as `12-18` @returns {[number, number] | null} */
export function linesOf(lines) {
  const found = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(lines ?? "");
  return found && [Number(found[1]), Number(found[2] ?? found[1])];
}

/** @param {string} text of an address @returns {string} decoded; as it is where it is not encoded well */
export function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
