// The only place where HTML becomes elements. It takes what the server has sanitised and nothing else; the page's
// Content-Security-Policy forbids every other module to do the same.

const policy = globalThis.trustedTypes?.createPolicy("sanitised", { createHTML: (html) => html });

/**
 * @param {string} html made and sanitised by the service
 * @returns {DocumentFragment}
 */
export function fragmentOf(html) {
  const template = document.createElement("template");
  template.innerHTML = policy ? policy.createHTML(html) : html;
  return template.content;
}
