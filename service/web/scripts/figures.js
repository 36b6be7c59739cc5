// Numbers as people read them.

const NUMBER = new Intl.NumberFormat("en");
const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" });

/** @param {number} count @returns {string} */
export const number = (count) => NUMBER.format(count);

/** @param {number} count @param {string} one @param {string} [many] @returns {string} */
export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** @param {string | number | null} dollars @returns {string} as many digits as tell something */
export function money(dollars) {
  if (dollars === null || dollars === undefined) return "unknown";
  const value = Number(dollars);
  if (value === 0) return "$0";
  if (value < 0.0001) return "under $0.0001";
  const digits = value.toFixed(value < 0.01 ? 4 : value < 1 ? 3 : 2);
  return `$${digits.replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

/** @param {number} milliseconds @returns {string} */
export function duration(milliseconds) {
  if (milliseconds >= 10_000) return `${Math.round(milliseconds / 1000)} s`;
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return milliseconds >= 10 ? `${Math.round(milliseconds)} ms` : `${milliseconds.toFixed(1)} ms`;
}

/** @param {number} seconds @returns {string} such as `in 3 h 20 min` */
export function until(seconds) {
  if (seconds < 90) return `in ${counted(Math.ceil(seconds), "second")}`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `in ${minutes} minutes`;
  return `in ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** @param {number} seconds from now @returns {string} the time of day then */
export function clock(seconds) {
  return new Date(Date.now() + seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** @param {string} day such as 2026-11-25 @returns {string} */
export function shortDay(day) {
  const date = new Date(`${day.slice(0, 10)}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? day : DAY.format(date);
}

/** @param {string} moment ISO 8601 @returns {string} */
export function when(moment) {
  const date = new Date(moment);
  const today = new Date().toDateString() === date.toDateString();
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return today ? time : date.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" });
}
