// The map: one picture of what counts, one beside it, and how to walk about in them.

// Between the frame and the picture, both sides.
const PADDING = 16;
const map = { at: 0, tiles: [], active: null };

function mapSection() {
  map.crumbs = el("nav", { class: "crumbs", "aria-label": "Where the map is" });
  map.svg = svg("svg", {
    id: "map", class: "map", role: "tree", tabindex: "-1", "aria-describedby": "map-help",
    "aria-label": "Treemap of " + PICTURE.what,
  });
  map.frame = el("div", { class: "frame" }, map.svg);
  map.legend = el("div", { class: "legend", role: "group", "aria-label": "States" });
  map.svg.addEventListener("click", (event) => {
    const tile = tileOf(event.target);
    if (tile) press(tile, true);
  });
  map.svg.addEventListener("keydown", keys);
  map.svg.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return;
    const tile = tileOf(event.target);
    if (tile) tell(tile, event.clientX, event.clientY);
    else hush();
  });
  map.svg.addEventListener("pointerleave", hush);
  map.svg.addEventListener("focusin", (event) => {
    const tile = tileOf(event.target);
    if (!tile) return;
    activate(tile);
    if (event.target.matches(":focus-visible")) tellBeside(tile);
  });
  map.svg.addEventListener("focusout", hush);
  new ResizeObserver(() => {
    if (Math.floor(map.frame.clientWidth) !== map.width) draw();
  }).observe(map.frame);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    if (!tip.hidden) hush();
    if (!event.target.closest("input, select")) up();
  });
  const help = el("p", { id: "map-help", class: "hint" },
    "Click a directory to enter it, a place above to leave it. Keys: arrows move, Enter enters, ",
    "Escape or Backspace leaves.");
  return [map.crumbs, map.frame, map.legend, help];
}

function tileOf(target) {
  const group = target.closest ? target.closest("g.tile") : null;
  return group ? map.tiles[Number(group.dataset.at)] : null;
}

function draw() {
  map.width = Math.floor(map.frame.clientWidth);
  const width = map.width - PADDING;
  if (width <= 0) return;
  const narrow = width < 560;
  const height = narrow ? 460 : Math.max(380, Math.min(620, Math.round(window.innerHeight * 0.62)));
  const { at } = map;
  const all = main[at] + side[at];
  const boxes = split(width, height, narrow, all ? side[at] / all : 0, main[at] > 0, side[at] > 0);
  map.tiles = [];
  map.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  map.svg.setAttribute("width", width);
  map.svg.setAttribute("height", height);
  const drawn = [];
  for (const [box, weights, title] of [
    [boxes.main, main, PICTURE.main], [boxes.side, side, PICTURE.side],
  ]) {
    if (!box) continue;
    drawn.push(svg("text", { class: "column", x: box.x, y: box.y + 12 },
      cut(title + " " + size(weights[at]), box.w, 6.4)));
    const inner = { x: box.x, y: box.y + 20, w: box.w, h: box.h - 20 };
    for (const tile of arrange(at, weights, inner)) {
      tile.weights = weights;
      tile.at = map.tiles.length;
      map.tiles.push(tile);
      drawn.push(shape(tile));
    }
  }
  if (!all) {
    drawn.push(svg("text", { class: "column", x: width / 2, y: height / 2, "text-anchor": "middle" },
      isFiltered() ? "Nothing fits the filter here" : "Nothing here has bytes"));
  }
  map.svg.replaceChildren(...drawn);
  const active = map.tiles.find((tile) => tile.node === map.active) || map.tiles[0];
  if (active) activate(active);
  crumbs();
  legend();
}

// The boxes of the picture and of what is beside it, to one scale unless one would not be seen.
function split(width, height, narrow, share, hasMain, hasSide) {
  const whole = { x: 0, y: 0, w: width, h: height };
  if (!hasSide) return { main: hasMain ? whole : null, side: null };
  if (!hasMain) return { main: null, side: whole };
  const gap = 14;
  const room = (narrow ? height : width) - gap;
  const least = narrow ? 64 : 110;
  const wide = Math.min(Math.max(Math.round(room * share), least), room - least);
  if (narrow) {
    return {
      main: { ...whole, h: room - wide },
      side: { ...whole, y: room - wide + gap, h: wide },
    };
  }
  return { main: { ...whole, w: room - wide }, side: { ...whole, x: room - wide + gap, w: wide } };
}

function cut(text, width, wide) {
  let room = Math.floor(width / wide);
  let kept = "";
  for (const character of text) {
    room -= character.codePointAt(0) > 0x2e80 ? 2 : 1;
    if (room < 1) return kept + (kept ? "…" : "");
    kept += character;
  }
  return kept;
}

function shape(tile) {
  const { x, y, w, h, node, isOpen, hasHead, level, at } = tile;
  const group = svg("g", {
    class: "tile" + (isOpen ? " open" : ""), role: "treeitem", tabindex: "-1", "data-at": at,
    "aria-level": level, "aria-label": spoken(tile),
    "aria-expanded": kinds[node] === DIRECTORY ? (isOpen ? "true" : "false") : null,
  });
  const box = (attributes) => svg("rect", attributes);
  const gap = w > 5 && h > 5 ? 1 : 0.5;
  const inner = { x: x + gap / 2, y: y + gap / 2, w: Math.max(w - gap, 0.5), h: Math.max(h - gap, 0.5) };
  if (isOpen) {
    group.append(box({ class: "frame-" + Math.min(level, 3), x: inner.x, y: inner.y, width: inner.w,
      height: inner.h, rx: 2 }));
  } else {
    // States one above the other, as much of each as there is.
    const weight = tile.weights[node];
    let from = inner.y;
    STATES.forEach((state, index) => {
      const bytes = shares[index][node];
      if (state.side !== (tile.weights === side) || !bytes) return;
      const high = (bytes / weight) * inner.h;
      group.append(box({ class: "fill " + state.name, x: inner.x, y: from, width: inner.w,
        height: high }));
      from += high;
    });
    if (kinds[node] !== FILE) {
      group.append(box({ class: "small", x: inner.x, y: inner.y, width: inner.w, height: inner.h }));
    }
    group.append(box({ class: "edge", x: inner.x, y: inner.y, width: inner.w, height: inner.h }));
  }
  const name = nameOf(node);
  if (hasHead) {
    group.append(svg("text", { class: "head", x: x + 6, y: y + 13 }, cut(name, w - 10, 6.7)));
    const free = w - 20 - name.length * 6.7;
    const bytes = size(tile.weights[node]);
    if (free > bytes.length * 6.2) {
      group.append(svg("text", { class: "head bytes", x: x + w - 6, y: y + 13, "text-anchor": "end" },
        bytes));
    }
  } else if (!isOpen && w > 34 && h > 17) {
    group.append(svg("text", { class: "name", x: x + 5, y: y + 14 }, cut(name, w - 8, 6.7)));
    const bytes = size(tile.weights[node]);
    if (h > 32 && w - 8 > bytes.length * 6.3) {
      group.append(svg("text", { class: "name bytes", x: x + 5, y: y + 28 }, bytes));
    }
  }
  tile.group = group;
  return group;
}

function spoken(tile) {
  const what = kinds[tile.node] === DIRECTORY ? "directory " : "";
  return what + nameOf(tile.node) + ", " + size(tile.weights[tile.node]) + ", "
    + statesOf(tile).map((row) => row.title).join(" and ");
}

function statesOf(tile) {
  const rows = [];
  STATES.forEach((state, index) => {
    const bytes = shares[index][tile.node];
    if (bytes && state.side === (tile.weights === side)) rows.push({ ...state, bytes });
  });
  return rows;
}

function activate(tile) {
  for (const group of map.svg.querySelectorAll('g.tile[tabindex="0"]')) {
    group.setAttribute("tabindex", "-1");
  }
  tile.group.setAttribute("tabindex", "0");
  map.active = tile.node;
}

// A directory is entered; a file leads one directory nearer to it, and is told of where it stands.
function press(tile, byPointer) {
  let { node } = tile;
  if (kinds[node] !== DIRECTORY || !children[node].length) {
    node = parents[node];
    while (node > 0 && node !== map.at && parents[node] !== map.at) node = parents[node];
    if (node === map.at || node <= 0) {
      if (byPointer) tellBeside(tile);
      return;
    }
  }
  go(node, !byPointer || map.svg.contains(document.activeElement));
}

function go(node, focus, active) {
  hush();
  map.at = node;
  map.active = active === undefined ? null : active;
  draw();
  const hash = node ? "#" + encodeURI(paths[node]) : "#";
  history.replaceState(null, "", hash);
  if (focus) {
    const tile = map.tiles.find((one) => one.node === map.active) || map.tiles[0];
    (tile ? tile.group : map.svg).focus({ preventScroll: true });
  }
}

function up() {
  if (map.at === 0) return false;
  go(parents[map.at], map.svg.contains(document.activeElement), map.at);
  return true;
}

function keys(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const tile = tileOf(event.target);
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  let next = null;
  if (event.key === "Backspace") up();
  else if (event.key === "Escape") {
    if (!up()) hush();
  } else if (!tile) return;
  else if (event.key === "Enter" || event.key === " ") press(tile, false);
  else if (event.key === "Home") next = map.tiles[0];
  else if (event.key === "End") next = map.tiles[map.tiles.length - 1];
  else if (moves[event.key]) next = nearest(tile, moves[event.key]);
  else return;
  event.preventDefault();
  if (next) {
    activate(next);
    next.group.focus({ preventScroll: true });
    tellBeside(next);
  }
}

// The nearest rectangle in a direction; into an open directory and out of it as well.
function nearest(tile, [dx, dy]) {
  const corner = (one) => (one.isOpen
    ? [one.x + Math.min(one.w, 60) / 2, one.y + HEAD / 2] : [one.x + one.w / 2, one.y + one.h / 2]);
  const [x, y] = corner(tile);
  let best = null;
  let least = Infinity;
  for (const other of map.tiles) {
    if (other === tile) continue;
    const [ox, oy] = corner(other);
    const along = (ox - x) * dx + (oy - y) * dy;
    if (along <= 0.5) continue;
    const across = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
    const cost = along + 2 * across;
    if (cost < least) {
      least = cost;
      best = other;
    }
  }
  return best;
}

function crumbs() {
  const chain = [];
  for (let node = map.at; node !== NONE; node = parents[node]) chain.unshift(node);
  const list = el("ol", null, chain.map((node) => {
    const name = node === 0 ? PICTURE.root : names[node];
    return el("li", null, node === map.at
      ? el("span", { "aria-current": "location" }, name)
      : el("button", { type: "button", onclick: () => go(node, false) }, name));
  }));
  const { at } = map;
  const texts = [[main, PICTURE.main], [side, PICTURE.side]]
    .filter(([weights]) => weights[at] > 0)
    .map(([weights, word]) => sized(weights[at], size(weights[at]) + " " + word));
  map.crumbs.replaceChildren(list, el("span", { class: "sum" },
    texts.flatMap((text, index) => (index ? [" · ", text] : [text]))));
}

// What the colours mean, with the bytes of each; one can be looked at alone.
function legend() {
  map.legend.replaceChildren(...STATES.map((state, index) => {
    const bytes = shares[index][map.at];
    if (!bytes && filter.state !== index) return null;
    return el("button", {
      type: "button", "aria-pressed": filter.state === index ? "true" : "false",
      title: exact(bytes), onclick: () => setFilter({ state: filter.state === index ? NONE : index }),
    }, el("span", { class: "dot " + state.name }), state.title + " ",
    el("span", { class: "num" }, size(bytes)));
  }).filter(Boolean));
}

const tip = document.getElementById("tip");

function tell(tile, x, y) {
  if (tip.told !== tile) {
    const { node, weights } = tile;
    const { at } = map;
    const rows = [el("strong", null, kinds[node] === MORE
      ? nameOf(node) + " in " + paths[node] : paths[node])];
    rows.push(el("div", null, size(weights[node]) + " (" + exact(weights[node]) + "), "
      + percent(weights[node], weights[at]) + " of " + (at ? paths[at] : PICTURE.root)));
    for (const state of statesOf(tile)) {
      rows.push(el("div", null, el("span", { class: "dot " + state.name }), state.title
        + (statesOf(tile).length > 1 ? " " + size(state.bytes) : "")));
    }
    if (kinds[node] === FILE) rows.push(...traitsOf(partAt[node]).map((text) => el("div", null, text)));
    else if (kinds[node] === DIRECTORY) rows.push(el("div", null, counted(counts[node], "file")));
    tip.replaceChildren(...rows);
    tip.told = tile;
    tip.hidden = false;
    tip.style.left = "0";
  }
  const { innerWidth, innerHeight } = window;
  const { offsetWidth, offsetHeight } = tip;
  tip.style.left = Math.max(8, Math.min(x + 14, innerWidth - offsetWidth - 8)) + "px";
  const under = y + 16 + offsetHeight < innerHeight ? y + 16 : y - offsetHeight - 12;
  tip.style.top = Math.max(8, under) + "px";
}

function tellBeside(tile) {
  const box = tile.group.getBoundingClientRect();
  tell(tile, box.left + Math.min(box.width, 120) / 2, box.top + Math.min(box.height, 60) / 2);
}

function hush() {
  tip.hidden = true;
  tip.told = null;
}

function traitsOf(part) {
  const rows = [];
  if (parts.layer[part] !== NONE && DATA.layers[parts.layer[part]]) {
    rows.push(layerTitle(parts.layer[part]));
  }
  if (parts.pack[part] !== NONE) rows.push("package " + packTitle(parts.pack[part]));
  if (parts.rule[part] !== NONE) rows.push("found by " + DATA.rules[parts.rule[part]]);
  return rows;
}
