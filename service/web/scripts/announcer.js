// Says to screen readers what happened: that an answer begins and ends, not each of its words.

/** @param {HTMLElement} region a polite live region @returns {(words: string) => void} */
export function announcer(region) {
  let clearing = 0;
  return (words) => {
    region.textContent = words;
    clearTimeout(clearing);
    clearing = setTimeout(() => (region.textContent = ""), 8000);
  };
}
