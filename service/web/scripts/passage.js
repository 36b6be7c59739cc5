// Finds the passage of a citation in a rendered chapter: the blocks by their source lines, the quote by its words.
//
// Words are marked with the CSS Custom Highlight API, which leaves the document as it is; where a browser lacks it, the
// blocks are marked all the same.

import { folded, foldedText, plain } from "./plain_text.js";

const SHORTEST_PIECE = 12;

/**
 * Mark a passage and say where it begins.
 * @param {Element} root holds the rendered chapter
 * @param {[number, number] | null} lines first and last line in the file
 * @param {string} [quote] Markdown, verbatim
 * @returns {Element | null} the first marked block
 */
export function markPassage(root, lines, quote = "") {
  unmarkPassages(root);
  const blocks = lines ? blocksWithin(root, ...lines) : [];
  for (const block of blocks) block.classList.add("passage");
  const ranges = quote ? rangesOf(blocks, quote) : [];
  if (globalThis.CSS?.highlights && ranges.length) {
    CSS.highlights.set("quote", new Highlight(...ranges));
    for (const block of blocks) block.classList.add("quoted");
  }
  return blocks[0] ?? null;
}

/** @param {Element} root */
export function unmarkPassages(root) {
  for (const marked of root.querySelectorAll(".passage")) marked.classList.remove("passage", "quoted");
  globalThis.CSS?.highlights?.delete("quote");
}

/** @returns {Element[]} the innermost blocks that were written on these lines */
function blocksWithin(root, start, end) {
  const touched = [...root.querySelectorAll("[data-lines]")].filter((block) => {
    const [first, last] = block.dataset.lines.split("-").map(Number);
    return first <= end && last >= start;
  });
  const holders = new Set();
  for (const block of touched) {
    for (let outer = block.parentElement; outer && outer !== root; outer = outer.parentElement) holders.add(outer);
  }
  const inner = touched.filter((block) => !holders.has(block));
  const besides = inner.filter((block) => !/^H[1-6]$/.test(block.tagName));
  return besides.length ? besides : inner;
}

/** @returns {Range[]} where the words of the quote stand: together if they do, else line by line, sentence by sentence */
function rangesOf(blocks, quote) {
  const text = textOf(blocks);
  // As it is written first: in code the marks of Markdown are what they are.
  const found = (words) => rangeOf(text, foldedText(words)) ?? rangeOf(text, plain(words));
  const whole = found(quote);
  if (whole) return [whole];
  return quote.split(/\n+/).flatMap((line) => {
    const range = found(line);
    if (range) return [range];
    const sentences = line.split(/(?<=[.!?:])\s+/).filter((sentence) => sentence.length >= SHORTEST_PIECE);
    return sentences.map(found).filter(Boolean);
  });
}

/** The text of blocks with white space and quotation marks made alike, and where each character of it stands. */
function textOf(blocks) {
  let words = "";
  const places = [];
  for (const block of blocks) {
    const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const inCode = node.parentElement.closest("pre");
      const shown = inCode ? withoutCommentMarks(node.data) : node.data;
      for (let at = 0; at < shown.length; at++) {
        const character = folded(shown[at]);
        if (character === " " && (words === "" || words.endsWith(" "))) continue;
        words += character;
        places.push([node, at]);
      }
    }
    if (words && !words.endsWith(" ") && places.length) {
      words += " ";
      places.push(places.at(-1));
    }
  }
  return { words, places };
}

/** Comment marks become as many spaces, so that places stay what they are. */
function withoutCommentMarks(code) {
  return code.replace(/^([ \t]*)(#+|\/\/+|--+)/gm, (all) => " ".repeat(all.length));
}

function rangeOf({ words, places }, wanted) {
  const at = wanted ? words.indexOf(wanted) : -1;
  if (at < 0) return null;
  const range = new Range();
  range.setStart(...places[at]);
  const [node, offset] = places[at + wanted.length - 1];
  range.setEnd(node, offset + 1);
  return range;
}
