// Elements from values. Text only ever becomes a text node: nothing here, and nothing in the page, parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/** `h("button", {class: "x", onclick: f, "aria-pressed": "true"}, "Stop")`. False and null are left out. */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets a text where it is another one, so that nothing is announced or drawn for nothing. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const ICONS = {
  record: ["circle:12,12,7"],
  stop: ["rect:6,6,12,12,2"],
  pause: ["rect:7,5,3.5,14,1", "rect:13.5,5,3.5,14,1"],
  play: ["M8 5.5v13a.7.7 0 0 0 1.1.6l10-6.5a.7.7 0 0 0 0-1.2l-10-6.5A.7.7 0 0 0 8 5.5z"],
  mic: ["rect:9,3,6,11,3", "-M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"],
  micOff: ["rect:9,3,6,11,3", "-M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3M4 4l16 16"],
  edit: ["-M4.5 19.5l.9-4L16 4.9a1.8 1.8 0 0 1 2.6 0l.5.5a1.8 1.8 0 0 1 0 2.6L8.5 18.6z"],
  theme: ["-M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z", "M12 4a8 8 0 0 1 0 16z"],
  close: ["-M6 6l12 12M18 6L6 18"],
  note: ["-M6 4h12v11l-5 5H6zM13 20v-5h5"],
  back: ["-M14.5 6l-6 6 6 6"],
};

/** A picture beside a text or a label, so nothing for a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const shape of ICONS[name]) {
    const [kind, numbers] = shape.includes(":") ? shape.split(":") : ["path", shape];
    const element = document.createElementNS(SVG, kind);
    if (kind === "circle") {
      const [cx, cy, r] = numbers.split(",");
      for (const [key, value] of Object.entries({ cx, cy, r })) element.setAttribute(key, value);
    } else if (kind === "rect") {
      const [x, y, width, height, rx] = numbers.split(",");
      for (const [key, value] of Object.entries({ x, y, width, height, rx })) element.setAttribute(key, value);
    } else {
      element.setAttribute("d", numbers.replace(/^-/, ""));
      if (numbers.startsWith("-")) element.setAttribute("class", "stroke");
    }
    svg.append(element);
  }
  return svg;
}

/** What went wrong, in the server's words. */
export function problemBox(error) {
  return h("p", { class: "problem", role: "alert" }, error.message);
}
