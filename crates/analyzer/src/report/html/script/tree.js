// The tree: nodes in columns, parents before their children, and what of them a filter lets through.

const NONE = -1;
const names = [];
const parents = [];
// What a node is: a directory, a file, or small files put together.
const DIRECTORY = 0;
const FILE = 1;
const MORE = 2;
const kinds = [];
const children = [];
// Rows of bytes that have everything in common: one of a file, several of small files.
const partAt = [];
const parts = { bytes: [], files: [], state: [], layer: [], pack: [], rule: [] };

function read(rows) {
  const open = [];
  const either = (value) => (value === undefined ? NONE : value);
  const part = (bytes, files, from, at) => {
    parts.bytes.push(bytes);
    parts.files.push(files);
    parts.state.push(from[at]);
    parts.layer.push(either(from[at + 1]));
    parts.pack.push(either(from[at + 2]));
    parts.rule.push(either(from[at + 3]));
  };
  for (const row of rows) {
    const node = names.length;
    while (open.length && open[open.length - 1].left === 0) open.pop();
    const above = open[open.length - 1];
    if (above) {
      above.left -= 1;
      children[above.node].push(node);
    }
    parents.push(above ? above.node : NONE);
    children.push([]);
    partAt.push(parts.bytes.length);
    if (typeof row[0] !== "string") {
      kinds.push(MORE);
      names.push("");
      for (const one of row) part(one[0], one[1], one, 2);
    } else if (row.length === 2) {
      kinds.push(DIRECTORY);
      names.push(row[0]);
      open.push({ node, left: row[1] });
    } else {
      kinds.push(FILE);
      names.push(row[0]);
      part(row[1], 1, row, 2);
    }
  }
  partAt.push(parts.bytes.length);
}
read(DATA.tree);

const paths = new Array(names.length);
for (let node = 0; node < names.length; node += 1) {
  if (node === 0) paths[node] = "/";
  else {
    const above = parents[node] === 0 ? "" : paths[parents[node]];
    paths[node] = kinds[node] === MORE ? paths[parents[node]] : above + "/" + names[node];
  }
}
const lowered = paths.map((text) => text.toLowerCase());

const STATES = DATA.states;
// Bytes that a filter lets through: of the picture, beside it, and of each state.
const main = new Float64Array(names.length);
const side = new Float64Array(names.length);
const shares = STATES.map(() => new Float64Array(names.length));
const counts = new Float64Array(names.length);
// Small files whose layer, package or rule is not told.
let untold = 0;

function weigh(filter) {
  untold = 0;
  for (const column of [main, side, counts, ...shares]) column.fill(0);
  const needle = filter.path.toLowerCase();
  for (let node = names.length - 1; node >= 0; node -= 1) {
    if (kinds[node] !== DIRECTORY && (!needle || lowered[node].includes(needle))) {
      for (let at = partAt[node]; at < partAt[node + 1]; at += 1) {
        if (!lets(filter, at)) continue;
        const bytes = parts.bytes[at];
        (STATES[parts.state[at]].side ? side : main)[node] += bytes;
        shares[parts.state[at]][node] += bytes;
        counts[node] += parts.files[at];
      }
    }
    const above = parents[node];
    if (above === NONE) continue;
    main[above] += main[node];
    side[above] += side[node];
    counts[above] += counts[node];
    for (const column of shares) column[above] += column[node];
  }
}

function lets(filter, at) {
  const fits = (wanted, has) => wanted === NONE || wanted === has;
  if (!fits(filter.state, parts.state[at])) return false;
  const told = fits(filter.layer, parts.layer[at]) && fits(filter.pack, parts.pack[at])
    && fits(filter.rule, parts.rule[at]);
  if (!told && parts.files[at] > 1 && parts.layer[at] === NONE) untold += parts.bytes[at];
  return told;
}

// The node whose path is `text`, or the nearest above it.
function nodeAt(text) {
  let best = 0;
  for (let node = 1; node < names.length; node += 1) {
    if (kinds[node] !== DIRECTORY) continue;
    if ((text === paths[node] || text.startsWith(paths[node] + "/"))
      && paths[node].length > paths[best].length) best = node;
  }
  return best;
}

function nameOf(node) {
  if (kinds[node] !== MORE) return node === 0 ? "/" : names[node];
  const alone = children[parents[node]].length === 1;
  return counted(counts[node], alone ? "small file" : "more file");
}
