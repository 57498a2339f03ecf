class TcpnotesStepper extends HTMLElement {
  connectedCallback() {
    // The parser may connect the element before its children exist; a notebook may connect it more than once.
    const start = () => {
      if (this.mounted) return;
      const script = this.querySelector("script.tn-data");
      if (!script) return;
      this.mounted = mount(this, { ...shared, ...JSON.parse(script.textContent) }, +(this.getAttribute("start") || 0), null);
      const follow = () => opened(this, this.mounted.go);
      // What stands above may still grow while the page loads: look for the place again when it has.
      if (follow() && document.readyState !== "complete") window.addEventListener("load", follow, { once: true });
      window.addEventListener("hashchange", follow);
    };
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
    else setTimeout(start, 0);
  }
}
if (shared.style) {
  // In the head: a notebook may take the cell that brought it off the page.
  const style = document.createElement("style");
  style.textContent = shared.style;
  document.head.append(style);
}
customElements.define("tcpnotes-stepper", TcpnotesStepper);
