//! The search through the data of an ELF file: names of other files, and what compilers noted.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::content::elf::build::{self, GoBuild};
use crate::content::elf::structure::Regions;
use crate::content::elf::{Elf, names};

/// Bytes before and behind a place that are looked at to tell what stands there.
pub(super) const AROUND: usize = 512;

/// What was found so far. Parts of the file are searched in their order, each as a whole or window
/// by window.
pub(super) struct Scan {
    regions: Regions,
    found: names::Found,
    symbols: names::Symbols,
    crates: BTreeSet<Box<str>>,
    go: Option<GoBuild>,
}

impl Scan {
    pub(super) fn new(regions: Regions) -> Self {
        Self {
            regions,
            found: names::Found::default(),
            symbols: names::Symbols::default(),
            crates: BTreeSet::new(),
            go: None,
        }
    }

    /// Looks at what starts in `within` of `bytes`, which stand at `position` in the file and reach
    /// further by [`AROUND`], or to the ends of the part. Only what is loaded says something.
    pub(super) fn look_at(&mut self, bytes: &[u8], position: u64, within: Range<usize>) {
        for table in &self.regions.strings {
            let table = inside(*table, position, bytes.len());
            let within = within.start.max(table.start)..within.end.min(table.end);
            if !within.is_empty() {
                let start = table.start;
                let within = within.start - start..within.end - start;
                self.symbols.look_at(&bytes[table], within);
            }
        }
        let loaded = inside((0, self.regions.loaded), position, bytes.len()).end;
        let within = within.start..within.end.min(loaded);
        if within.is_empty() {
            return;
        }
        self.found.look_at(bytes, within.clone());
        // The symbols come first, unless a tool that changed the file put them behind the rest.
        let may_call = self.regions.strings.last().is_some_and(|(_, end)| position < *end);
        if self.symbols.calls_shell || may_call {
            self.found.look_for_commands(bytes, within.clone());
        }
        build::crates(bytes, within, &mut self.crates);
    }

    /// Where what is searched ends: behind what is loaded.
    pub(super) const fn end(&self) -> u64 {
        self.regions.loaded
    }

    /// Where Go's notes start, if they are still looked for and stand here, behind `from`. Its linker
    /// writes them to what is loaded to be written to.
    pub(super) fn go_mark(&self, bytes: &[u8], position: u64, from: usize) -> Option<usize> {
        if self.go.is_some() {
            return None;
        }
        self.regions.written.iter().find_map(|region| {
            let region = inside(*region, position, bytes.len());
            let start = region.start.max(from);
            Some(start + build::go_mark(bytes.get(start..region.end)?)?)
        })
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
        elf.calls_dlopen = self.symbols.calls_dlopen;
        if self.symbols.calls_shell {
            elf.commands = self.found.commands.into_iter().collect();
        }
        elf.calls_iconv = self.symbols.calls_iconv;
        elf.versions = self.symbols.versions();
        elf.sonames = self.found.sonames.into_iter().collect();
        elf.paths = self.found.paths.into_iter().collect();
        elf.go = self.go;
        if elf.go.is_none() {
            elf.crates = self.crates.into_iter().collect();
        }
    }
}

/// What of a region of the file stands in `length` bytes at `position`.
fn inside((start, end): (u64, u64), position: u64, length: usize) -> Range<usize> {
    let at = |offset: u64| {
        usize::try_from(offset.saturating_sub(position)).unwrap_or(length).min(length)
    };
    at(start)..at(end)
}
