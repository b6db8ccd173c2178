// What can be done without a mouse.

const focused = () => {
  const { activeElement: element } = document;
  const { outlineStyle } = getComputedStyle(element);
  const shown = outlineStyle !== "none" || element.querySelector(".box, .pill") !== null || element.closest("svg") !== null;
  const { width, height } = element.getBoundingClientRect();
  const all = [...document.querySelectorAll("*")];
  return { name: element.localName, id: element.id, text: element.textContent.slice(0, 40), at: all.indexOf(element), shown, size: width * height };
};

/** The skip link, the order of Tab, and the key of the search. */
export async function keyboard(page, watch, name, address) {
  watch.at(`${name}: keyboard`);
  await page.goto(new URL("index.html", address).href);
  await page.keyboard.press("Tab");
  const skip = await page.evaluate(focused);
  if (!skip.text.startsWith("Skip") || !skip.shown) watch.problem(`Tab first reaches ${JSON.stringify(skip)}`);
  await page.keyboard.press("Enter");
  const main = await page.evaluate(() => document.activeElement.id);
  if (main !== "main") watch.problem(`the skip link leads to #${main}`);
  await page.reload();
  await tabOrder(page, watch);
  await page.keyboard.press("/");
  const found = await page.evaluate(focused);
  if (found.id !== "q") watch.problem("/ does not lead to the search");
  await page.keyboard.type("/");
  if (await page.inputValue("#q") !== "/") watch.problem("/ cannot be written into the search");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  if ((await page.evaluate(focused)).id === "q") watch.problem("Escape does not leave the search");
}

async function tabOrder(page, watch) {
  let last = -1;
  for (let stop = 0; stop < 60; stop += 1) {
    await page.keyboard.press("Tab");
    const now = await page.evaluate(focused);
    if (now.name === "body" || now.at < last) return;
    if (!now.shown) watch.problem(`the focus cannot be seen on ${JSON.stringify(now)}`);
    if (now.size === 0) watch.problem(`the focus is on something without a size: ${JSON.stringify(now)}`);
    last = now.at;
  }
}

/** A search has to show its hit first, and Enter has to lead there. */
export async function search(page, watch, name, address, { words, kind, hit }) {
  watch.at(`${name}: search for ${words}`);
  await page.goto(new URL("index.html", address).href);
  await page.keyboard.press("/");
  await page.keyboard.type(words);
  await page.waitForSelector("#hits li");
  const first = await page.$eval("#hits li", (item) => [item.querySelector("b")?.textContent, item.querySelector("small")?.textContent]);
  if (first[0] !== hit || first[1] !== kind) watch.problem(`finds ${JSON.stringify(first)} first`);
  const many = await page.$$eval("#hits li", (items) => items.length);
  if (many > 1) {
    await page.keyboard.press("ArrowDown");
    const second = await page.$eval("#q", (input) => input.getAttribute("aria-activedescendant"));
    if (second !== "hit-1") watch.problem(`the arrow leads to ${second}`);
    await page.keyboard.press("ArrowUp");
  }
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => !url.pathname.endsWith("/index.html"));
  const { hash, there } = await page.evaluate(() => ({
    hash: window.location.hash, there: document.getElementById(window.location.hash.slice(1)) !== null,
  }));
  if (hash !== "" && !there) watch.problem(`leads to ${hash}, which is not there`);
  if (hash === "" && kind !== "service") watch.problem("leads to no anchor");
  await watch.settled(page);
}
