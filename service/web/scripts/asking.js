// One question on its way: asked, streamed, and brought back where the connection is lost in mid-answer.
import { ConnectionLost, Problem, fetchJson, request } from "./api.js";
import { eventsOf } from "./event_stream.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 5000;
const TRIES_FOR_AN_UNKNOWN_ANSWER = 3;

/**
 * @typedef {object} Listener
 * @property {(sources: {id: string, passages: object[]}) => void} sources
 * @property {(delta: {text: string, citations: object[], html?: {block: number, html: string}[]}) => void} delta
 * @property {(begun: boolean) => void} lost the connection is gone; the answer is being looked for, if it was begun
 */

/** Why a signal is aborted when the reader has had enough, and not only gone elsewhere. */
export const STOPPED = new DOMException("The reader stopped the answer", "AbortError");

/**
 * @param {{question: string, history: object[], filters: object, conversation: string | null, fresh: boolean}} asked
 * @param {Listener} listener
 * @param {AbortSignal} signal
 * @returns {Promise<object>} the whole answer
 * @throws {Problem} there will be none
 */
export function askQuestion(asked, listener, signal) {
  return Promise.race([stream(asked, listener, signal), aborted(signal)]);
}

/** Which answer it is only the sources say: stopped before that, the reader is free, and the line is held until then. */
async function stream(asked, listener, signal) {
  const line = new AbortController();
  let id = null;
  signal.addEventListener("abort", () => {
    if (id || signal.reason !== STOPPED) line.abort(signal.reason);
  });
  try {
    const response = await send(asked, line.signal);
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return await response.json();
    for await (const { name, data } of eventsOf(response.body)) {
      if (name === "sources") {
        id = data.id;
        if (signal.aborted) {
          await stopAnswer(id);
          throw signal.reason;
        }
        listener.sources(data);
      }
      if (name === "delta") listener.delta(data);
      if (name === "answer") return data;
      if (name === "error") throw new Problem(data);
    }
  } catch (error) {
    if (error instanceof Problem || signal.aborted) throw error;
  } finally {
    line.abort();
  }
  listener.lost(id !== null);
  id ??= await answerIdIn(asked, signal);
  return answerOf(id, signal);
}

/**
 * The answer with this id, once it is made; asks until it is there.
 * @param {string} id @param {AbortSignal} signal @returns {Promise<object>} @throws {Problem}
 */
export async function answerOf(id, signal) {
  let unknown = 0;
  for (let wait = FIRST_WAIT; ; wait = Math.min(wait * 1.5, LONGEST_WAIT)) {
    try {
      const response = await request(`/api/answers/${encodeURIComponent(id)}`, { signal });
      if (response.status === 200) return (await response.json()).answer;
    } catch (error) {
      const missing = error instanceof Problem && error.status === 404;
      if (signal.aborted || (error instanceof Problem && !missing)) throw error;
      if (missing && ++unknown >= TRIES_FOR_AN_UNKNOWN_ANSWER) throw lost();
    }
    await pause(wait, signal);
  }
}

/** Ask the service to stop writing; it may have finished meanwhile, which is no error. */
export function stopAnswer(id) {
  return request(`/api/answers/${encodeURIComponent(id)}/stop`, { method: "POST" }).catch(() => null);
}

function aborted(signal) {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

function send({ question, history, filters, conversation, fresh }, signal) {
  const headers = { Accept: "text/event-stream, application/json;q=0.5" };
  if (fresh) headers["Cache-Control"] = "no-cache";
  const json = { question, history, filters, html: true };
  if (conversation) json.conversation = conversation;
  return request("/api/ask", { method: "POST", headers, json, signal });
}

/** Where the stream was cut before it said which answer it is, the conversation knows. */
async function answerIdIn({ conversation, question }, signal) {
  for (let wait = FIRST_WAIT; conversation; wait = Math.min(wait * 1.5, LONGEST_WAIT)) {
    try {
      const { exchanges } = await fetchJson(`/api/conversations/${encodeURIComponent(conversation)}`, { signal });
      const last = exchanges.at(-1);
      if (last?.question === question && !last.error) return last.answer_id;
      break;
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
    }
    await pause(wait, signal);
  }
  throw lost();
}

function lost() {
  const title = "The connection was lost before the answer was complete.";
  return new Problem({ code: "connection_lost", title, detail: "Nothing else was lost; ask again." });
}

/** Some time, or until the network is back. */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const end = (settle, value) => {
      clearTimeout(timer);
      over.abort();
      settle(value);
    };
    const timer = setTimeout(end, milliseconds, resolve);
    addEventListener("online", () => end(resolve), { signal: over.signal });
    signal.addEventListener("abort", () => end(reject, signal.reason), { signal: over.signal });
  });
}
