// Copies text, and says so on the button that was pressed.

/**
 * @param {HTMLElement} button its words tell for a moment that it worked
 * @param {string} text
 * @param {(words: string) => void} say
 */
export async function copyFrom(button, text, say) {
  const label = button.querySelector("span") ?? button;
  const done = await write(text);
  const words = done ? "Copied" : "Copying is not allowed here";
  say(words);
  if (label === button && button.querySelector("svg")) return;
  const before = (label.dataset.words ??= label.textContent);
  label.textContent = words;
  setTimeout(() => (label.textContent = before), 1600);
}

async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
