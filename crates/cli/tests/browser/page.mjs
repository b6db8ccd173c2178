// Functions that run inside a page.

/** All anchors that can be led to, and all links. */
export function links() {
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  const all = [...document.querySelectorAll("a[href], area[href]")].map((link) => ({
    href: typeof link.href === "string" ? link.href : new URL(link.href.baseVal, document.baseURI).href,
  }));
  return { ids: [...ids, "", "top"], links: all };
}

/** Waits for pictures that are loaded when somebody scrolls to them. */
export async function loaded() {
  await Promise.all([...document.images].map((image) => {
    image.loading = "eager";
    // One that cannot be shown is found by `examine`.
    return image.decode().catch(() => undefined);
  }));
}

/** What must not be in any page, whatever stands in the intent. */
export function examine() {
  const problems = [];
  const banned = document.querySelectorAll("iframe, object, embed, form, base, foreignObject, style, template, script:not([src])");
  banned.forEach((element) => problems.push(`has <${element.localName}>`));
  for (const element of document.querySelectorAll("*")) {
    for (const { name } of element.attributes) {
      if (name.startsWith("on") || name === "style" || name === "srcdoc") problems.push(`<${element.localName}> has ${name}`);
    }
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
  if (ids.length > 0 && twice.length > 0) problems.push(`the same id twice: ${[...new Set(twice)].slice(0, 5)}`);
  for (const image of document.querySelectorAll("img")) {
    if (!image.complete || image.naturalWidth === 0) problems.push(`the picture ${image.getAttribute("src")} is not shown`);
  }
  if (document.querySelectorAll("h1").length !== 1) problems.push("not one h1");
  if (document.title.trim() === "") problems.push("no title");
  return problems;
}

/** Frames of diagrams that show nothing but empty canvas and lines before somebody scrolls. */
export function emptyFrames() {
  const frames = [...document.querySelectorAll(".diagram")].filter((frame) => frame.getClientRects().length > 0);
  const isSeen = (box, frame) => {
    const wide = Math.min(box.right, frame.right) - Math.max(box.left, frame.left);
    const high = Math.min(box.bottom, frame.bottom) - Math.max(box.top, frame.top);
    return wide > box.width / 2 && high > box.height / 2;
  };
  const isEmpty = (frame) => {
    const boxes = [...frame.querySelectorAll(".box, .pill")];
    const seen = frame.getBoundingClientRect();
    return boxes.length > 0 && !boxes.some((box) => isSeen(box.getBoundingClientRect(), seen));
  };
  return frames.filter(isEmpty).map((frame) => `no box is seen in the diagram ${frame.getAttribute("aria-label")}`);
}

/** Does to every element what a person could do to it, but for following links. */
export function poke() {
  document.addEventListener("click", (event) => event.preventDefault(), { capture: true });
  for (const element of document.querySelectorAll("body *")) {
    for (const name of ["mouseover", "mouseenter", "focus", "click", "error", "load", "toggle"]) {
      element.dispatchEvent(new Event(name, { bubbles: true, cancelable: true }));
    }
  }
}
