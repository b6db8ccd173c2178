// The search. Everything that comes from the intent is set as text, never as markup.
"use strict";
(() => {
  const root = new URL("../", document.currentScript.src);
  const box = document.querySelector(".search");
  const input = document.getElementById("q");
  const hits = document.getElementById("hits");
  const found = document.getElementById("found");
  const MOST = 40;
  /** Services with their tables, as far as they have come. */
  const services = [];
  const tables = [];
  let parts = 0;
  let loaded = 0;
  let results = [];
  let chosen = -1;

  // The index is fetched when somebody searches: the first paint of a page does not wait for it. Scripts, since a page that was
  // opened from a file may not read other files; one after the other, and the search works with those that are there.
  const load = () => {
    if (parts > 0) return;
    parts = 1;
    next();
  };
  const next = () => {
    const script = document.createElement("script");
    const name = loaded === 0 ? "search-index.js" : `search-index-${loaded + 1}.js`;
    script.src = new URL("assets/" + name, root).href;
    script.onload = () => {
      take(window.trueupIndex.pop());
      loaded += 1;
      search();
      if (loaded < parts) next();
    };
    script.onerror = () => { found.textContent = "The search index cannot be loaded."; };
    document.head.append(script);
  };

  // See search.rs for what stands where. All that a table's entries can be found by is one text, so that most tables are
  // passed over by one look at it.
  const take = (part) => {
    parts = part.parts ?? parts;
    for (const [name, engine, slug, hasPages, own, migrations] of part.services) {
      const page = `services/${slug}.html`;
      services.push({ name, engine, page, migrations, text: text(name, engine, ...migrations.map((one) => one[0])) });
      for (const [title, columns, indexes, anchor = "t-" + title] of own) {
        const place = `${title} in ${name}`;
        const names = [...columns, ...indexes].map((one) => (typeof one === "string" ? one : one[0]));
        const href = hasPages ? `services/${slug}/${anchor}.html` : page;
        tables.push({ title, columns, indexes, anchor, place, service: name, page: href, text: text(place, ...names) });
      }
    }
  };
  const text = (...names) => names.join("\n").toLowerCase();

  const KINDS = { service: 0, table: 1, column: 2, index: 3, migration: 4 };
  const score = (key, more, words) => {
    if (!words.every((word) => more.includes(word))) return -1;
    const at = key.indexOf(words[0]);
    if (key === words.join(" ")) return 0;
    if (at === 0) return 10;
    if (at > 0) return /[^a-z0-9]/.test(key[at - 1]) ? 20 : 30;
    return 40;
  };

  /** Calls `hit` with everything that has all the words. */
  const match = (words, hit) => {
    const look = (kind, name, place, page, anchor) => {
      const key = name.toLowerCase();
      const rank = score(key, key + " " + place.toLowerCase(), words);
      // Names of services often begin alike: any word of one counts as its beginning.
      const near = kind === "service" && rank === 20 ? 10 : rank;
      if (rank >= 0) hit(near + KINDS[kind], { kind, name, place, page, anchor });
    };
    const has = (one) => words.every((word) => one.text.includes(word));
    for (const service of services.filter(has)) {
      look("service", service.name, service.engine, service.page, "");
      for (const [name, anchor] of service.migrations) look("migration", name, service.name, service.page, anchor);
    }
    for (const table of tables.filter(has)) {
      look("table", table.title, table.service, table.page, table.anchor);
      const members = (kind, all, joint) => all.forEach((one) => {
        const [name, anchor] = typeof one === "string" ? [one, table.anchor + joint + one] : one;
        look(kind, name, table.place, table.page, anchor);
      });
      members("column", table.columns, "--");
      members("index", table.indexes, "--i-");
    }
  };

  const search = () => {
    // Before the index is there, nothing is known: not even that nothing is named like that.
    if (loaded === 0) return;
    const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    results = [];
    if (words.length > 0) {
      const ranked = new Map();
      let total = 0;
      match(words, (rank, entry) => {
        total += 1;
        if (!ranked.has(rank)) ranked.set(rank, []);
        ranked.get(rank).push(entry);
      });
      for (const rank of [...ranked.keys()].sort((a, b) => a - b)) {
        if (results.length >= MOST) break;
        results.push(...ranked.get(rank).sort((a, b) => a.name.length - b.name.length).slice(0, MOST - results.length));
      }
      const more = total > MOST ? ", the first " + MOST + " are shown" : "";
      found.textContent = total + (total === 1 ? " result" : " results") + (loaded < parts ? " so far" : "") + more;
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
    const nothing = results.length === 0 && loaded === parts && input.value.trim() !== "";
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
    window.location.href = new URL(entry.page, root).href + (entry.anchor ? "#" + entry.anchor : "");
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

  // A column's address from when its table stood on this page: the row of the table leads on to the page that it has now.
  const forward = () => {
    const wanted = window.location.hash.slice(1);
    if (document.getElementById(wanted)) return;
    for (let end = wanted.lastIndexOf("--"); end > 0; end = wanted.lastIndexOf("--", end - 1)) {
      const link = document.getElementById(wanted.slice(0, end))?.querySelector("th a[href]");
      if (link && link.href.startsWith(root.href)) {
        window.location.replace(link.href.split("#")[0] + "#" + wanted);
        return;
      }
    }
  };
  if (window.location.hash.includes("--")) forward();
  window.addEventListener("hashchange", forward);
})();
