// Tells the other tabs that something changed, so that a conversation open in two of them is the same in both.

/**
 * @param {(message: {conversation?: string}) => void} heard
 * @returns {(message: {conversation?: string}) => void} tell the others
 */
export function otherTabs(heard) {
  const channel = new BroadcastChannel("mastery");
  channel.addEventListener("message", ({ data }) => heard(data));
  return (message) => channel.postMessage(message);
}
