// Light or dark, before anything is drawn: what was chosen here, else what the system says; paper is light.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("tcpnotes-slides"); } catch { /* no storage: the system decides */ }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const set = () => {
    const paper = /[?&](print-pdf|view=print)/.test(location.search);
    document.documentElement.dataset.theme = paper ? "light" : chosen || (dark.matches ? "dark" : "light");
  };
  set();
  dark.addEventListener("change", set);
})();
