// What goes wrong while pages are open: errors on the console, violations of the policy, requests elsewhere, dialogs.
export class Watch {
  all = [];
  place = "";

  constructor(page, addresses) {
    this.page = page;
    this.addresses = addresses;
  }

  async start() {
    const { page } = this;
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.problem(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.problem(`error: ${error.message}`));
    page.on("dialog", async (dialog) => {
      this.problem(`a dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on("popup", () => this.problem("a window opened"));
    page.on("request", (request) => {
      const url = request.url();
      const known = this.addresses.some((address) => url.startsWith(address)) || /^(data|about|blob):/.test(url);
      if (!known && !url.endsWith("/favicon.ico")) this.problem(`asks for ${url}`);
    });
    page.on("requestfailed", (request) => {
      // A page that is left ends what it listens to, and what it has not loaded yet.
      if (!request.url().endsWith("/.trueup/events") && request.failure()?.errorText !== "net::ERR_ABORTED") this.problem(`not loaded: ${request.url()}`);
    });
    await page.addInitScript(() => {
      window.violations = [];
      document.addEventListener("securitypolicyviolation", (event) => {
        window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
  }

  at(place) {
    this.place = place;
  }

  problem(what) {
    this.all.push(`${this.place}: ${what}`);
  }

  problems(list) {
    list.forEach((what) => this.problem(what));
  }

  /** What the page itself has seen until now. */
  async settled(page) {
    const { violations, pwned } = await page.evaluate(() => ({ violations: window.violations, pwned: window.pwned }));
    violations.forEach((what) => this.problem(`against the policy: ${what}`));
    if (pwned !== undefined) this.problem("a planted script ran");
  }
}
