//! Ruby: what scripts require, found in the load path and in the gems of the image.
//!
//! Of the standard library files are taken one by one. Of a gem all is kept once a file of it is
//! required, with the gems that it depends on.

use std::collections::BTreeMap;

use crate::content::{self, Ruby};
use crate::error::Result;
use crate::facts::configuration::gem::{Gemspec, Lock, LockedGem, specification};
use crate::facts::evidence::Evidence;
use crate::facts::reach::steps::directories;
use crate::facts::reach::{Blind, Reach, Whole, application, command};
use crate::limits::BELOW_MAX;
use crate::tree::NodeId;

/// `rubylibdir`, `sitedir`, `vendordir` and what stands below them.
const BASES: [&[u8]; 10] = [
    b"usr/lib/ruby",
    b"usr/lib/*/ruby",
    b"usr/lib64/ruby",
    b"usr/share/ruby",
    b"usr/lib/ruby/vendor_ruby",
    b"usr/local/lib/ruby",
    b"usr/local/lib/site_ruby",
    b"usr/local/lib/*/site_ruby",
    b"opt/*/lib/ruby",
    b"opt/rubies/*/lib/ruby",
];
const STEPS: [&[u8]; 2] = [b"site_ruby", b"vendor_ruby"];
/// Files that mark the top of an application.
const MARKS: [&[u8]; 4] = [b"Gemfile", b"config.ru", b"gems.rb", b"Rakefile"];
/// What every Ruby loads at its start, or for a method of the core: `did_you_mean` when a name is
/// missing, `unicode_normalize` for a text.
const AT_START: [&str; 14] = [
    "rubygems",
    "monitor",
    "rbconfig",
    "did_you_mean",
    "error_highlight",
    "syntax_suggest",
    "syntax_suggest/core_ext",
    "bundled_gems",
    "unicode_normalize/normalize",
    "enc/encdb",
    "enc/trans/transdb",
    "set",
    "pp",
    "reline",
];
/// Directories of the standard library that are loaded from by computed names.
const DIRECTORIES_AT_START: [&str; 6] =
    ["rubygems", "did_you_mean", "error_highlight", "syntax_suggest", "unicode_normalize", "enc"];

/// Gems that are looked through for one feature: `rails` and `google` are the fronts of many.
const PROVIDERS_OF_FEATURE_MAX: usize = 1000;

/// The load path and the gems.
pub(super) struct Gems {
    directories: Vec<NodeId>,
    all: Vec<Gem>,
    by_name: BTreeMap<String, Vec<usize>>,
    /// Gems and directories of them in the load path, by the first name below, without its end.
    by_feature: BTreeMap<Vec<u8>, Vec<(usize, NodeId)>>,
}

struct Gem {
    /// `name-version`, with the platform for a native one.
    full_name: String,
    specification: NodeId,
    /// `gems/name-version`.
    directory: Option<NodeId>,
    /// `extensions/PLATFORM/VERSION/name-version`.
    extensions: Vec<NodeId>,
    dependencies: Vec<String>,
}

/// Claims what every Ruby loads.
pub(super) fn started(reach: &mut Reach<'_>, node: NodeId) -> Result<()> {
    reach.languages.entry(Blind::Ruby).or_insert(node);
    for feature in AT_START {
        require(reach, feature, node, None, Evidence::Named, "loaded by")?;
    }
    for directory in read(reach)?.directories.clone() {
        for below in DIRECTORIES_AT_START {
            if let Some(found) = reach.files.find_from(directory, below.as_bytes()) {
                reach.claim_below(found.node, Evidence::Named, "loaded by", Some(node));
            }
        }
    }
    // RubyGems reads the front of every specification to know what there is.
    let specifications: Vec<NodeId> =
        read(reach)?.all.iter().map(|gem| gem.specification).collect();
    for specification in specifications {
        reach.claim(specification, Evidence::Named, "specification read by", Some(node));
    }
    // What Bundler has locked for the application is loaded by it.
    let working = reach.environment.working_directory(reach.files);
    application(reach, working, node)
}

/// Claims Bundler's own parts.
pub(super) fn bundler(reach: &mut Reach<'_>, node: NodeId) -> Result<()> {
    require(reach, "bundler/setup", node, None, Evidence::Named, "loaded by")?;
    for directory in read(reach)?.directories.clone() {
        if let Some(found) = reach.files.find_from(directory, b"bundler") {
            reach.claim_below(found.node, Evidence::Named, "loaded by", Some(node));
        }
    }
    Ok(())
}

/// What `ruby ARGUMENTS` runs.
pub(super) fn command(reach: &mut Reach<'_>, arguments: &[Vec<u8>], program: NodeId) -> Result<()> {
    let working = reach.environment.working_directory(reach.files);
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match &word[..] {
            b"-e" => {
                reach.entered.insert(Blind::Ruby);
                let Some(text) = rest.next() else { break };
                uses(reach, program, Some(working), &content::ruby::scan(text))?;
            }
            b"-r" => {
                let Some(feature) = rest.next() else { break };
                let feature = String::from_utf8_lossy(feature).into_owned();
                let evidence = Evidence::Needed;
                require(reach, &feature, program, Some(working), evidence, "-r of")?;
            }
            b"-I" | b"-C" | b"-E" | b"-W" => _ = rest.next(),
            b"-S" => {
                reach.entered.insert(Blind::Ruby);
                let words: Vec<Vec<u8>> = rest.cloned().collect();
                let how = "command of";
                return command::line_of(reach, &words, Evidence::Needed, how, Some(program));
            }
            [b'-', b'r', feature @ ..] => {
                let feature = String::from_utf8_lossy(feature).into_owned();
                let evidence = Evidence::Needed;
                require(reach, &feature, program, Some(working), evidence, "-r of")?;
            }
            option if option.starts_with(b"-") => {}
            _ => {
                reach.entered.insert(Blind::Ruby);
                if let Some(found) = reach.environment.path(reach.files, word) {
                    reach.claim_found(&found, Evidence::Needed, "script of", Some(program));
                    // Without a first line or a known ending, nothing said that it is Ruby.
                    if reach.files.content(found.node)?.is_none() {
                        reach.blind.insert((Blind::Ruby, found.node));
                    }
                    let directory = reach.files.tree().parent(found.node);
                    if let Some(directory) = directory {
                        application(reach, directory, program)?;
                    }
                }
                for word in rest {
                    command::argument(reach, word, Some(program));
                }
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What `bundle ARGUMENTS` runs: behind `exec`, a command of the bundle.
pub(super) fn bundle(reach: &mut Reach<'_>, arguments: &[Vec<u8>], program: NodeId) -> Result<()> {
    let exec = arguments.iter().position(|word| word == b"exec");
    let Some(at) = exec else { return Ok(()) };
    reach.entered.insert(Blind::Ruby);
    let words = &arguments[at + 1..];
    if let Some(first) = words.first() {
        // The command may be a gem's without a stub in PATH.
        let name = String::from_utf8_lossy(first).into_owned();
        whole_gem(reach, &name, program)?;
    }
    command::line_of(reach, words, Evidence::Needed, "command of", Some(program))
}

/// Claims what a script requires.
pub(super) fn visit(reach: &mut Reach<'_>, node: NodeId, file: &Ruby) -> Result<()> {
    let directory = reach.files.tree().parent(node);
    uses(reach, node, directory, file)?;
    if file.dynamic {
        let own = reach.files.tree().name(node).strip_suffix(b".rb").map(<[u8]>::to_vec);
        let own = own.and_then(|stem| reach.files.find_from(directory?, &stem));
        if let Some(own) = own.filter(|own| reach.files.is_directory(own.node)) {
            for below in reach.files.tree().walk(own.node).take(BELOW_MAX).collect::<Vec<_>>() {
                if reach.files.is_file(below) {
                    reach.claim(below, Evidence::Named, "may be loaded by", Some(node));
                }
            }
        }
        // The standard library's are known, and gems are kept whole.
        let path = reach.files.path(node);
        let is_known = [&b"/lib/ruby/"[..], b"/gems/"]
            .iter()
            .any(|part| memchr::memmem::find(&path, part).is_some());
        if !is_known {
            reach.blind.insert((Blind::Ruby, node));
        }
    }
    Ok(())
}

fn uses(reach: &mut Reach<'_>, node: NodeId, directory: Option<NodeId>, file: &Ruby) -> Result<()> {
    for feature in &file.features {
        require(reach, feature, node, directory, Evidence::Needed, "required by")?;
    }
    for path in &file.relative {
        let Some(directory) = directory else { break };
        if let Some(found) = in_directory(reach, directory, path) {
            reach.claim(found, Evidence::Needed, "required by", Some(node));
            continue;
        }
        let found = reach.files.find_from(directory, path.as_bytes());
        let found = found.filter(|found| found.node != directory);
        if let Some(found) = found.filter(|found| command::is_small(reach, found.node)) {
            reach.claim_below(found.node, Evidence::Named, "below a path named in", Some(node));
        }
    }
    for gem in &file.gems {
        whole_gem(reach, gem, node)?;
    }
    Ok(())
}

/// Claims a feature: in the load path, beside the application, or in a gem.
fn require(
    reach: &mut Reach<'_>,
    feature: &str,
    from: NodeId,
    directory: Option<NodeId>,
    evidence: Evidence,
    how: &str,
) -> Result<()> {
    if feature.starts_with('/') {
        if let Some(found) = in_directory(reach, NodeId::ROOT, feature) {
            reach.claim(found, evidence, how, Some(from));
        }
        return Ok(());
    }
    let mut places = read(reach)?.directories.clone();
    for path in reach.environment.list("RUBYLIB") {
        places.extend(reach.files.find(&path).map(|found| found.node));
    }
    // An application adds its own directories: `-I lib`, `$LOAD_PATH.unshift`.
    for at in std::iter::successors(directory, |at| reach.files.tree().parent(*at)).take(16) {
        places.push(at);
        places.extend(reach.files.find_from(at, b"lib").map(|found| found.node));
    }
    let found: Vec<NodeId> =
        places.iter().filter_map(|place| in_directory(reach, *place, feature)).collect();
    for node in &found {
        reach.claim(*node, evidence, how, Some(from));
    }
    let first = feature.split('/').next().unwrap_or_default().as_bytes();
    let places = read(reach)?.by_feature.get(without_end(first)).cloned().unwrap_or_default();
    for (gem, place) in places {
        if let Some(node) = in_directory(reach, place, feature) {
            reach.claim(node, evidence, how, Some(from));
            claim_gem(reach, gem, from)?;
        }
    }
    Ok(())
}

fn without_end(name: &[u8]) -> &[u8] {
    name.strip_suffix(b".rb").or_else(|| name.strip_suffix(b".so")).unwrap_or(name)
}

/// The file of a feature below a directory.
fn in_directory(reach: &Reach<'_>, directory: NodeId, feature: &str) -> Option<NodeId> {
    ["", ".rb", ".so"].iter().find_map(|end| {
        let found = reach.files.find_from(directory, format!("{feature}{end}").as_bytes())?;
        reach.files.is_file(found.node).then_some(found.node)
    })
}

/// Claims an application at or above a directory, and the gems that it locks.
fn application(reach: &mut Reach<'_>, directory: NodeId, from: NodeId) -> Result<()> {
    let Some(top) = application::top(reach, directory, &MARKS) else { return Ok(()) };
    application::claim(reach, top, &[b"vendor", b"log", b"tmp"], from);
    let own = reach.environment.get("BUNDLE_GEMFILE").map(|path| [path, b".lock"].concat());
    let locks = ["Gemfile.lock", "gems.locked"]
        .iter()
        .filter_map(|name| reach.files.find_from(top, name.as_bytes()))
        .chain(own.and_then(|path| reach.environment.path(reach.files, &path)));
    for lock in locks.collect::<Vec<_>>() {
        reach.claim_found(&lock, Evidence::Named, "bundle of", Some(from));
        let Some(content) = reach.files.content(lock.node)? else { continue };
        for LockedGem { name, version, .. } in Lock::read(content.text()).gems {
            let gems = read(reach)?;
            let named = gems.by_name.get(&name).cloned().unwrap_or_default();
            let full = format!("{name}-{version}");
            let exact: Vec<usize> = named
                .iter()
                .copied()
                .filter(|at| gems.all[*at].full_name.starts_with(&full))
                .collect();
            for at in if exact.is_empty() { named } else { exact } {
                claim_gem(reach, at, lock.node)?;
            }
        }
    }
    Ok(())
}

fn whole_gem(reach: &mut Reach<'_>, name: &str, from: NodeId) -> Result<()> {
    for at in read(reach)?.by_name.get(name).cloned().unwrap_or_default() {
        claim_gem(reach, at, from)?;
    }
    Ok(())
}

/// Claims the files of a gem, and of those that it depends on.
fn claim_gem(reach: &mut Reach<'_>, first: usize, from: NodeId) -> Result<()> {
    let mut open = vec![(first, from)];
    while let Some((at, from)) = open.pop() {
        let gems = read(reach)?;
        let gem = &gems.all[at];
        let (specification, mut tops) = (gem.specification, gem.extensions.clone());
        tops.extend(gem.directory);
        let needed: Vec<usize> = gem
            .dependencies
            .iter()
            .filter_map(|name| gems.by_name.get(name))
            .flatten()
            .copied()
            .collect();
        if !reach.begins(Whole::Gem, specification, from) {
            continue;
        }
        reach.claim(specification, Evidence::Named, "specification of the gem of", Some(from));
        for top in tops {
            reach.keep_below(top, BELOW_MAX, Evidence::Named, "of the same gem as", from);
        }
        open.extend(needed.into_iter().map(|at| (at, specification)));
    }
    Ok(())
}

/// The load path and the gems, looked for once.
fn read<'r>(reach: &'r mut Reach<'_>) -> Result<&'r Gems> {
    if reach.gems.is_none() {
        let found = find(reach)?;
        reach.gems = Some(found);
    }
    Ok(reach.gems.get_or_insert_with(|| Gems {
        directories: Vec::new(),
        all: Vec::new(),
        by_name: BTreeMap::new(),
        by_feature: BTreeMap::new(),
    }))
}

fn find(reach: &Reach<'_>) -> Result<Gems> {
    let files = reach.files;
    let tree = files.tree();
    let mut gems = Vec::new();
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut by_feature: BTreeMap<Vec<u8>, Vec<(usize, NodeId)>> = BTreeMap::new();
    for &node in files.nodes() {
        // A directory of gems has their specifications beside them.
        if tree.name(node) != b"specifications" || !files.is_directory(node) {
            continue;
        }
        let Some(home) = tree.parent(node) else { continue };
        let extensions: Vec<NodeId> = files
            .matching(&[&tree.path(home)[..], b"/extensions/*/*"].concat())
            .into_iter()
            .map(|found| found.node)
            .collect();
        let default = tree.child(node, b"default");
        for directory in [Some(node), default].into_iter().flatten() {
            for child in files.sorted_children(directory) {
                let Some(stem) = tree.name(child).strip_suffix(b".gemspec") else { continue };
                let Some(content) = files.content(child)? else { continue };
                let Gemspec { name, dependencies, require_paths } = specification(content.text());
                let own = files.find_from(home, &[b"gems/", stem].concat()).map(|f| f.node);
                let extensions: Vec<NodeId> =
                    extensions.iter().filter_map(|at| tree.child(*at, stem)).collect();
                let mut paths = extensions.clone();
                for path in &require_paths {
                    let found = own.and_then(|own| files.find_from(own, path.as_bytes()));
                    paths.extend(found.map(|found| found.node));
                }
                by_name.entry(name).or_default().push(gems.len());
                for path in paths {
                    for child in files.sorted_children(path) {
                        let first = without_end(tree.name(child)).to_vec();
                        let known = by_feature.entry(first).or_default();
                        if known.len() < PROVIDERS_OF_FEATURE_MAX {
                            known.push((gems.len(), path));
                        }
                    }
                }
                gems.push(Gem {
                    full_name: String::from_utf8_lossy(stem).into_owned(),
                    specification: child,
                    directory: own,
                    extensions,
                    dependencies,
                });
            }
        }
    }
    Ok(Gems { directories: directories(files, &BASES, &STEPS), all: gems, by_name, by_feature })
}
