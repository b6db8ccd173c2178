// Opens every page of some portals in Chromium and prints what is wrong, as JSON. The argument is a file:
// {"portals": [{"name", "address", "hostile", "searches": [{"words", "kind", "hit"}], "tables": the pages of tables to open, or
//   null for all, "forwards": [{"from", "to", "nowhere"}], "plain": whether there is nothing for the keyboard}], "paints": {name: address},
//  "shots": see screenshots.mjs, "screenshots": folder or null}
import { createRequire } from "node:module";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Watch } from "./watch.mjs";
import { Axe } from "./axe.mjs";
import { emptyFrames, examine, links, loaded, poke } from "./page.mjs";
import { keyboard, search } from "./keyboard.mjs";
import { screenshots } from "./screenshots.mjs";
import { FLAGS } from "./flags.mjs";

const modules = createRequire(join(process.env.TRUEUP_MODULES, "/"));
const { chromium } = modules("playwright-core");
const input = JSON.parse(readFileSync(process.argv[2], "utf8"));
const profile = mkdtempSync(join(tmpdir(), "trueup-chromium-"));
const DESKTOP = { width: 1280, height: 900 };
/** The width at which WCAG wants no scrolling in two directions. */
const NARROW = { width: 320, height: 640 };

/** Opens every page that is reachable from the first one; what each links to has to be there. */
async function portal(page, watch, axe, { name, address, hostile, searches, tables, plain }) {
  const seen = new Map();
  const waiting = [new URL("index.html", address).href];
  const wanted = [];
  const isTable = (href) => href.slice(address.length).split("/").length === 3;
  const isOpened = (href) => tables === null || !isTable(href) || tables.includes(href.slice(address.length));
  while (waiting.length > 0) {
    const href = waiting.pop();
    if (seen.has(href)) continue;
    watch.at(`${name}: ${href.slice(address.length)}`);
    const response = await page.goto(href);
    if (response !== null && response.status() !== 200) watch.problem(`status ${response.status()}`);
    if (href.startsWith("http:") && response.headers()["content-security-policy"] === undefined) watch.problem("no policy in the headers");
    await page.evaluate(loaded);
    const found = await page.evaluate(links);
    seen.set(href, new Set(found.ids));
    for (const link of found.links) {
      const { protocol } = new URL(link.href);
      if (link.href.startsWith(address)) {
        wanted.push({ ...link, from: watch.place });
        const target = link.href.split("#")[0];
        if (target.endsWith(".html") && isOpened(target)) waiting.push(target);
      } else if (protocol !== "https:") {
        watch.problem(`leads out: ${link.href}`);
      }
    }
    watch.problems((await page.evaluate(examine)).map((what) => what));
    watch.problems(await page.evaluate(emptyFrames));
    if (hostile) await page.evaluate(poke);
    await axe.both(page, watch, tables !== null && isTable(href));
    await page.setViewportSize(NARROW);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (over > 0) watch.problem(`scrolls sideways by ${over} px at a width of 320 px`);
    await page.setViewportSize(DESKTOP);
    await watch.settled(page);
  }
  for (const { href, from } of wanted) {
    const [path, anchor] = href.split("#");
    const ids = seen.get(path);
    watch.at(from);
    if (!isOpened(path)) {
      if (!existsSync(fileURLToPath(path))) watch.problem(`leads nowhere: ${href}`);
    } else if (path.endsWith(".html") && ids === undefined) watch.problem(`leads nowhere: ${href}`);
    if (ids !== undefined && anchor !== undefined && !ids.has(decodeURIComponent(anchor))) watch.problem(`no such anchor: ${href}`);
  }
  if (!plain) await attempt(watch, () => keyboard(page, watch, name, address));
  for (const wanted of searches) await attempt(watch, () => search(page, watch, name, address, wanted));
  await watch.settled(page);
  return seen.size;
}

/** Opens addresses, and changes to them on a page that is open already: both have to end where they lead. How many did. */
async function forwarded(page, watch, { name, address, forwards }) {
  let number = 0;
  for (const { from, to, nowhere } of forwards) {
    watch.at(`${name}: ${from}`);
    const target = new URL(to, address).href;
    const arrived = async () => {
      await page.waitForURL(target);
      await page.waitForLoadState();
      const there = await page.evaluate(() => document.getElementById(window.location.hash.slice(1)) !== null);
      if (there === (nowhere === true)) watch.problem(`${to} is ${there ? "" : "not "}there`);
      number += 1;
    };
    await attempt(watch, async () => {
      await page.goto(new URL(from, address).href);
      await arrived();
      await page.goto(new URL(from.split("#")[0], address).href);
      await page.evaluate((hash) => { window.location.hash = hash; }, from.split("#")[1]);
      await arrived();
      await watch.settled(page);
    });
  }
  return number;
}

/** What does not happen in time is a problem like any other, and the visit goes on. */
async function attempt(watch, action) {
  try {
    await action();
  } catch (error) {
    watch.problem(error.message);
  }
}

/** The best of three first paints of a page, in milliseconds. */
async function firstPaint(page, href) {
  const times = [];
  for (let turn = 0; turn < 3; turn += 1) {
    await page.goto("about:blank");
    await page.goto(href);
    times.push(await page.evaluate(() => new Promise((resolve) => {
      const read = () => {
        const [paint] = performance.getEntriesByName("first-contentful-paint");
        if (paint) resolve(paint.startTime);
        else setTimeout(read, 5);
      };
      read();
    })));
  }
  return Math.min(...times);
}

const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.TRUEUP_CHROMIUM, headless: true, args: FLAGS, viewport: DESKTOP,
});
try {
  const page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(10000);
  const watch = new Watch(page, input.portals.map((each) => each.address));
  await watch.start();
  const axe = new Axe(readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8"));
  const pages = {};
  const forwards = {};
  for (const each of input.portals) {
    pages[each.name] = await portal(page, watch, axe, each);
    forwards[each.name] = await forwarded(page, watch, each);
  }
  const paints = {};
  for (const [name, href] of Object.entries(input.paints)) paints[name] = await firstPaint(page, href);
  if (input.screenshots) await screenshots(page, input.shots, input.screenshots);
  console.log(JSON.stringify({ problems: watch.all, pages, paints, forwarded: forwards, judged: axe.judged }));
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
