// Search over chapters and headings as somebody types: every word of the query must begin a word of the place.

const MOST = 12;

/**
 * @typedef {{path: string, title: string, section: string, heading: string, anchor: string, words: string[], inTitle: Set<string>}} Entry
 */

/**
 * @param {[string, string, string, [string, string][]][]} rows path, title, section and headings of every chapter
 * @returns {Entry[]}
 */
export function entriesOf(rows) {
  return rows.flatMap(([path, title, section, headings]) => {
    const own = wordsOf(title);
    const chapter = entry(path, title, section, "", "", [...own, ...wordsOf(section)], own);
    const inside = headings
      .filter(([, anchor]) => anchor)
      .map(([heading, anchor]) => {
        const words = wordsOf(heading);
        return entry(path, title, section, heading, anchor, [...words, ...own], words);
      });
    return [chapter, ...inside];
  });
}

/**
 * @param {Entry[]} entries
 * @param {string} query
 * @returns {Entry[]} the best first, a dozen at most
 */
export function found(entries, query) {
  const wanted = wordsOf(query);
  if (!wanted.length) return [];
  const scored = [];
  for (const candidate of entries) {
    const score = scoreOf(candidate, wanted);
    if (score > 0) scored.push([score, candidate]);
  }
  return scored
    .sort(([one], [other]) => other - one)
    .slice(0, MOST)
    .map(([, candidate]) => candidate);
}

/** @param {string} text @returns {string[]} words in lower case; `snake_case` counts as a whole and in its parts */
export function wordsOf(text) {
  const words = text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  return words.flatMap((word) => (word.includes("_") ? [word, ...word.split("_").filter(Boolean)] : [word]));
}

function entry(path, title, section, heading, anchor, words, own) {
  return { path, title, section, heading, anchor, words, inTitle: new Set(own) };
}

/** 0 where a word is missing. Whole words count more than beginnings, the place's own name more than what it is in. */
function scoreOf({ words, inTitle, heading }, wanted) {
  let score = heading ? 0 : 0.5;
  for (const word of wanted) {
    if (inTitle.has(word)) score += 4;
    else {
      const begun = words.find((candidate) => candidate.startsWith(word));
      if (!begun) return 0;
      score += inTitle.has(begun) ? 2 : 1;
    }
  }
  return score / Math.sqrt(1 + inTitle.size / 8);
}
