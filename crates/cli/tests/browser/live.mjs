// Opens served pages in Chromium, changes the intent beneath them, and prints what is wrong and how long it took, as JSON.
// The argument is a file: {"address", "file": the YAML, "service": its page, "states": {"other", "broken"},
//  "word": what is new in the other state, "picture": where to put a picture of the banner, or null}
import { createRequire } from "node:module";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Watch } from "./watch.mjs";
import { Axe } from "./axe.mjs";
import { examine } from "./page.mjs";
import { FLAGS } from "./flags.mjs";

const modules = createRequire(join(process.env.TRUEUP_MODULES, "/"));
const { chromium } = modules("playwright-core");
const input = JSON.parse(readFileSync(process.argv[2], "utf8"));
const profile = mkdtempSync(join(tmpdir(), "trueup-chromium-"));
const first = readFileSync(input.file, "utf8");

/** As editors do it: a new file takes the place of the old one. */
function save(text) {
  writeFileSync(`${input.file}~`, text);
  renameSync(`${input.file}~`, input.file);
}

const troubles = () => [...document.querySelectorAll(".trouble li")].map((item) => item.textContent);
const isCalm = () => document.readyState === "complete" && document.querySelector(".trouble") === null;

const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.TRUEUP_CHROMIUM, headless: true, args: FLAGS, viewport: { width: 1280, height: 600 },
});
try {
  const page = context.pages()[0] ?? await context.newPage();
  const home = await context.newPage();
  const watches = [];
  for (const each of [page, home]) {
    each.setDefaultTimeout(20000);
    const watch = new Watch(each, [input.address]);
    await watch.start();
    watches.push(watch);
  }
  await page.goto(new URL(input.service, input.address).href);
  await home.goto(input.address);
  const times = [];
  for (let turn = 0; turn < 2; turn += 1) {
    for (const text of [input.states.other, first]) {
      await page.evaluate(() => window.scrollTo(0, 240));
      const started = performance.now();
      save(text);
      await page.waitForFunction(([word, wanted]) => document.readyState === "complete" && document.body.innerText.includes(word) === wanted,
        [input.word, text !== first], { polling: 5 });
      times.push(performance.now() - started);
      const scrolled = await page.evaluate(() => window.scrollY);
      if (scrolled !== 240) watches[0].problem(`the page is at ${scrolled} after it reloaded, and was at 240`);
    }
  }
  // Nothing more comes when nothing changes.
  await page.evaluate(() => { window.same = true; });
  save(first);
  await page.waitForTimeout(400);
  if (!await page.evaluate(() => window.same)) watches[0].problem("the page reloads although nothing changed");
  save(input.states.broken);
  const said = [];
  for (const [position, each] of [page, home].entries()) {
    await each.waitForSelector(".trouble li");
    said.push(await each.evaluate(troubles));
    const shown = await each.evaluate(() => {
      window.scrollTo(0, document.body.scrollHeight);
      const { top, bottom } = document.querySelector(".trouble").getBoundingClientRect();
      return top >= 0 && bottom > 20;
    });
    if (!shown) watches[position].problem("the banner is out of sight at the end of the page");
    if (await each.locator("h1").count() !== 1) watches[position].problem("the pages of before are gone");
    watches[position].problems(await each.evaluate(examine));
  }
  await new Axe(readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8")).both(page, watches[0]);
  if (input.picture) {
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.screenshot({ path: input.picture });
  }
  save(first);
  for (const [position, each] of [page, home].entries()) {
    await each.waitForFunction(isCalm);
    await watches[position].settled(each);
  }
  console.log(JSON.stringify({ problems: watches.flatMap((watch) => watch.all), said, times }));
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
