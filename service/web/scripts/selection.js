// *Ask about this passage*: a button beside the words that somebody has selected in a chapter.
import { element } from "./elements.js";

const SHORTEST = 8;
const LONGEST = 400;

/**
 * @param {(passage: {words: string, chapter: string}) => void} ask
 * @returns {() => boolean} asks about the selection as it stands; whether there was one
 */
export function askAboutSelection(ask) {
  const button = element(
    "button",
    { type: "button", class: "button ask-selection", hidden: true },
    "Ask about this passage",
  );
  const act = () => {
    const selected = selection();
    if (!selected) return false;
    getSelection().removeAllRanges();
    button.hidden = true;
    ask(selected);
    return true;
  };
  button.addEventListener("pointerdown", (event) => event.preventDefault());
  button.addEventListener("click", act);
  document.addEventListener("selectionchange", () => {
    const selected = selection();
    button.hidden = !selected;
    if (!selected) return;
    // Straight after the text, so that the next press of Tab leads to it.
    selected.holder.after(button);
    const box = getSelection().getRangeAt(0).getBoundingClientRect();
    const frame = button.offsetParent?.getBoundingClientRect() ?? { left: 0, top: 0 };
    const left = Math.min(Math.max(8, box.left), innerWidth - button.offsetWidth - 8);
    button.style.left = `${left - frame.left}px`;
    button.style.top = `${box.bottom + 8 - frame.top}px`;
  });
  return act;
}

function selection() {
  const selected = getSelection();
  if (!selected || selected.isCollapsed || !selected.rangeCount) return null;
  const range = selected.getRangeAt(0);
  const inside = range.commonAncestorContainer;
  const holder = (inside.nodeType === Node.ELEMENT_NODE ? inside : inside.parentElement)?.closest("[data-prose]");
  const chapter = holder?.closest(".chapter")?.dataset.path;
  const words = selected.toString().replace(/\s+/g, " ").trim();
  if (!chapter || words.length < SHORTEST) return null;
  return { words: words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words, chapter, holder };
}
