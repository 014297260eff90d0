//! The search through the data of an ELF file: names of other files, and what compilers noted.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::content::elf::build::{self, GoBuild};
use crate::content::elf::{Elf, names};

/// Bytes before and behind a place that are looked at to tell what stands there.
pub(super) const AROUND: usize = 512;

/// What was found so far. Parts of the file are searched in their order, each as a whole or window
/// by window.
#[derive(Default)]
pub(super) struct Scan {
    found: names::Found,
    crates: BTreeSet<Box<str>>,
    go: Option<GoBuild>,
}

impl Scan {
    /// Looks at what starts in `within` of `bytes`, which reach further by [`AROUND`], or to the
    /// ends of the part. Only in what is loaded do names lead to files.
    pub(super) fn look_at(&mut self, bytes: &[u8], within: Range<usize>, is_loaded: bool) {
        if is_loaded {
            self.found.look_at(bytes, within.clone());
        }
        build::crates(bytes, within, &mut self.crates);
    }

    /// Where Go's notes start, if they are still looked for and stand here.
    pub(super) fn go_mark(&self, bytes: &[u8]) -> Option<usize> {
        if self.go.is_none() { build::go_mark(bytes) } else { None }
    }

    /// Reads Go's notes, from their mark to the end of the part.
    pub(super) fn read_go(&mut self, bytes: &[u8]) {
        self.go = build::go(bytes);
    }

    /// Adds what was found to what the headers said.
    pub(super) fn finish(mut self, elf: &mut Elf) {
        for name in elf.needed.iter().chain(&elf.soname) {
            self.found.sonames.remove(name);
        }
        elf.sonames = self.found.sonames.into_iter().collect();
        elf.paths = self.found.paths.into_iter().collect();
        elf.go = self.go;
        if elf.go.is_none() {
            elf.crates = self.crates.into_iter().collect();
        }
    }
}
