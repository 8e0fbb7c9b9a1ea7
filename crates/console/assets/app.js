// The console's own script: theme, keyboard, live output. Everything works without it.
"use strict";
(() => {
  const KEY = "pressroom-theme";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const system = () => (dark.matches ? "dark" : "light");

  // Storage may be forbidden; the system's theme is used then.
  const remember = (theme) => {
    try {
      if (theme) localStorage.setItem(KEY, theme);
      else localStorage.removeItem(KEY);
    } catch {}
  };
  const remembered = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  const show = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  show(remembered());

  const announce = (text) => {
    const region = document.getElementById("announce");
    if (region && text && region.textContent !== text) region.textContent = text;
  };
  const announceFrom = (element) =>
    announce(element?.querySelector("[data-announce]")?.dataset.announce);

  function themeButton() {
    const button = document.getElementById("theme");
    if (!button) return;
    const label = document.getElementById("theme-label");
    const current = () => root.dataset.theme || system();
    const name = () => {
      const text = `Switch to ${current() === "dark" ? "light" : "dark"} theme`;
      label.textContent = text;
      button.title = text;
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      const wanted = current() === "dark" ? "light" : "dark";
      const override = wanted === system() ? null : wanted;
      remember(override);
      show(override);
      name();
    });
    dark.addEventListener("change", name);
    name();
  }

  function shortcuts() {
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, textarea, select, [contenteditable]");
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      const target = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
      if (!target) return;
      event.preventDefault();
      target.focus();
      target.select?.();
    });
  }

  function liveFilter() {
    document.addEventListener("htmx:after:swap", () =>
      announceFrom(document.getElementById("sites")),
    );
    document.addEventListener("htmx:error", () =>
      announce("The list could not be loaded. Check the connection and try again"),
    );
  }

  // Shows the new state of a part of the page. What did not change stays the same element:
  // what a person typed, ticked, folded out or is just pressing is not pulled away.
  function renew(part, markup) {
    // Markup of our own server, rendered by the same template as the page.
    htmx.swap({ text: markup, target: part, sourceElement: part, swap: "innerMorph" });
    announceFrom(part);
  }

  function liveJob() {
    const job = document.getElementById("job");
    const output = document.getElementById("output");
    const note = document.getElementById("output-state");
    if (output) output.scrollTop = output.scrollHeight;
    if (!job?.dataset.events) return;
    const say = (text, live) => {
      note.textContent = text;
      note.classList.toggle("is-live", live);
    };
    const source = new EventSource(job.dataset.events);
    source.onopen = () => say("Live", true);
    source.onerror = () =>
      source.readyState === EventSource.CLOSED
        ? say("Not live: reload the page to go on", false)
        : say("Connecting again …", false);
    source.addEventListener("state", (event) => renew(job, event.data));
    source.addEventListener("output", (event) => {
      const following = output.scrollHeight - output.scrollTop - output.clientHeight < 40;
      output.append(event.data);
      while (output.childNodes.length > 5000) output.firstChild.remove();
      if (following) output.scrollTop = output.scrollHeight;
    });
    source.addEventListener("end", () => {
      source.close();
      say("", false);
      for (const element of document.querySelectorAll("[data-while-live]")) element.remove();
    });
    addEventListener("pagehide", () => source.close());
    // A page out of the browser's back-forward cache has lost its source.
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  function livePipeline() {
    const part = document.getElementById("pipeline");
    const note = document.getElementById("pipeline-live");
    if (!part?.dataset.events) return;
    const say = (text) => {
      note.textContent = text;
    };
    const source = new EventSource(part.dataset.events);
    source.onopen = () => say("Live");
    source.onerror = () =>
      source.readyState === EventSource.CLOSED
        ? say("Not live: reload the page to go on")
        : say("Connecting again …");
    source.addEventListener("state", (event) => renew(part, event.data));
    source.addEventListener("end", () => {
      source.close();
      say("");
    });
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  addEventListener("DOMContentLoaded", () => {
    themeButton();
    shortcuts();
    liveFilter();
    liveJob();
    livePipeline();
  });
})();
