/* Plays the terminal of the front page: typed lines letter by letter, answers as they come. Once, when it is seen.
   Laws: all lines are in the page already and keep their room, so nothing shifts; where less motion is wanted, or
   without this file, they simply stand there. */

(() => {
  "use strict";

  const LETTER_MS = 16;
  const LINE_MS = 420;
  const NOTE_MS = 900;

  const terminal = document.querySelector("[data-terminal]");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  if (!terminal || calm.matches || !("IntersectionObserver" in window)) return;

  const lines = [...terminal.querySelectorAll(".terminal-line")];
  const again = terminal.querySelector("[data-terminal-again]");
  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  let playing = false;

  // The rest of the line stays in its place, unseen, so that the line never wraps anew.
  const type = async (line) => {
    const whole = line.lastElementChild;
    const text = whole.textContent;
    const typed = document.createElement("span");
    const rest = document.createElement("span");
    typed.className = "caret";
    rest.className = "to-come";
    whole.replaceChildren(typed, rest);
    for (let at = 0; at <= text.length; at += 1) {
      typed.textContent = text.slice(0, at);
      rest.textContent = text.slice(at);
      await wait(LETTER_MS);
    }
    whole.textContent = text;
  };

  const play = async () => {
    if (playing) return;
    playing = true;
    again.hidden = true;
    for (const line of lines) line.classList.add("to-come");
    for (const line of lines) {
      line.classList.remove("to-come");
      if ("typed" in line.dataset) await type(line);
      else await wait(line.classList.contains("note") ? NOTE_MS : LINE_MS);
    }
    again.hidden = false;
    playing = false;
  };

  again.addEventListener("click", play);
  new IntersectionObserver((seen, observer) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    observer.disconnect();
    play();
  }).observe(terminal);
})();
