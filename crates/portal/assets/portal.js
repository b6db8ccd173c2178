// The search. Everything that comes from the intent is set as text, never as markup.
"use strict";
(() => {
  const root = new URL("../", document.currentScript.src);
  const box = document.querySelector(".search");
  const input = document.getElementById("q");
  const hits = document.getElementById("hits");
  const found = document.getElementById("found");
  const MOST = 40;
  let index = null;
  let loaded = false;
  let results = [];
  let chosen = -1;

  // The index is fetched when somebody searches: the first paint of a page does not wait for it. A script, since a
  // page that was opened from a file may not read other files.
  const load = () => {
    if (index !== null) return;
    index = [];
    const script = document.createElement("script");
    script.src = new URL("assets/search-index.js", root).href;
    script.onload = () => {
      const { pages, entries } = window.trueupIndex;
      index = entries.map(([kind, name, place, page, anchor]) => ({
        kind, name, place, key: name.toLowerCase(), more: (name + " " + place).toLowerCase(),
        href: new URL(pages[page], root).href + (anchor ? "#" + anchor : ""),
      }));
      loaded = true;
      search();
    };
    script.onerror = () => { found.textContent = "The search index cannot be loaded."; };
    document.head.append(script);
  };

  const KINDS = { service: 0, table: 1, column: 2, index: 3, migration: 4 };
  const score = (entry, words) => {
    if (!words.every((word) => entry.more.includes(word))) return -1;
    const word = words[0];
    const at = entry.key.indexOf(word);
    if (entry.key === words.join(" ")) return 0;
    if (at === 0) return 10;
    if (at > 0) return /[^a-z0-9]/.test(entry.key[at - 1]) ? 20 : 30;
    return 40;
  };

  const search = () => {
    // Before the index is there, nothing is known: not even that nothing is named like that.
    if (!loaded) return;
    const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    results = [];
    if (words.length > 0) {
      const ranked = [];
      for (const entry of index) {
        const rank = score(entry, words);
        if (rank >= 0) ranked.push([rank + KINDS[entry.kind], entry.name.length, ranked.length, entry]);
      }
      ranked.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
      results = ranked.slice(0, MOST).map((row) => row[3]);
      const more = ranked.length > MOST ? ", the first " + MOST + " are shown" : "";
      found.textContent = ranked.length + (ranked.length === 1 ? " result" : " results") + more;
    } else {
      found.textContent = "";
    }
    show();
  };

  const part = (name, text, className) => {
    const element = document.createElement(name);
    element.textContent = text;
    if (className) element.className = className;
    return element;
  };

  const show = () => {
    chosen = results.length > 0 ? 0 : -1;
    hits.replaceChildren(...results.map((entry, position) => {
      const item = document.createElement("li");
      item.id = "hit-" + position;
      item.setAttribute("role", "option");
      item.append(part("b", entry.name), part("small", entry.kind), part("small", entry.place, "place"));
      item.addEventListener("mousedown", (event) => { event.preventDefault(); go(position); });
      return item;
    }));
    const nothing = results.length === 0 && input.value.trim() !== "";
    if (nothing) {
      const item = part("li", "Nothing is named like that.");
      item.setAttribute("role", "option");
      item.setAttribute("aria-disabled", "true");
      hits.append(item);
    }
    open(results.length > 0 || nothing);
    choose(chosen);
  };

  const open = (is) => {
    hits.hidden = !is;
    input.setAttribute("aria-expanded", String(is));
    if (!is) input.removeAttribute("aria-activedescendant");
  };

  const choose = (position) => {
    chosen = position;
    [...hits.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === position)));
    const item = hits.children[position];
    if (item && results.length > 0) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    }
  };

  const go = (position) => {
    const entry = results[position];
    if (!entry) return;
    open(false);
    input.blur();
    window.location.href = entry.href;
  };

  input.addEventListener("focus", () => { load(); if (input.value.trim() !== "") search(); });
  input.addEventListener("input", () => { load(); search(); });
  input.addEventListener("blur", () => open(false));
  input.addEventListener("keydown", (event) => {
    const last = results.length - 1;
    if (event.key === "ArrowDown" && last >= 0) choose(chosen >= last ? 0 : chosen + 1);
    else if (event.key === "ArrowUp" && last >= 0) choose(chosen <= 0 ? last : chosen - 1);
    else if (event.key === "Enter") go(chosen);
    else if (event.key === "Escape" && !hits.hidden) open(false);
    else if (event.key === "Escape") input.blur();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
  box.hidden = false;
})();
