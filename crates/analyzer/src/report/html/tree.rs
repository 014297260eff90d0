//! Files as a tree that a page can hold: large ones by themselves, small ones as one row of their
//! directory. Whatever is put together, the bytes of all rows are the bytes of all files.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jettison_oci::escape;
use serde::ser::{Serialize, SerializeSeq as _, Serializer};

use crate::report::html::embed;

/// What is known of a file beside its name: what pages filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Traits {
    /// Position in the page's list of states.
    pub(super) state: u8,
    /// Position of the layer that brought it.
    pub(super) layer: Option<u32>,
    /// Position in the page's list of packages.
    pub(super) package: Option<u32>,
    /// Position in the page's list of rules.
    pub(super) rule: Option<u32>,
}

impl Traits {
    /// Those of a file of which nothing but its state is known.
    pub(super) const fn of(state: u8) -> Self {
        Self { state, layer: None, package: None, rule: None }
    }

    /// The numbers of a row, none as -1.
    fn numbers(self) -> [i64; 4] {
        let number = |of: Option<u32>| of.map_or(-1, i64::from);
        [i64::from(self.state), number(self.layer), number(self.package), number(self.rule)]
    }
}

/// A file, to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    /// From the root, without a slash in front.
    pub(super) path: Vec<u8>,
    /// Its bytes.
    pub(super) bytes: u64,
    /// What is known of it.
    pub(super) traits: Traits,
}

/// How large a tree may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Files that stand by themselves.
    pub(super) files: usize,
    /// Bytes of its rows as JSON, about.
    pub(super) json: usize,
}

impl Limits {
    /// What a page draws at once and loads in no time.
    pub(super) const PAGE: Self = Self { files: 20_000, json: 1_500_000 };
}

/// Small files of one directory that have everything in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Their bytes.
    pub(super) bytes: u64,
    /// How many they are.
    pub(super) files: u64,
    /// What they have in common.
    pub(super) traits: Traits,
}

/// A row of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// A directory; its children follow, each with all that is below it. Directories with nothing
    /// but one directory in them are one row with it: `share/doc`.
    Directory { name: String, children: usize },
    /// A file.
    File { name: String, bytes: u64, traits: Traits },
    /// Files of the directory and of small directories below it.
    More { parts: Vec<Part> },
}

/// The tree, parents before their children. The first row is the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tree {
    /// Files and directories of fewer bytes are no rows of their own.
    pub(super) threshold: u64,
    /// The rows.
    pub(super) rows: Vec<Row>,
}

/// Parts of one row; what is past them is told by its state alone.
const PARTS_MAX: usize = 64;

struct Directory {
    parent: usize,
    /// Where its name stands: in the path of this file.
    file: usize,
    start: usize,
    end: usize,
    /// Of all that is below it.
    bytes: u64,
}

/// Places `files`, empty ones left out. The threshold is as low as `limits` allow.
pub(super) fn build(mut files: Vec<File>, limits: Limits) -> Tree {
    files.retain(|file| file.bytes > 0);
    files.sort_by(|a, b| {
        by_names(&a.path, &b.path).then_with(|| (a.traits, a.bytes).cmp(&(b.traits, b.bytes)))
    });
    let (directories, holders) = directories(&files);
    let mut threshold = threshold(&files, limits.files);
    loop {
        let rows = rows(&files, &directories, &holders, threshold);
        let json: usize = rows.iter().map(Row::json_len).sum();
        if json <= limits.json || threshold == u64::MAX {
            return Tree { threshold, rows };
        }
        threshold = threshold.saturating_mul(2);
    }
}

/// The order of a walk: a slash goes before every other byte.
fn by_names(a: &[u8], b: &[u8]) -> Ordering {
    let key = |byte: &u8| if *byte == b'/' { 0 } else { u16::from(*byte) + 1 };
    a.iter().map(key).cmp(b.iter().map(key))
}

/// The size from which no more than `most` files are.
fn threshold(files: &[File], most: usize) -> u64 {
    if files.len() <= most {
        return 1;
    }
    let mut sizes: Vec<u64> = files.iter().map(|file| file.bytes).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    // The first that is one too many must not be there, nor its equals.
    sizes[most].saturating_add(1)
}

/// All directories, parents first, and the directory of each file.
fn directories(files: &[File]) -> (Vec<Directory>, Vec<usize>) {
    let mut all = vec![Directory { parent: 0, file: 0, start: 0, end: 0, bytes: 0 }];
    let mut holders = Vec::with_capacity(files.len());
    // The directories that lead to the last file.
    let mut open: Vec<usize> = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let mut depth = 0;
        let mut start = 0;
        while let Some(len) = file.path[start..].iter().position(|byte| *byte == b'/') {
            let name = &file.path[start..start + len];
            let is_open = open.get(depth).is_some_and(|open| {
                let open: &Directory = &all[*open];
                &files[open.file].path[open.start..open.end] == name
            });
            if !is_open {
                open.truncate(depth);
                let parent = open.last().copied().unwrap_or(0);
                open.push(all.len());
                all.push(Directory { parent, file: at, start, end: start + len, bytes: 0 });
            }
            depth += 1;
            start += len + 1;
        }
        open.truncate(depth);
        let holder = open.last().copied().unwrap_or(0);
        all[holder].bytes = all[holder].bytes.saturating_add(file.bytes);
        holders.push(holder);
    }
    for at in (1..all.len()).rev() {
        let Directory { parent, bytes, .. } = all[at];
        all[parent].bytes = all[parent].bytes.saturating_add(bytes);
    }
    (all, holders)
}

/// What a directory of the tree holds.
#[derive(Default)]
struct Held {
    directories: Vec<usize>,
    files: Vec<usize>,
    more: BTreeMap<Traits, (u64, u64)>,
}

impl Held {
    fn len(&self) -> usize {
        self.directories.len() + self.files.len() + usize::from(!self.more.is_empty())
    }
}

fn rows(files: &[File], directories: &[Directory], holders: &[usize], threshold: u64) -> Vec<Row> {
    // For each directory the one whose rows tell of it.
    let mut told_by: Vec<usize> = Vec::with_capacity(directories.len());
    let mut held: Vec<Held> = directories.iter().map(|_| Held::default()).collect();
    for (at, directory) in directories.iter().enumerate() {
        if at == 0 || directory.bytes >= threshold {
            told_by.push(at);
            if at > 0 {
                held[directory.parent].directories.push(at);
            }
        } else {
            told_by.push(told_by[directory.parent]);
        }
    }
    for (at, (file, holder)) in files.iter().zip(holders).enumerate() {
        if file.bytes >= threshold {
            held[*holder].files.push(at);
        } else {
            let sum = held[told_by[*holder]].more.entry(file.traits).or_default();
            *sum = (sum.0.saturating_add(file.bytes), sum.1 + 1);
        }
    }
    let name = |at: usize| {
        let Directory { file, start, end, .. } = directories[at];
        escape::path(&files[file].path[start..end])
    };
    let mut rows = Vec::new();
    let mut open = vec![0];
    while let Some(first) = open.pop() {
        let mut at = first;
        let mut text = if at == 0 { String::new() } else { name(at) };
        while first > 0
            && let ([only], 1) = (held[at].directories.as_slice(), held[at].len())
        {
            at = *only;
            text.push('/');
            text.push_str(&name(at));
        }
        let here = &held[at];
        // Directories follow files, each with all that is below it.
        rows.push(Row::Directory { name: text, children: here.len() });
        rows.extend(here.files.iter().map(|at| {
            let file = &files[*at];
            let start = file.path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
            let name = escape::path(&file.path[start..]);
            Row::File { name, bytes: file.bytes, traits: file.traits }
        }));
        if !here.more.is_empty() {
            rows.push(Row::More { parts: parts(&here.more) });
        }
        open.extend(here.directories.iter().rev());
    }
    rows
}

fn parts(more: &BTreeMap<Traits, (u64, u64)>) -> Vec<Part> {
    let part = |(traits, (bytes, files)): (&Traits, &(u64, u64))| Part {
        bytes: *bytes,
        files: *files,
        traits: *traits,
    };
    let mut parts: Vec<Part> = more.iter().map(part).collect();
    parts.sort_by_key(|part| (std::cmp::Reverse(part.bytes), part.traits));
    if parts.len() > PARTS_MAX {
        let mut rest: BTreeMap<Traits, (u64, u64)> = BTreeMap::new();
        for part in parts.drain(PARTS_MAX..) {
            let sum = rest.entry(Traits::of(part.traits.state)).or_default();
            *sum = (sum.0.saturating_add(part.bytes), sum.1 + part.files);
        }
        parts.extend(rest.iter().map(part));
    }
    parts
}

impl Row {
    /// Bytes as JSON, about.
    fn json_len(&self) -> usize {
        match self {
            Self::Directory { name, .. } => embed::len(name) + 8,
            Self::File { name, .. } => embed::len(name) + 28,
            Self::More { parts } => 4 + parts.len() * 28,
        }
    }
}

/// `["name",children]`, `["name",bytes,state,layer,package,rule]` or
/// `[[bytes,files,state,layer,package,rule],…]`; what is -1 at the end is left out.
impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_seq(None)?;
        match self {
            Self::Directory { name, children } => {
                row.serialize_element(name)?;
                row.serialize_element(children)?;
            }
            Self::File { name, bytes, traits } => {
                row.serialize_element(name)?;
                row.serialize_element(bytes)?;
                for number in told(&traits.numbers()) {
                    row.serialize_element(number)?;
                }
            }
            Self::More { parts } => {
                for part in parts {
                    row.serialize_element(part)?;
                }
            }
        }
        row.end()
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_seq(None)?;
        row.serialize_element(&self.bytes)?;
        row.serialize_element(&self.files)?;
        for number in told(&self.traits.numbers()) {
            row.serialize_element(number)?;
        }
        row.end()
    }
}

/// A state of 0 is told all the same: a row of two is a directory.
fn told(numbers: &[i64; 4]) -> &[i64] {
    let len = numbers.iter().rposition(|number| *number != -1).map_or(1, |at| at + 1);
    &numbers[..len]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn file(path: &str, bytes: u64) -> File {
        File { path: path.as_bytes().to_vec(), bytes, traits: Traits::of(0) }
    }

    const WIDE: Limits = Limits { files: 1000, json: 1 << 20 };

    /// Bytes and files of all rows.
    fn sums(tree: &Tree) -> (u64, u64) {
        tree.rows.iter().fold((0, 0), |(bytes, files), row| match row {
            Row::Directory { .. } => (bytes, files),
            Row::File { bytes: own, .. } => (bytes + own, files + 1),
            Row::More { parts } => {
                parts.iter().fold((bytes, files), |(b, f), part| (b + part.bytes, f + part.files))
            }
        })
    }

    fn json(tree: &Tree) -> String {
        serde_json::to_string(&tree.rows).unwrap()
    }

    #[test]
    fn small_files_are_one_row_of_their_directory() {
        let mut files: Vec<File> =
            (0..10).map(|at| file(&format!("usr/share/doc/a/{at}"), 10)).collect();
        files.extend([file("usr/lib/libc.so", 5000), file("usr/share/doc/b/c/x", 3)]);
        files.extend([file("usr/share/doc/empty", 0), file("usr/lib-x/y", 700)]);
        let tree = build(files.clone(), Limits { files: 2, ..WIDE });
        assert_eq!(tree.threshold, 11);
        assert_eq!(
            json(&tree),
            "[[\"\",1],[\"usr\",3],[\"lib\",1],[\"libc.so\",5000,0],[\"lib-x\",1],[\"y\",700,0],\
             [\"share/doc\",2],[[3,1,0]],[\"a\",1],[[100,10,0]]]"
        );
        files.reverse();
        assert_eq!(build(files.clone(), Limits { files: 2, ..WIDE }), tree);
        assert_eq!(build(files, WIDE).threshold, 1);
        assert_eq!(json(&build(Vec::new(), WIDE)), "[[\"\",0]]");
    }

    #[test]
    fn rows_stay_below_their_limit_whatever_the_names_are() {
        // Equal sizes, each in a directory of its own, with long names.
        let name = "n".repeat(200);
        let files: Vec<File> =
            (0..2000).map(|at| file(&format!("{at}/{name}/{at}/<{name}"), 4096)).collect();
        for limit in [100, 10_000, 100_000, 10_000_000] {
            let tree = build(files.clone(), Limits { files: 10_000, json: limit });
            assert_eq!(sums(&tree), (2000 * 4096, 2000));
            let text = embed::json(&tree.rows);
            assert!(text.len() <= limit.max(200), "{} of {limit}", text.len());
        }
    }

    #[test]
    fn parts_past_the_limit_keep_their_state() {
        let files = (0..500).map(|at: u32| File {
            path: at.to_string().into_bytes(),
            bytes: 1,
            traits: Traits { layer: Some(at), ..Traits::of(u8::from(at % 2 == 1)) },
        });
        let tree = build(files.collect(), Limits { files: 0, ..WIDE });
        let [Row::Directory { children: 1, .. }, Row::More { parts }] = tree.rows.as_slice() else {
            panic!("{:?}", tree.rows)
        };
        assert_eq!(parts.len(), PARTS_MAX + 2);
        let odd: u64 = parts.iter().filter(|p| p.traits.state == 1).map(|p| p.bytes).sum();
        assert_eq!(odd, 250);
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_and_no_order_matters(
            mut rows in vec((vec("[a-c]", 1..5), 0_u64..100, 0_u8..3), 0..60),
            most in 0_usize..60,
            limit in 50_usize..3000,
        ) {
            let place = |rows: &[(Vec<String>, u64, u8)]| {
                let files = rows.iter().map(|(names, bytes, state)| File {
                    traits: Traits::of(*state), ..file(&names.join("/"), *bytes)
                });
                build(files.collect(), Limits { files: most, json: limit })
            };
            let tree = place(&rows);
            let bytes: u64 = rows.iter().map(|row| row.1).sum();
            let files = rows.iter().filter(|row| row.1 > 0).count() as u64;
            prop_assert_eq!(sums(&tree), (bytes, files));
            let own = tree.rows.iter().filter(|row| matches!(row, Row::File { .. })).count();
            prop_assert!(own <= most);
            for row in &tree.rows {
                if let Row::File { bytes, .. } = row {
                    prop_assert!(*bytes >= tree.threshold);
                }
            }
            // Every directory has the children that it says.
            let children: usize = tree.rows.iter().map(|row| match row {
                Row::Directory { children, .. } => *children,
                _ => 0,
            }).sum();
            prop_assert_eq!(children, tree.rows.len() - 1);
            rows.reverse();
            prop_assert_eq!(place(&rows), tree);
        }
    }
}
