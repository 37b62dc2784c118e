/* What a page does beyond HTML and htmx. Each part is a comfort: every link and form works without this file.
   Laws: listeners stand on the document, so that swapped-in content needs no set-up; nothing is stored in the browser;
   no markup is built from text; no inline style attribute (positions are set through the style object). */

(() => {
  "use strict";

  const within = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);

  // ---- Toasts ----

  const TOAST_MS = 7000;

  const showToast = (text, kind = "error") => {
    const template = document.getElementById("toast_template");
    const box = document.getElementById("toasts");
    if (!template || !box) return;
    const toast = template.content.firstElementChild.cloneNode(true);
    toast.className = `toast ${["success", "info", "warning", "error"].includes(kind) ? kind : "info"}`;
    toast.querySelector("p").textContent = text;
    box.append(toast);
  };

  // Good news leaves by itself; trouble stays until it is read. A toast under the pointer or the focus waits.
  const retireToasts = () => {
    for (const toast of document.querySelectorAll(".toast:not([data-timed])")) {
      toast.dataset.timed = "";
      if (!toast.matches(".success, .info")) continue;
      const retire = () => (toast.matches(":hover, :focus-within") ? setTimeout(retire, 1500) : toast.remove());
      setTimeout(retire, TOAST_MS);
    }
  };

  const toasts = document.getElementById("toasts");
  if (toasts) new MutationObserver(retireToasts).observe(toasts, { childList: true });
  retireToasts();

  // The server may send `HX-Trigger: {"toast": {"text": "…", "kind": "success"}}`.
  document.addEventListener("toast", (event) => showToast(event.detail.text ?? "", event.detail.kind ?? "info"));

  // ---- Requests by htmx: errors, and no second press while one is under way ----

  const OFFLINE = "The server could not be reached. Nothing was changed; check the connection and try again.";
  const TOO_SLOW = "The server took too long to answer. Look whether it was done before you try again.";
  const UNREADABLE = "Something went wrong on the server. Please try again.";

  const sentenceIn = (text) => {
    if (text.trimStart().startsWith("{")) {
      try {
        return JSON.parse(text).error;
      } catch {
        return "";
      }
    }
    const page = new DOMParser().parseFromString(text, "text/html");
    return page.querySelector("[data-error-message]")?.textContent.trim();
  };

  // A refusal drawn as a block of the page (a form with its errors) is swapped as usual, and one that the server sends to
  // the toasts goes there. Whole error pages and answers of a router in between must not land inside a panel.
  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    const text = ctx.text ?? "";
    const isBlock = text.trim() !== "" && !/^\s*(<!doctype|<html|\{)/i.test(text);
    const isHtml = (ctx.response.headers.get("Content-Type") ?? "").startsWith("text/html");
    if (ctx.hx?.retarget || ctx.hx?.redirect || (isBlock && isHtml)) return;
    ctx.swap = "none";
    showToast((isHtml || text.startsWith("{") ? sentenceIn(text) : "") || UNREADABLE);
  });

  document.addEventListener("htmx:error", (event) => {
    const { ctx, error } = event.detail;
    if (!ctx || ctx.response) return;
    showToast(error?.name === "AbortError" || error === "timeout" ? TOO_SLOW : OFFLINE);
  });

  // What asks by itself now and then (`data-poll`) rests while nobody looks, and asks at once when the tab is back.
  document.addEventListener("htmx:before:request", (event) => {
    const { sourceElement } = event.detail.ctx;
    if (document.hidden && sourceElement instanceof Element && "poll" in sourceElement.dataset) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll("[data-poll]")) element.dispatchEvent(new Event("shown"));
  });

  const BUSY = "aria-busy";
  const buttonsOf = (form) => form.querySelectorAll("button:not([type='button']), input[type='submit']");
  const submitterOf = (form, event) => event?.submitter ?? buttonsOf(form)[0];

  const occupy = (form, submitter) => {
    form.dataset.sending = "";
    submitter?.setAttribute(BUSY, "true");
  };

  const release = (form) => {
    delete form.dataset.sending;
    for (const button of buttonsOf(form)) button.removeAttribute(BUSY);
  };

  document.addEventListener(
    "submit",
    (event) => {
      if (!("sending" in event.target.dataset)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    occupy(form, submitterOf(form, event));
  });

  document.addEventListener("htmx:before:request", (event) => {
    const { sourceElement, sourceEvent } = event.detail.ctx;
    if (sourceElement instanceof HTMLFormElement) occupy(sourceElement, submitterOf(sourceElement, sourceEvent));
    else if (sourceElement.matches?.("button, .button")) sourceElement.setAttribute(BUSY, "true");
  });

  document.addEventListener("htmx:finally:request", (event) => {
    const { sourceElement } = event.detail.ctx;
    if (sourceElement instanceof HTMLFormElement) release(sourceElement);
    else sourceElement.removeAttribute?.(BUSY);
  });

  // Back from the next page: the browser shows this one as it was left, forms still occupied.
  addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-sending]").forEach(release);
  });

  document.addEventListener("change", (event) => {
    if (within(event, "[data-submit-on-change]")) event.target.form?.requestSubmit();
  });

  // An amount of one's own chooses its tile; another tile empties the amount. First of all, before htmx asks for a total.
  const chooserOf = (field) => document.getElementById(field.dataset.chooses);
  document.addEventListener(
    "input",
    (event) => {
      const field = within(event, "[data-chooses]");
      if (field) chooserOf(field).checked = true;
      const own = event.target.type === "radio" && event.target.form?.querySelector("[data-chooses]");
      const other = own && chooserOf(own);
      if (other && other !== event.target && other.name === event.target.name) own.value = "";
    },
    true,
  );

  // ---- Copy, dismiss, menus ----

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    const label = button.querySelector("span") ?? button;
    const before = label.textContent;
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      label.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source); // no permission: leave it selected, ready for Ctrl+C
      label.textContent = "Selected";
    }
    setTimeout(() => (label.textContent = before), 1800);
  };

  document.addEventListener("click", (event) => {
    const copier = within(event, "[data-copy]");
    if (copier && !copier.dataset.copied) {
      copier.dataset.copied = "1";
      copy(copier).finally(() => setTimeout(() => delete copier.dataset.copied, 1800));
    }
    within(event, "[data-dismiss]")?.closest(".toast")?.remove();
    if (within(event, "[data-print]")) print();
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });

  const openMenus = () => [...document.querySelectorAll("details[data-menu][open]")];

  // A menu in a scrolling table would be cut off: an open one is laid over the page, below its button or above it.
  const placeMenu = (menu) => {
    const list = menu.querySelector(".menu-list");
    const button = menu.querySelector("summary").getBoundingClientRect();
    const leftmost = list.classList.contains("start") ? button.left : button.right - list.offsetWidth;
    const isLow = button.bottom + list.offsetHeight + 12 > innerHeight && button.top > list.offsetHeight;
    const top = isLow ? button.top - list.offsetHeight - 4 : button.bottom + 4;
    const left = Math.max(8, Math.min(leftmost, innerWidth - list.offsetWidth - 8));
    Object.assign(list.style, { position: "fixed", right: "auto", top: `${top}px`, left: `${left}px` });
  };

  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (menu instanceof HTMLDetailsElement && menu.open && "menu" in menu.dataset) placeMenu(menu);
    },
    true,
  );
  document.addEventListener("scroll", () => openMenus().forEach(placeMenu), { capture: true, passive: true });

  // ---- Keys: / searches, n starts a chat, Esc closes ----

  const isTyping = (element) => element.matches("input, textarea, select, [contenteditable='true']");

  const closeNearest = () => {
    const open = [...document.querySelectorAll("details[data-menu][open], details.person[open]")].pop();
    if (!open) return false;
    open.open = false;
    open.querySelector("summary").focus();
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      hideTips();
      closeNearest();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const found =
      event.key === "/"
        ? document.querySelector("[data-search]")
        : event.key === "n"
          ? document.querySelector("[data-new-chat]")
          : null;
    if (!found) return;
    event.preventDefault();
    if (event.key === "n") found.click();
    else found.focus();
  });

  // ---- Charts: the tooltip reads the row of the table below the plot ----

  const element = (tag, className, text = "") => {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
  };

  const barsOf = (figure) => [...figure.querySelectorAll(".bar")];

  const fillTip = (tip, figure, index) => {
    const heads = [...figure.querySelectorAll("thead th")];
    const cells = [...figure.querySelectorAll("tbody tr")[index].cells].map((cell) => cell.textContent.trim());
    const title = element("div", "tooltip-title");
    title.append(element("span", "", cells[0]), element("span", "number", cells[1]));
    const rows = [];
    heads.forEach((head, column) => {
      if (!head.dataset.swatch || ["", "$0.00", "–"].includes(cells[column])) return;
      const row = element("div", "tooltip-row");
      const name = element("span", "", head.textContent);
      row.append(element("i", `swatch ${head.dataset.swatch}`), name, element("span", "number", cells[column]));
      rows.unshift(row); // the top of the stack first, as it is drawn
    });
    const note = cells[cells.length - 1];
    tip.replaceChildren(title, ...rows, ...(note ? [element("div", "tooltip-note", note)] : []));
  };

  const placeTip = (tip, bar) => {
    const frame = tip.parentElement.getBoundingClientRect();
    const area = bar.querySelector(".hit").getBoundingClientRect();
    const right = area.right - frame.left + 8;
    const left = area.left - frame.left - tip.offsetWidth - 8;
    const fitsRight = right + tip.offsetWidth <= frame.width;
    const x = fitsRight ? right : Math.max(0, left);
    tip.style.translate = `${Math.round(x)}px 10px`;
  };

  const hideTips = () => {
    for (const tip of document.querySelectorAll(".tooltip:not([hidden])")) tip.hidden = true;
    for (const bar of document.querySelectorAll(".bar.is-shown")) bar.classList.remove("is-shown");
  };

  const showTip = (bar) => {
    if (bar.classList.contains("is-shown")) return;
    hideTips();
    const figure = bar.closest("[data-chart]");
    const tip = figure.querySelector(".tooltip");
    fillTip(tip, figure, barsOf(figure).indexOf(bar));
    tip.hidden = false;
    bar.classList.add("is-shown");
    placeTip(tip, bar);
  };

  document.addEventListener("pointerover", (event) => {
    const bar = within(event, "[data-chart] .bar");
    if (bar) showTip(bar);
    else hideTips();
  });
  document.addEventListener("focusin", (event) => {
    const bar = within(event, "[data-chart] .bar");
    if (bar) showTip(bar);
    else hideTips();
  });

  const STEPS = { ArrowRight: 1, ArrowLeft: -1, PageDown: 7, PageUp: -7, Home: -Infinity, End: Infinity };

  // One bar of a chart is in the tab order at a time; the arrows walk.
  document.addEventListener("keydown", (event) => {
    const bar = within(event, "[data-chart] .bar");
    if (!bar || !(event.key in STEPS)) return;
    event.preventDefault();
    const bars = barsOf(bar.closest("[data-chart]"));
    const place = Math.min(bars.length - 1, Math.max(0, bars.indexOf(bar) + STEPS[event.key]));
    for (const other of bars) other.setAttribute("tabindex", "-1");
    bars[place].setAttribute("tabindex", "0");
    bars[place].focus();
  });

  // ---- Tabs: where they scroll, the current one is in view ----

  for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
    const row = tab.parentElement;
    row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }

  // ---- Times: the reader's own clock beside UTC, when asked for ----

  document.addEventListener("pointerover", (event) => {
    const time = within(event, "time[data-local]");
    if (!time || time.dataset.local) return;
    time.dataset.local = "done";
    const own = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    time.title = `${time.title} · ${own} your time`;
  });
})();
