// axe-core on a page, in light and in dark.
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export class Axe {
  judged = 0;
  #kinds = new Set();

  constructor(source) {
    this.source = source;
  }

  /** Judges a page, when it has an element with classes that no page before had: the others would say the same. Or always. */
  async both(page, watch, always = false) {
    const kinds = await page.evaluate(() => {
      const kind = (element) => element.localName + (element.getAttribute("class") ?? "").replace(/\bd\d+\b/, "");
      return [...new Set([...document.querySelectorAll("*")].map(kind))];
    });
    const isNew = kinds.some((kind) => !this.#kinds.has(kind));
    kinds.forEach((kind) => this.#kinds.add(kind));
    if (!isNew && !always) return;
    await page.evaluate(this.source);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await this.#judge(page, watch, colorScheme);
    }
    await page.emulateMedia({ colorScheme: "light" });
  }

  async #judge(page, watch, scheme) {
    const found = await page.evaluate(async (values) => {
      const { violations } = await window.axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"], preload: false });
      // What was cut to fit into a diagram ends in an ellipsis, and has its whole text as its name.
      const isCut = (id, { target }) =>
        id === "label-content-name-mismatch" && document.querySelector(target[0])?.textContent.includes("…");
      const counting = violations.map(({ id, nodes }) => ({ id, nodes: nodes.filter((node) => !isCut(id, node)) }));
      return counting.filter(({ nodes }) => nodes.length > 0).map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
    }, TAGS);
    this.judged += 1;
    found.forEach((what) => watch.problem(`axe, ${scheme}: ${what}`));
  }
}
