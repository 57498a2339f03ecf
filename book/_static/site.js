// A page that was opened as a file may not read other files: results are listed without their surroundings.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
// Nor may it start Python.
if (location.protocol === "file:") addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll("a.run-here")) link.closest("p").textContent = "On a server (make show) this chapter can be run here.";
});
// What stands above the place that a link names grows while the page is made: keep to the place until the reader moves.
let leave = () => {};
function keepTo(place) {
  leave();
  const over = new AbortController(), how = { signal: over.signal, passive: true, capture: true };
  const watcher = new ResizeObserver(() => place.scrollIntoView({ block: "start", behavior: "instant" }));
  const late = setTimeout(() => leave(), 3000);
  leave = () => {
    clearTimeout(late);
    over.abort();
    watcher.disconnect();
  };
  for (const move of ["wheel", "touchstart", "pointerdown", "keydown"]) addEventListener(move, leave, how);
  watcher.observe(document.querySelector("article") || document.body);
}
function followLink() {
  let name = "";
  try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
  const place = name && document.getElementById(name);
  if (place) keepTo(place);
}
addEventListener("DOMContentLoaded", followLink);
addEventListener("hashchange", followLink);
document.addEventListener("tcpnotes-opened", (event) => keepTo(event.target));
