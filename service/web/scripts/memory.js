// What the browser keeps for this reader; where storage is forbidden, nothing is kept and nothing breaks.

/** @param {string} name @returns {string | null} */
export function remembered(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string} value */
export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // A private window may refuse; the choice then lasts as long as the page.
  }
}
