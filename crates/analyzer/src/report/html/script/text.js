// Sizes as text, and elements of text: nothing of an image is ever markup.

const DATA = JSON.parse(document.getElementById("data").textContent);

// How the map of each view is told.
const PICTURE = {
  analysis: {
    what: "the final filesystem by bytes", main: "live", side: "wasted", root: "/",
  },
  diff: {
    what: "what came and what went, by bytes", main: "more", side: "less", root: "/",
  },
  gate: {
    what: "what came and what went, by bytes", main: "more", side: "less", root: "/",
  },
}[DATA.view];

// One decimal of an IEC unit, rounded as the command rounds.
const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
function size(bytes) {
  if (bytes < 1024) return bytes + " B";
  let unit = 0;
  let scale = 1024;
  let tenths = Math.floor((bytes * 10 + scale / 2) / scale);
  while (tenths >= 10240 && unit + 1 < UNITS.length) {
    unit += 1;
    scale *= 1024;
    tenths = Math.floor((bytes * 10 + scale / 2) / scale);
  }
  return Math.floor(tenths / 10) + "." + (tenths % 10) + " " + UNITS[unit];
}

function signed(delta) {
  return (delta > 0 ? "+" : delta < 0 ? "-" : "") + size(Math.abs(delta));
}

function count(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

function counted(number, thing) {
  return count(number) + " " + thing + (number === 1 ? "" : "s");
}

function exact(bytes) {
  return (bytes < 0 ? "-" : "") + counted(Math.abs(bytes), "byte");
}

// Something is never shown as nothing, nor almost all as all.
function percent(part, whole) {
  if (!whole) return "0.0 %";
  let tenths = Math.round((part * 1000) / whole);
  if (tenths === 0 && part > 0) tenths = 1;
  if (tenths === 1000 && part < whole) tenths = 999;
  return Math.floor(tenths / 10) + "." + (tenths % 10) + " %";
}

// An element: attributes, handlers under `on…`, and children; texts become text nodes.
function el(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

const SVG = "http://www.w3.org/2000/svg";
function svg(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined) continue;
    element.append(child);
  }
  return element;
}

// Paths may break behind each of their slashes, and are copied without those breaks.
function path(text) {
  const parts = text.split("/");
  const nodes = [];
  parts.forEach((part, at) => {
    if (at > 0) nodes.push("/", el("wbr"));
    if (part) nodes.push(part);
  });
  return el("span", { class: "path" }, nodes);
}

function sized(bytes, text) {
  return el("span", { class: "num", title: exact(bytes) }, text || size(bytes));
}

function copyButton(text, what) {
  const label = "Copy";
  const button = el("button", { type: "button", class: "copy", "aria-label": "Copy " + what }, label);
  const told = (word) => {
    button.textContent = word;
    setTimeout(() => { button.textContent = label; }, 1600);
  };
  button.addEventListener("click", () => {
    const select = () => {
      const area = el("textarea", { class: "off", "aria-hidden": "true" });
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      button.focus();
      told(done ? "Copied" : "Not copied");
    };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => told("Copied"), select);
    else select();
  });
  return button;
}

function code(text, what) {
  const box = el("pre", { tabindex: "0", "aria-label": what }, el("code", null, text));
  return el("div", { class: "code" }, copyButton(text, what), box);
}
