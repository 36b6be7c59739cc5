// A file of the API to keep. A plain link would do, but it cannot carry the key that a service may ask for.
import { request } from "./api.js";
import { remembered } from "./memory.js";

const KEPT_FOR = 60_000;

/** @param {MouseEvent} event on a link with `download` */
export async function downloadWithKey(event) {
  if (!remembered("key")) return;
  event.preventDefault();
  const { href } = event.currentTarget;
  const response = await request(href);
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "conversation";
  const address = URL.createObjectURL(await response.blob());
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_FOR);
}
