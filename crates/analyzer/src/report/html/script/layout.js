// Where the rectangles of a map lie: squarified, as Bruls, Huizing and van Wijk have it.

// Calls `place(item, x, y, w, h)` for each of `items`, which have a `weight` and stand largest first.
function squarify(items, x, y, w, h, place) {
  let total = 0;
  for (const item of items) total += item.weight;
  if (!(total > 0) || w <= 0 || h <= 0) return;
  const scale = (w * h) / total;
  let first = 0;
  while (first < items.length && w > 0 && h > 0) {
    const short = Math.min(w, h);
    let last = first;
    let sum = 0;
    let worst = Infinity;
    while (last < items.length) {
      const area = items[last].weight * scale;
      const with_ = sum + area;
      const largest = items[first].weight * scale;
      const ratio = Math.max((short * short * largest) / (with_ * with_),
        (with_ * with_) / (short * short * area));
      if (ratio > worst) break;
      worst = ratio;
      sum = with_;
      last += 1;
    }
    const thick = last === items.length ? (w >= h ? w : h) : sum / short;
    let along = 0;
    for (let at = first; at < last; at += 1) {
      const length = (items[at].weight * scale) / sum * short;
      if (w >= h) place(items[at], x, y + along, thick, length);
      else place(items[at], x + along, y, length, thick);
      along += length;
    }
    if (w >= h) {
      x += thick;
      w -= thick;
    } else {
      y += thick;
      h -= thick;
    }
    first = last;
  }
}

// The rectangles of `node` and of what is in it, as far as they can be seen. `weights` are the
// bytes that count. Each has a node, a box, and whether it shows its name above what it holds.
const HEAD = 17;
function arrange(node, weights, box) {
  const tiles = [];
  const open = [{ node, ...box, level: 0 }];
  while (open.length) {
    const here = open.shift();
    const { w, h } = here;
    const isDirectory = kinds[here.node] === DIRECTORY;
    const isOpen = isDirectory && (here.level === 0 || (w > 16 && h > 16 && w * h > 600));
    const hasHead = isOpen && here.level > 0 && w > 44 && h > 34;
    if (here.level > 0) tiles.push({ ...here, isOpen, hasHead });
    if (!isOpen) continue;
    const edge = here.level === 0 ? 0 : 2;
    const top = hasHead ? HEAD : edge;
    const items = [];
    for (const child of children[here.node]) {
      if (weights[child] > 0) items.push({ child, weight: weights[child] });
    }
    items.sort((a, b) => b.weight - a.weight || a.child - b.child);
    squarify(items, here.x + edge, here.y + top, w - 2 * edge, h - top - edge,
      (item, x, y, wide, high) => {
        // What is smaller than this is seen in its directory only.
        if (wide * high < 20 || wide < 2 || high < 2) return;
        open.push({ node: item.child, x, y, w: wide, h: high, level: here.level + 1 });
      });
  }
  return tiles;
}
