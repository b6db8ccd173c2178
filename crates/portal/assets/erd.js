// Pan and zoom of the diagrams. Without it a diagram scrolls, and nothing is missing from it.
"use strict";
(() => {
  const SMALLEST = 0.1;
  const LARGEST = 4;
  const STEP = 1.25;
  // What is smaller than this, nobody reads: then a part of the picture is shown instead of all.
  const READABLE = 0.7;
  const READABLE_IMAGE = 0.4;

  const button = (words, name, press) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.setAttribute("aria-label", name);
    made.addEventListener("click", press);
    return made;
  };

  const enhance = (frame) => {
    const svg = frame.querySelector("svg, img");
    if (!svg) return;
    // The size that is written at the picture is what shows some boxes without this script.
    const drawn = svg.viewBox?.baseVal;
    const width = drawn ? drawn.width : Number(svg.getAttribute("width"));
    const height = drawn ? drawn.height : Number(svg.getAttribute("height"));
    const shown = document.createElement("output");
    const say = (scale) => { shown.textContent = Math.round(scale * 100) + " %"; };
    const scale = () => svg.getBoundingClientRect().width / width;

    const resize = (next) => {
      svg.classList.remove("fit");
      svg.setAttribute("width", Math.round(width * next));
      svg.setAttribute("height", Math.round(height * next));
      say(next);
    };

    // Zooms so that the point of the picture below (x, y) of the window stays where it is.
    const zoom = (wanted, x, y) => {
      const next = Math.min(LARGEST, Math.max(SMALLEST, wanted));
      const before = svg.getBoundingClientRect();
      const at = [(x - before.left) / before.width, (y - before.top) / before.height];
      resize(next);
      const after = svg.getBoundingClientRect();
      frame.scrollLeft += after.left + at[0] * after.width - x;
      frame.scrollTop += after.top + at[1] * after.height - y;
    };
    const middle = (factor) => {
      const box = frame.getBoundingClientRect();
      zoom(scale() * factor, box.left + box.width / 2, box.top + box.height / 2);
    };
    // The left side, where the most boxes are wholly in the frame: the topmost such place.
    const fullest = () => {
      const boxes = [...svg.querySelectorAll(".box, .pill")].map((box) => {
        const [x, y, wide, high] = ["x", "y", "width", "height"].map((name) => Number(box.getAttribute(name)) * scale());
        return { left: x, right: x + wide, top: y, bottom: y + high };
      });
      const [right, high] = [frame.clientWidth - 32, frame.clientHeight - 32];
      const whole = boxes.filter((box) => box.right <= right);
      const left = (whole.length > 0 ? whole : boxes.filter((box) => box.left < right)).sort((a, b) => a.top - b.top);
      let best = { shown: 0, top: 0 };
      for (const { top } of [{ top: 0 }, ...left]) {
        const shown = left.filter((box) => box.top >= top && box.bottom <= top + high).length;
        if (shown > best.shown) best = { shown, top };
      }
      // Not even one box is wholly in the frame: the first one begins there.
      return best.shown > 0 ? best.top : left[0]?.top ?? 0;
    };
    const look = () => frame.scrollTo(0, fullest());
    const reset = () => {
      resize(1);
      look();
    };
    const fitting = () => {
      const room = [frame.clientWidth - 32, Math.round(window.innerHeight * 0.82) - 40];
      return [Math.min(1, room[0] / width), Math.min(1, room[0] / width, room[1] / height)];
    };
    const whole = () => {
      resize(Math.max(SMALLEST, fitting()[1]));
      frame.scrollTo(0, 0);
    };
    // The whole picture where that can be read; else what can be read, where there is most of it. What is in an image, and
    // where, is not known here.
    const open = () => {
      const [wide, all] = fitting();
      const least = drawn ? READABLE : READABLE_IMAGE;
      resize(all >= least ? all : Math.max(least, drawn ? wide : all));
      look();
    };

    frame.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(scale() * Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
    }, { passive: false });

    frame.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const moves = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] };
      if (event.key === "+" || event.key === "=") middle(STEP);
      else if (event.key === "-") middle(1 / STEP);
      else if (event.key === "0") reset();
      else if (moves[event.key]) frame.scrollBy(...moves[event.key]);
      else return;
      event.preventDefault();
    });

    // One finger scrolls, as everywhere; two pinch. The mouse drags.
    const fingers = new Map();
    let drag = null;
    let apart = 0;
    const spread = () => {
      const [a, b] = [...fingers.values()];
      return { distance: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    };
    frame.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch") {
        fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
        if (fingers.size === 2) apart = spread().distance;
      } else if (event.button === 0) {
        drag = { x: event.clientX, y: event.clientY, left: frame.scrollLeft, top: frame.scrollTop, moved: false };
      }
    });
    window.addEventListener("pointermove", (event) => {
      if (fingers.has(event.pointerId)) {
        fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
        if (fingers.size !== 2) return;
        const now = spread();
        if (apart > 0) zoom(scale() * now.distance / apart, now.x, now.y);
        apart = now.distance;
      } else if (drag) {
        const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
        if (!drag.moved && Math.hypot(x, y) < 4) return;
        drag.moved = true;
        frame.classList.add("dragged");
        frame.scrollTo(drag.left - x, drag.top - y);
      }
    });
    const end = (event) => {
      fingers.delete(event.pointerId);
      if (drag === null) return;
      frame.classList.remove("dragged");
      const moved = drag.moved;
      drag = null;
      // What was dragged is not clicked: the click that follows is caught once.
      if (moved) {
        const stop = (click) => { click.preventDefault(); click.stopPropagation(); };
        frame.addEventListener("click", stop, { capture: true, once: true });
        window.setTimeout(() => frame.removeEventListener("click", stop, { capture: true }), 50);
      }
    };
    window.addEventListener("pointerup", end);
    window.addEventListener("pointercancel", end);
    svg.addEventListener("dragstart", (event) => event.preventDefault());

    const bar = document.createElement("div");
    bar.className = "zoom";
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Zoom");
    const hint = document.createElement("span");
    hint.className = "quiet";
    hint.textContent = "Drag to move, Ctrl and wheel to zoom";
    bar.append(
      button("+", "Zoom in", () => middle(STEP)), button("−", "Zoom out", () => middle(1 / STEP)),
      button("Whole", "Show the whole diagram", whole), button("Reset", "Reset to the original size", reset), shown, hint,
    );
    const holder = document.createElement("div");
    holder.className = "zoomable";
    frame.replaceWith(holder);
    holder.append(bar, frame);
    open();
  };

  // A picture inside of a closed part is looked at when it is opened: before, it has no size.
  document.querySelectorAll(".diagram").forEach((frame) => {
    const closed = frame.closest("details:not([open])");
    if (closed) closed.addEventListener("toggle", () => enhance(frame), { once: true });
    else enhance(frame);
  });
})();
