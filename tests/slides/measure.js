// What is wrong with the slide that is shown: letters under 18 px, and what lies outside of it or is cut off.
() => {
  const LEAST = 17.95, FOOT = 40, bad = [], section = Reveal.getCurrentSlide();
  const frame = document.querySelector(".reveal").getBoundingClientRect(), scale = Reveal.getScale();
  const shown = (node) => node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && !node.closest(".tn-sr, aside.notes");
  // The box that cuts off or scrolls what is inside.
  const within = (node) => {
    for (let at = node; at && at !== section; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (/auto|scroll|hidden|clip/.test(style.overflowX + style.overflowY) || /strict|paint|content/.test(style.contain)) return at;
    }
    return null;
  };
  const walk = document.createTreeWalker(document.querySelector(".reveal"), NodeFilter.SHOW_TEXT);
  for (let text; (text = walk.nextNode()); ) {
    const node = text.parentElement, said = text.data.trim().slice(0, 40);
    if (!said || !shown(node) || node.closest("title, desc, script, style, option")) continue;
    const svg = node.closest("svg"), size = parseFloat(getComputedStyle(node).fontSize);
    const seen = size * (svg ? svg.getScreenCTM().a : node.closest(".slides") ? scale : 1);
    if (seen < LEAST) bad.push("small, " + seen.toFixed(1) + " px: " + said);
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of svg ? [node.getBoundingClientRect()] : range.getClientRects()) {
      if (!box.width) continue;
      const around = within(node);
      if (around) {
        const edge = around.getBoundingClientRect();
        const there = box.bottom > edge.top && box.top < edge.bottom;
        const scrolls = around.scrollWidth > around.clientWidth && getComputedStyle(around).overflowX === "auto";
        if (there && !scrolls && (box.right > edge.right + 2 || box.left < edge.left - 2)) bad.push("cut off: " + said);
      } else if (box.right > frame.right + 1 || box.left < -1 || box.top < -1 ||
                 box.bottom > frame.bottom - (node.closest(".slides") ? FOOT : 0)) bad.push("runs off: " + said);
    }
  }
  for (const node of section.querySelectorAll("svg, img, table, pre, figure, .tn-card, .tn-app, .deck-body")) {
    if (!shown(node) || node.closest(".tn-rungs, .tn-dia, .tn-q, .tn-scroll, .deck-scroll") && node.matches("svg, table")) continue;
    const box = node.getBoundingClientRect();
    if (box.width && (box.right > frame.right + 1 || box.bottom > frame.bottom - FOOT || box.left < -1 || box.top < -1)) {
      bad.push("runs off: " + node.tagName.toLowerCase() + "." + node.getAttribute("class"));
    }
  }
  if (section.querySelector(".deck-scroll")) bad.push("does not fit: " + section.querySelector(".deck-scroll").textContent.trim().slice(0, 40));
  return bad;
}
