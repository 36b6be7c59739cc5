// Talks to the service; every error becomes a `Problem` that can be shown.
import { remembered } from "./memory.js";

/** An answer that says no: an RFC 9457 document, or what can be made of something else. */
export class Problem extends Error {
  /** @param {{status?: number, code?: string, title?: string, detail?: string}} document @param {number} [retryAfter] */
  constructor(document, retryAfter) {
    super(document.detail || document.title || "Something went wrong");
    this.status = document.status ?? 0;
    this.code = document.code ?? "unknown";
    this.title = document.title ?? "Something went wrong";
    this.retryAfter = retryAfter ?? document.retry_after ?? null;
  }
}

/** No answer at all: the network, or a service that is gone. */
export class ConnectionLost extends Error {}

/**
 * @param {string} path
 * @param {RequestInit & {json?: unknown}} [options]
 * @returns {Promise<Response>}
 * @throws {Problem | ConnectionLost}
 */
export async function request(path, options = {}) {
  const { json, ...rest } = options;
  const headers = new Headers(rest.headers);
  const key = remembered("key");
  if (key) headers.set("Authorization", `Bearer ${key}`);
  if (json !== undefined) headers.set("Content-Type", "application/json");
  const body = json === undefined ? rest.body : JSON.stringify(json);
  let response;
  try {
    response = await fetch(path, { ...rest, headers, body });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ConnectionLost(String(error.message));
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** @param {string} path @param {RequestInit & {json?: unknown}} [options] @returns {Promise<any>} */
export async function fetchJson(path, options) {
  const response = await request(path, options);
  return response.status === 204 ? null : response.json();
}

async function problemOf(response) {
  const seconds = Number(response.headers.get("Retry-After"));
  const fallback = { status: response.status, title: `The service answered with ${response.status}` };
  const document = await response.json().catch(() => fallback);
  return new Problem({ ...fallback, ...document }, seconds > 0 ? seconds : undefined);
}
