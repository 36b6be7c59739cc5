// Every state of an answer as a sentence: what happened, what still works, what to do.
import { ConnectionLost, Problem } from "./api.js";
import { clock, counted, until } from "./figures.js";

const QUOTED = "Quoted from the chapters; no model was used.";
const UNREACHED = "The model could not be reached; these are the passages it would have read.";
const REASONS = {
  budget_spent: "Today's budget for the model is spent; these are the passages it would have read.",
  request_too_costly:
    "The model would have cost more than one question may; these are the passages it would have read.",
  model_unreachable: UNREACHED,
  model_rejected: "The model's provider refused the call; these are the passages it would have read.",
  model_refused: "The model declined to answer; these are the passages it was given.",
  model_cut: "The model's answer was cut at its limit of tokens; these are the passages it was given.",
  model_filtered: "The provider's content filter stopped the answer; these are the passages it was given.",
  model_malformed: "The model's answer could not be read; these are the passages it was given.",
  model_unauthorized: "The provider does not know the key of the service; these are the passages it would have read.",
  model_quota: "The provider's account is out of credit; these are the passages it would have read.",
  model_overloaded: "The model's provider is overloaded; these are the passages it would have read.",
  model_timeout: "The model did not answer in time; these are the passages it would have read.",
  model_circuit_open: "The model kept failing and is left alone for a moment; these are the passages it would have read.",
  model_recited: "The model recited its instructions instead of answering; these are the passages it was given.",
  uncited: "None of the citations in the model's answer held, so it is not shown; these are the passages it was given.",
  state_problem: "The call could not be booked, so no model was asked; these are the passages it would have read.",
  model_problem: "The model could not be used; these are the passages it would have read.",
};

/**
 * @param {object} answer
 * @returns {{tone: "neutral" | "degraded" | "missing", text: string}} text is empty where there is nothing to say
 */
export function stateOf(answer) {
  if (answer.status === "not_in_knowledge_base") return { tone: "missing", text: "" };
  if (answer.degraded) return { tone: "degraded", text: REASONS[reasonOf(answer)] ?? UNREACHED };
  const said = [];
  if (answer.status === "partial") said.push("The chapters cover only a part of this.");
  if (answer.mode === "extractive") said.push(QUOTED);
  const uncited = answer.receipt?.uncited_sentences;
  if (uncited) said.push(`${counted(uncited, "sentence")} in it carr${uncited === 1 ? "ies" : "y"} no citation.`);
  if (answer.receipt?.cached) said.push("Given before to the same question; it cost nothing this time.");
  if (answer.receipt?.stored === false) said.push("The database could not keep it, so it has no address of its own.");
  return { tone: "neutral", text: said.join(" ") };
}

/** The stable code at the start of `code: what happened`. */
function reasonOf({ receipt }) {
  return receipt?.degraded_reason?.split(":")[0];
}

/** @param {string} sentence @returns {boolean} whether an answer's text says already what `stateOf` says */
export function saysState(sentence) {
  return [QUOTED, ...Object.values(REASONS)].includes(sentence.trim());
}

/**
 * @param {unknown} error
 * @returns {{text: string, command?: string, key?: boolean, again: boolean}} `again`: asking again may help
 */
export function sentenceOf(error) {
  if (error instanceof ConnectionLost) {
    const offline = navigator.onLine === false;
    const text = offline
      ? "You are offline. The question is kept; ask again once you are connected."
      : "The service does not answer. It may be restarting; ask again in a moment.";
    return { text, again: true };
  }
  if (!(error instanceof Problem))
    return { text: "Something went wrong in this page. Reload it; what was said is kept.", again: true };
  return OF_CODE[error.code]?.(error) ?? general(error);
}

const OF_CODE = {
  budget_spent: ({ retryAfter }) => ({
    text: `Today's budget for answers is spent.${retryAfter ? ` It opens again ${until(retryAfter)}, at ${clock(retryAfter)}.` : ""} Reading and searching the chapters still work.`,
    again: true,
  }),
  rate_limited: (problem) => tooMany(problem),
  index_missing: () => ({
    text: "Nothing is ingested yet, so there is nothing to answer from. Run this where the service runs, then ask again:",
    command: "mastery ingest",
    again: true,
  }),
  index_mismatch: ({ message }) => ({
    text: `The index does not fit the settings: ${message}`,
    command: "mastery ingest",
    again: true,
  }),
  index_corrupted: ({ message }) => ({
    text: `The index is damaged: ${message}`,
    command: "mastery ingest --rebuild",
    again: true,
  }),
  unknown_key: () => ({
    text: "This service answers only those who have a key. Give yours; it stays in this browser.",
    key: true,
    again: true,
  }),
  invalid_question: ({ message }) => ({ text: sentence(message), again: false }),
  unknown_filter: ({ message }) => ({ text: `${sentence(message)} Take the filter away and ask again.`, again: true }),
  conversation_not_found: () => ({
    text: "This conversation is not here any more; it may have been deleted. You can ask a new question below.",
    again: false,
  }),
  answer_not_found: () => ({
    text: "There is no answer at this address. It may have been made on another machine.",
    again: false,
  }),
  state_problem: ({ message }) => ({
    text: `The database of answers cannot be used: ${message}. The chapters can still be read.`,
    again: true,
  }),
};

function tooMany({ retryAfter }) {
  return {
    text: `Too many questions at once. ${retryAfter ? `You can ask again ${until(retryAfter)}.` : "Wait a moment, then ask again."}`,
    again: true,
  };
}

function general(problem) {
  if (problem.status === 429) return tooMany(problem);
  const said = [problem.title, problem.message].filter((words, at, all) => words && all.indexOf(words) === at);
  return { text: said.map(sentence).join(" "), again: problem.status !== 422 };
}

function sentence(words) {
  const trimmed = words.trim().replace(/[.\s]+$/, "");
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}.`;
}
