class TcpnotesStepper extends HTMLElement {
  connectedCallback() {
    // The parser may connect the element before its children exist; a notebook may connect it more than once.
    const start = () => {
      if (this.mounted) return;
      const script = this.querySelector("script.tn-data");
      if (!script) return;
      this.mounted = mount(this, { ...shared, ...JSON.parse(script.textContent) }, +(this.getAttribute("start") || 0), null);
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
