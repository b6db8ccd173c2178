// Pictures for the guide.
import { join } from "node:path";

/** One picture each: {"file", "href", "scheme", "width", "height", "words", "anchor"}. */
export async function screenshots(page, shots, folder) {
  for (const { file, href, scheme, width, height, words } of shots) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height });
    await page.goto(href);
    if (words) {
      await page.keyboard.press("/");
      await page.keyboard.type(words);
      await page.waitForSelector("#hits li");
    }
    await page.screenshot({ path: join(folder, file) });
  }
}
