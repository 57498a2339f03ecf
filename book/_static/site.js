// A page that was opened as a file may not read other files: results are listed without their surroundings.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
// Nor may it start Python.
if (location.protocol === "file:") addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll("a.run-here")) link.closest("p").textContent = "On a server (make show) this chapter can be run here.";
});
