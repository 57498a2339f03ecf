// A deck: fits its slides, starts reveal.js, and brings the keys of slides and of steppers to terms.
(() => {
  const html = document.documentElement;
  const slides = document.querySelector(".slides");

  // -- steppers: one view at a time, as large as a slide allows -------------------------------------------------
  const VIEWS = ["Segments", "States", "Queues", "Functions", "Buckets"];
  function dress(stepper) {
    const data = JSON.parse(stepper.querySelector("script.tn-data").textContent);
    const svg = stepper.querySelector(".tn-rungs svg"), names = visited(data);
    stepper.style.setProperty("--ladder", Math.min(720, enlargeLadder(svg)?.width || 560) + "px");
    for (const box of stepper.querySelectorAll(".tn-dia")) {
      const drawn = box.querySelector("svg"), nodes = [...drawn.querySelectorAll(".node")];
      cropDiagram(drawn, nodes.map((node) => node.id.replace(/^.*?n-/, "")).filter((name) => names.has(name)));
      scrolls(box, "Diagram of states");
    }
    const buckets = data.steps.some((step) => step.b.some((drawn) => drawn >= 0));
    stepper.querySelectorAll(".tn-q").forEach((box, i) => {
      box.dataset.buckets = "Buckets of " + data.hosts[i];
      scrolls(box, "Queues and buckets of " + data.hosts[i]);
    });
    const group = document.createElement("div");
    group.className = "deck-views";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "What is shown");
    VIEWS.slice(0, buckets ? 5 : 4).forEach((name, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.view = i + 1;
      button.textContent = name;
      group.append(button);
    });
    stepper.querySelector(".tn-top").append(group);
    group.addEventListener("click", (event) => {
      if (event.target.dataset.view) view(stepper, +event.target.dataset.view);
    });
    view(stepper, 1);
    // After a click or a drag the arrows are the slides' again.
    stepper.addEventListener("pointerup", () => setTimeout(() => stepper.focus({ preventScroll: true }), 0));
  }
  function scrolls(box, label) {
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", label);
  }
  // The words that say where a host stands, of all steps: states are among them.
  function visited(data) {
    return new Set(data.steps.flatMap((step) => step.p.flatMap((place) => data.words[place[5]].split(/[ ,()]+/))));
  }
  function view(stepper, which) {
    if (!stepper.querySelector(".deck-views [data-view=\"" + which + "\"]")) return;
    stepper.dataset.view = which;
    for (const button of stepper.querySelectorAll(".deck-views [data-view]")) button.setAttribute("aria-pressed", +button.dataset.view === which);
    // Hidden boxes keep no place: let the stepper find it again.
    stepper.querySelector(".tn-rungs")?.dispatchEvent(new Event("scroll"));
  }
  const onSlide = () => Reveal.getCurrentSlide()?.querySelector("tcpnotes-stepper.tn-live");
  const press = (action) => onSlide()?.querySelector("[data-action=" + action + "]")?.click();

  // -- keys ------------------------------------------------------------------------------------------------------
  const typing = (target) => target.closest("input, select, textarea, [contenteditable]");
  const moves = { ArrowLeft: "left", ArrowRight: "right", PageUp: "prev", PageDown: "next" };
  // Before a stepper hears of it: these move slides wherever the focus is, unless something is being typed or slid.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || typing(event.target)) return;
    const move = moves[event.key];
    if (!move || !event.target.closest("tcpnotes-stepper, .tn-card")) return;
    event.preventDefault();
    event.stopPropagation();
    Reveal[move === "left" ? "prev" : move === "right" ? "next" : move]();
  }, true);
  const bound = (run) => () => run();
  const keyboard = { 80: bound(() => press("back")), 78: bound(() => press("forward")), 87: bound(() => press("whole")) };
  VIEWS.forEach((_, i) => {
    keyboard[49 + i] = () => { const stepper = onSlide(); if (stepper) view(stepper, i + 1); };
  });

  // -- light and dark ----------------------------------------------------------------------------------------------
  const dark = document.querySelector(".deck-dark");
  const tell = () => dark.setAttribute("aria-pressed", html.dataset.theme === "dark");
  dark.addEventListener("click", () => {
    html.dataset.theme = html.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("tcpnotes-slides", html.dataset.theme); } catch { /* not kept, then */ }
    tell();
  });
  tell();

  // -- start ---------------------------------------------------------------------------------------------------------
  function alive() {
    const all = [...document.querySelectorAll("tcpnotes-stepper")];
    return all.every((one) => one.matches(".tn-live") || !one.querySelector("script.tn-data"));
  }
  function begin() {
    if (!alive()) return setTimeout(begin, 10);
    html.classList.add("deck-measuring");
    for (const stepper of paper ? [] : document.querySelectorAll("tcpnotes-stepper.tn-live")) dress(stepper);
    let running = "";
    for (const stack of slides.querySelectorAll(":scope > section:not(.deck-title)")) {
      for (const section of [...stack.querySelectorAll(":scope > section")]) running = fit(section, running);
    }
    html.classList.remove("deck-measuring");
    Reveal.initialize({
      width: 1280, height: 720, margin: 0, minScale: 0.1, maxScale: 4, center: false, hash: true, respondToHashChanges: true,
      transition: "none", backgroundTransition: "none", controls: true, controlsTutorial: false, progress: true,
      navigationMode: "linear", slideNumber: "c/t", showSlideNumber: "all", overview: true, scrollActivationWidth: null,
      totalTime: 45 * 60, pdfSeparateFragments: true, pdfMaxPagesPerSlide: 1, keyboard, plugins: [RevealNotes],
    }).then(() => {
      Reveal.registerKeyboardShortcut("P, N", "Step of the run: back, next");
      Reveal.registerKeyboardShortcut("1 … 5", "What the run shows");
      Reveal.registerKeyboardShortcut("W", "What comes: hide, show");
      const mark = () => html.classList.toggle("deck-has-steps", !!onSlide());
      Reveal.on("slidechanged", mark);
      if (asked?.isConnected) turn(asked);
      mark();
      html.classList.add("deck-ready");
    });
  }
  // An address that names a step of a run opens the slide of its stepper.
  let asked = null;
  const turn = (stepper) => {
    const { h, v } = Reveal.getIndices(stepper.closest("section"));
    Reveal.slide(h, v);
  };
  document.addEventListener("tcpnotes-opened", (event) => {
    if (html.classList.contains("deck-ready")) turn(event.target);
    else asked = event.target;
  });
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin);
})();
