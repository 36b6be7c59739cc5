// One line at the top while there is no network: what still works, and that it will come back by itself.

/** @param {HTMLElement} banner */
export function connectionBanner(banner) {
  const show = () => {
    banner.hidden = navigator.onLine;
    banner.textContent = navigator.onLine
      ? ""
      : "You are offline. What is open can still be read; questions can be asked once you are connected.";
  };
  addEventListener("online", show);
  addEventListener("offline", show);
  show();
}
