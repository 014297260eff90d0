// What tables show of layers, packages, paths and states.

function instructionOf(layer) {
  return layer && layer.createdBy
    ? layer.createdBy.replace(/\s+/g, " ").replace(/^\/bin\/sh -c #\(nop\) +/, "")
      .replace(/^(RUN )?\/bin\/sh -c /, "RUN ").replace(/ # buildkit$/, "")
    : "(no instruction in the history)";
}

function layerTitle(at) {
  return "#" + at + " " + instructionOf(DATA.layers[at]);
}

function packTitle(at) {
  return DATA.packages[at][0] + " (" + DATA.packages[at][1] + ")";
}

// A layer by its number; pressed, it is what is looked at.
function layerLink(at) {
  if (at === NONE || at === null || at === undefined) return el("span", { class: "faint" }, "all");
  if (!DATA.layers[at]) return el("span", null, "#" + at);
  return el("button", { type: "button", class: "link", title: layerTitle(at),
    onclick: () => setFilter({ layer: filter.layer === at ? NONE : at }) }, "#" + at);
}

function packLink(at) {
  if (at === NONE) return el("span", { class: "faint" }, "none");
  return el("button", { type: "button", class: "link pack", title: packTitle(at),
    onclick: () => setFilter({ pack: filter.pack === at ? NONE : at }) }, DATA.packages[at][0]);
}

function ruleLink(at) {
  if (at === NONE) return null;
  return el("button", { type: "button", class: "link mono",
    onclick: () => setFilter({ rule: filter.rule === at ? NONE : at }) }, DATA.rules[at]);
}

function stateChip(name, title) {
  return el("span", { class: "chip" }, el("span", { class: "dot " + name }), title || name);
}

// A directory that the map goes to.
function placeLink(text) {
  return el("button", { type: "button", class: "link place", title: "Show in the map",
    onclick: () => {
      go(nodeAt(text), false);
      map.crumbs.scrollIntoView({ block: "center" });
    } }, path(text));
}

function pathList(rows, all, word) {
  if (!rows.length) return null;
  const left = all - rows.length;
  return el("div", { class: "paths" }, el("ul", null, rows.map((row) => el("li", null,
    typeof row === "string" ? path(row) : [sized(row.bytes), " ", path(row.path)]))),
  left > 0 ? el("p", { class: "faint" }, "and " + counted(left, "more " + word)) : null);
}

function section(id, title, ...children) {
  const head = el("h2", { id: id + "-head" }, title);
  document.getElementById("nav").append(el("a", { href: "#" + id, onclick: (event) => {
    event.preventDefault();
    document.getElementById(id).scrollIntoView({ block: "start" });
  } }, title));
  return el("section", { id, "aria-labelledby": id + "-head" }, head, children);
}
