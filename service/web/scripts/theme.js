// Runs before anything is painted, so that a chosen theme never flashes; this is why it is no module.
(() => {
  try {
    const choice = localStorage.getItem("theme");
    if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
  } catch {
    // Storage may be forbidden; the system's theme is then used.
  }
})();
