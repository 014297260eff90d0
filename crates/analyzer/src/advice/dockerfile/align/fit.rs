//! How well an instruction of a Dockerfile fits what a history says of a layer.

use std::collections::HashMap;

use super::super::path::below;
use super::super::variable::{self, Piece, Variables, fits};
use super::super::{Body, Copy, Dockerfile};
use super::Place;
use crate::image::Instruction as Made;

/// The same in all that is written.
const SAME: u32 = 100;
/// The same, with variables put in.
const EXPANDED: u32 = 90;
/// The same destination, of sources whose names the history does not have.
const DESTINATION: u32 = 70;
/// The same destination, of other sources.
const OTHER_SOURCES: u32 = 40;
/// Two commands are versions of one where they share this many hundredths of their words.
const ALIKE: usize = 60;
/// The most that versions of one command count.
const SIMILAR: u32 = 80;
/// Words of a command that are counted: bounds the work of one pair.
const WORDS_MAX: usize = 2_000;

/// What a history says of a layer.
pub(super) struct Layer {
    keyword: &'static str,
    words: Words,
}

impl Layer {
    pub(super) fn of(made: &Made) -> Option<Self> {
        let keyword = made.keyword()?;
        let text = made.text();
        let arguments = text.strip_prefix(keyword)?.trim();
        Some(Self { keyword, words: Words::of(arguments) })
    }

    /// The words without flags.
    fn paths(&self) -> Vec<&str> {
        self.words.text.split(' ').filter(|word| !word.starts_with("--")).collect()
    }
}

/// A command's words: quotes left out, white space made one.
struct Words {
    text: String,
    counts: HashMap<String, usize>,
    count: usize,
}

impl Words {
    fn of(text: &str) -> Self {
        let text = text.replace(['"', '\'', '\\'], "");
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut counts = HashMap::new();
        for word in words.iter().take(WORDS_MAX) {
            *counts.entry((*word).to_owned()).or_insert(0) += 1;
        }
        Self { count: words.len().min(WORDS_MAX), counts, text: words.join(" ") }
    }

    /// Words that both have, in hundredths of all.
    fn shared(&self, other: &Self) -> usize {
        let both = |(word, count): (&String, &usize)| {
            other.counts.get(word).map_or(0, |other| *count.min(other))
        };
        let shared: usize = self.counts.iter().map(both).sum();
        200 * shared / (self.count + other.count).max(1)
    }
}

/// An instruction that may have made a layer.
pub(super) struct Line {
    pub(super) place: Place,
    keyword: &'static str,
    is: Is,
}

enum Is {
    Run(Words),
    Copy { sources: Vec<Vec<Piece>>, written: Vec<String>, targets: Vec<Vec<Piece>> },
    Directory(Vec<Vec<Piece>>),
}

/// The instructions of a target and of the stages that it starts from that may make layers.
pub(super) fn lines(file: &Dockerfile, target: usize) -> Vec<Line> {
    let global = variable::global(file);
    let mut variables = Variables::default();
    let mut directory: Option<String> = None;
    let mut lines = Vec::new();
    for stage in file.chain(target) {
        for (at, instruction) in file.stages[stage].instructions.iter().enumerate() {
            variables.set(instruction, &global);
            let is = match (&instruction.body, instruction.keyword) {
                (Body::Run(run), _) => Is::Run(Words::of(&run.command.text())),
                (Body::Copy(copy), _) => copied(copy, &variables, directory.as_deref()),
                (Body::Other(path), "WORKDIR") => {
                    let path = path.trim_matches(['"', '\'']);
                    let targets = targets(path, &variables, directory.as_deref());
                    let known = variables.resolve(path);
                    directory = known.and_then(|path| below(directory.as_deref(), &path));
                    Is::Directory(targets)
                }
                _ => continue,
            };
            let place = Place { stage, instruction: at };
            lines.push(Line { place, keyword: instruction.keyword, is });
        }
    }
    lines
}

fn copied(copy: &Copy, variables: &Variables, directory: Option<&str>) -> Is {
    let sources = copy.sources.iter().map(|source| variables.pieces(source)).collect();
    let targets = targets(&copy.destination, variables, directory);
    Is::Copy { sources, written: copy.sources.clone(), targets }
}

/// What a history may have for a path: as it is written, with variables put in, or below the
/// working directory.
fn targets(path: &str, variables: &Variables, directory: Option<&str>) -> Vec<Vec<Piece>> {
    let written = vec![Piece::Text(plain(path).to_owned())];
    let mut pieces = variables.pieces(path);
    if let [.., Piece::Text(last)] = pieces.as_mut_slice() {
        *last = plain(last).to_owned();
    }
    let whole = variables.resolve(path).and_then(|path| below(directory, &path));
    let whole = whole.map(|path| vec![Piece::Text(path)]);
    // A path that may be any says nothing.
    let says = |pieces: &Vec<Piece>| {
        pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.len() > 1 || text == "." || text == "/"))
    };
    [written, pieces].into_iter().chain(whole).filter(says).collect()
}

/// A path without `/` at its end.
fn plain(path: &str) -> &str {
    let short = path.trim_end_matches('/');
    let short = short.strip_suffix("/.").unwrap_or(short);
    if short.is_empty() { "/" } else { short }
}

impl Line {
    /// How well it fits; 0 where it does not.
    pub(super) fn fit(&self, layer: &Layer) -> u32 {
        if self.keyword != layer.keyword {
            return 0;
        }
        match &self.is {
            Is::Run(words) => run(words, &layer.words),
            Is::Directory(targets) => directory(targets, plain(&layer.words.text)),
            Is::Copy { sources, written, targets } => copy(sources, written, targets, layer),
        }
    }
}

fn run(own: &Words, made: &Words) -> u32 {
    if own.text == made.text {
        return SAME;
    }
    let shared = own.shared(made);
    if shared < ALIKE {
        return 0;
    }
    u32::try_from(shared).unwrap_or(0) * SIMILAR / 100
}

fn directory(targets: &[Vec<Piece>], made: &str) -> u32 {
    let is_same = targets.first().is_some_and(|written| fits(written, made));
    match (is_same, targets.iter().any(|target| fits(target, made))) {
        (true, _) => SAME,
        (false, true) => EXPANDED,
        (false, false) => 0,
    }
}

fn copy(sources: &[Vec<Piece>], written: &[String], targets: &[Vec<Piece>], layer: &Layer) -> u32 {
    let mut paths = layer.paths();
    let made = plain(paths.pop().unwrap_or_default());
    let lands = directory(targets, made);
    // Docker's first builder has a hash of what was copied: `file:0123… in /app/`.
    if paths.last() == Some(&"in") {
        let is_hash = paths.len() == 2
            && match paths[0].split_once(':') {
                Some(("multi", _)) => true,
                Some(("file" | "dir", _)) => sources.len() == 1,
                _ => false,
            };
        return if is_hash && lands > 0 { DESTINATION.min(lands) } else { 0 };
    }
    let is_written = paths.len() == written.len()
        && written.iter().zip(&paths).all(|(own, made)| plain(own) == plain(made));
    let is_expanded = paths.len() == sources.len()
        && sources.iter().zip(&paths).all(|(own, made)| fits(own, made));
    match (is_written, is_expanded) {
        (true, _) if lands > 0 => lands,
        (_, true) if lands > 0 => EXPANDED.min(lands),
        _ if lands > 0 => OTHER_SOURCES,
        _ => 0,
    }
}
