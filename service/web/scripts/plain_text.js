// A quote is Markdown, verbatim; here it becomes the words that a reader sees.

const MARKS = { "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'" };
const LINE_MARKS = /^\s*(?:[-*+]|\d+[.)]|#{1,6}|>|\/\/+|--+)\s+/gm;
const CODE_SPAN = /(`+[^`]+`+)/;

/** @param {string} character @returns {string} quotation marks and white space made alike */
export function folded(character) {
  return /\s/.test(character) ? " " : (MARKS[character] ?? character);
}

/** @param {string} text @returns {string} the same words with quotation marks and white space made alike */
export function foldedText(text) {
  return [...text].map(folded).join("").replace(/ +/g, " ").trim();
}

/** @param {string} markdown @returns {string} its words without the marks; code stays as it is */
export function plain(markdown) {
  const parts = markdown.replace(LINE_MARKS, "").split(CODE_SPAN);
  return foldedText(parts.map((part, at) => (at % 2 ? part.replace(/^`+ ?| ?`+$/g, "") : unmarked(part))).join(""));
}

function unmarked(text) {
  return text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\*\*|__|`+|~~|(?<![\p{L}\p{N}])[*_]|[*_](?![\p{L}\p{N}])/gu, "")
    .replace(/\\([\\`*_{}[\]()#+\-.!|<>~])/g, "$1")
    .replace(/(?<!\\)\|/g, " ");
}
