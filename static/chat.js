/* The chat page's comforts: Enter sends, suggestions fill the composer, code can be copied, a sent message empties it.
   As in app.js: everything works without it, listeners stand on the document, nothing is stored, no markup from text. */

(() => {
  "use strict";

  const composer = () => document.getElementById("composer_message");

  // Enter sends, Shift+Enter makes a line; not while a word is still being composed (Japanese, Chinese).
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLTextAreaElement) || field.id !== "composer_message") return;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    const send = document.querySelector("#composer_acts button:not([form])");
    if (send && !send.disabled && field.value.trim()) field.form.requestSubmit(send);
  });

  // Esc leaves the composer, then the browser's own Esc closes a drawer.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target === composer()) event.target.blur();
  });

  document.addEventListener("click", (event) => {
    const suggestion = event.target instanceof Element ? event.target.closest("[data-suggestion]") : null;
    const field = composer();
    if (!suggestion || !field || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    field.value = suggestion.dataset.suggestion;
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // Browsers without `field-sizing`: as many rows as there are lines, eight at most.
  if (!CSS.supports("field-sizing", "content")) {
    document.addEventListener("input", (event) => {
      if (event.target === composer()) event.target.rows = Math.min(8, event.target.value.split("\n").length);
    });
  }

  // ---- Code blocks get their copy button here: what a model wrote carries no buttons ----

  const copyCode = async (button) => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1800);
  };

  const dressCode = () => {
    for (const code of document.querySelectorAll(".markdown pre > code:not([data-dressed])")) {
      code.dataset.dressed = "";
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button code-copy";
      button.textContent = "Copy";
      button.addEventListener("click", () => copyCode(button));
      code.parentElement.append(button);
    }
  };

  document.addEventListener("htmx:after:swap", dressCode);
  document.addEventListener("htmx:sse:after:message", dressCode);
  dressCode();
})();
