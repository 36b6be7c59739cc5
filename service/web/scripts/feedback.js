// Thumbs: a good answer is one press, a bad one may be given a reason.
import { request } from "./api.js";
import { element, icon } from "./elements.js";
import { sentenceOf } from "./states.js";

const REASONS = [
  ["wrong_citation", "A source does not say this"],
  ["wrong_answer", "The answer is wrong"],
  ["missing", "Something is missing"],
  ["unclear", "It is unclear"],
];

/**
 * @param {string} id of the answer
 * @param {{verdict: string} | null} given what was said before
 * @param {(words: string) => void} say
 * @returns {{buttons: HTMLElement[], form: HTMLElement}} the form opens below the buttons
 */
export function feedbackOn(id, given, say) {
  const up = thumb("up", "Good answer");
  const down = thumb("down", "Bad answer");
  const form = element("form", { class: "feedback", hidden: true });
  const press = (verdict) => {
    up.setAttribute("aria-pressed", String(verdict === "up"));
    down.setAttribute("aria-pressed", String(verdict === "down"));
  };
  const tell = async (verdict, more = {}) => {
    try {
      await request(`/api/answers/${encodeURIComponent(id)}/feedback`, { method: "POST", json: { verdict, ...more } });
      press(verdict);
      say("Thank you. It is kept with the answer.");
    } catch (error) {
      say(`Not kept. ${sentenceOf(error).text}`);
    }
  };
  press(given?.verdict ?? null);
  up.addEventListener("click", () => {
    form.hidden = true;
    tell("up");
  });
  down.addEventListener("click", () => {
    form.hidden = !form.hidden;
    if (form.hidden) return;
    fill(form, (more) => {
      form.hidden = true;
      down.focus();
      tell("down", more);
    });
    form.querySelector("input").focus();
  });
  return { buttons: [up, down], form };
}

function thumb(name, label) {
  return element("button", { type: "button", "aria-label": label, title: label }, icon(name));
}

function fill(form, send) {
  const choices = REASONS.map(([value, words]) =>
    element("label", {}, element("input", { type: "radio", name: "reason", value }), words),
  );
  const comment = element("textarea", {
    class: "field",
    name: "comment",
    rows: 2,
    maxlength: 2000,
    "aria-label": "More about it, if you like",
    placeholder: "More about it, if you like",
  });
  const button = element("button", { type: "submit", class: "button" }, "Send");
  form.replaceChildren(
    element("fieldset", {}, element("legend", {}, "What is wrong with it?"), ...choices),
    comment,
    button,
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    const said = new FormData(form);
    const more = { reason: said.get("reason"), comment: said.get("comment").trim() };
    send(Object.fromEntries(Object.entries(more).filter(([, value]) => value)));
  };
}
