// Before anything of the page runs: clocks and chance are the same each time, nothing
// moves, and nothing waits for an answer that nobody gives.
(() => {
  const began = 1750000000000;
  const RealDate = Date;
  const now = () => began + Math.floor(performance.now());
  class SteadyDate extends RealDate {
    constructor(...given) {
      if (given.length === 0) super(now());
      else super(...given);
    }
    static now() { return now(); }
  }
  // `Date()` without `new` is a text.
  window.Date = new Proxy(SteadyDate, { apply: () => new SteadyDate().toString() });
  let seed = 42;
  Math.random = () => {
    seed = (seed * 1664525 + 1013904223) % 4294967296;
    return seed / 4294967296;
  };
  window.alert = () => undefined;
  window.confirm = () => false;
  window.prompt = () => null;
  window.print = () => undefined;
  const still = `*, *::before, *::after {
    animation-duration: 0.001s !important; animation-delay: 0s !important;
    animation-iteration-count: 1 !important;
    transition-duration: 0s !important; transition-delay: 0s !important;
    caret-color: transparent !important; scroll-behavior: auto !important;
  }`;
  const hold = () => {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(still);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    } catch { /* a page that has replaced these moves */ }
  };
  hold();
  document.addEventListener('DOMContentLoaded', () => {
    if (document.adoptedStyleSheets.length === 0) hold();
  });
})();
