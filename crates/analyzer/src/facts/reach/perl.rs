//! Perl: what scripts use, found in the directories of `@INC` that the image has.
//!
//! Which of them come first is built into the interpreter. A module is taken from every one that
//! has it: distributions keep few twice.

use crate::content::{self, Perl};
use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::reach::steps::directories;
use crate::facts::reach::{Blind, Reach, Whole, application, command};
use crate::limits::BELOW_MAX;
use crate::tree::NodeId;

/// `@INC` of Debian, Red Hat, Alpine and of a Perl that was built in place.
const BASES: [&[u8]; 18] = [
    b"etc/perl",
    b"usr/local/lib/*/perl",
    b"usr/local/share/perl",
    b"usr/lib/*/perl5",
    b"usr/share/perl5",
    b"usr/lib/*/perl-base",
    b"usr/lib/*/perl",
    b"usr/share/perl",
    b"usr/local/lib/site_perl",
    b"usr/local/lib/perl5",
    b"usr/local/share/perl5",
    b"usr/local/lib64/perl5",
    b"usr/lib/perl5",
    b"usr/lib64/perl5",
    b"usr/lib/perl",
    b"opt/*/lib/perl5",
    b"root/perl5/lib/perl5",
    b"home/*/perl5/lib/perl5",
];
const STEPS: [&[u8]; 3] = [b"site_perl", b"vendor_perl", b"core_perl"];

/// Modules that the interpreter itself loads when a script does something that needs them:
/// `open` with a layer or to a scalar, `glob`, `%!`, `%+`, `\N{NAME}`, methods of a file handle.
const AT_START: [&str; 32] = [
    "strict",
    "warnings",
    "warnings::register",
    "utf8",
    "bytes",
    "feature",
    "overload",
    "overloading",
    "mro",
    "re",
    "attributes",
    "constant",
    "vars",
    "lib",
    "Carp",
    "Carp::Heavy",
    "Exporter",
    "Exporter::Heavy",
    "XSLoader",
    "DynaLoader",
    "Config",
    "Errno",
    "Tie::Hash::NamedCapture",
    "File::Glob",
    "IO::File",
    "IO::Handle",
    "PerlIO",
    "PerlIO::scalar",
    "PerlIO::encoding",
    "Encode",
    "_charnames",
    "charnames",
];
/// Files that are no modules of a name.
const FILES_AT_START: [&[u8]; 4] =
    [b"Config_heavy.pl", b"Config_git.pl", b"utf8_heavy.pl", b"sitecustomize.pl"];

/// Claims what every Perl may load.
pub(super) fn started(reach: &mut Reach<'_>, node: NodeId) {
    reach.languages.entry(Blind::Perl).or_insert(node);
    application::of_working_directory(reach, node);
    for module in AT_START {
        import(reach, module, node, None, Evidence::Named, "loaded by");
    }
    for directory in include(reach) {
        for name in FILES_AT_START {
            if let Some(found) = reach.files.find_from(directory, name) {
                reach.claim_found(&found, Evidence::Named, "loaded by", Some(node));
            }
        }
        if let Some(found) = reach.files.find_from(directory, b"unicore") {
            reach.claim_below(found.node, Evidence::PackageMate, "characters of", Some(node));
        }
    }
}

/// What `perl ARGUMENTS` runs.
pub(super) fn command(reach: &mut Reach<'_>, arguments: &[Vec<u8>], program: NodeId) -> Result<()> {
    let working = reach.environment.working_directory(reach.files);
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let Some(switches) = word.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            reach.entered.insert(Blind::Perl);
            if let Some(found) = reach.environment.path(reach.files, word) {
                reach.claim_found(&found, Evidence::Needed, "script of", Some(program));
                application::of_script(reach, found.node);
                // Without a first line or a known ending, nothing said that it is Perl.
                if reach.files.content(found.node)?.is_none() {
                    reach.blind.insert((Blind::Perl, found.node));
                }
            }
            for word in rest {
                command::argument(reach, word, Some(program));
            }
            return Ok(());
        };
        match switches {
            [b'M' | b'm', module @ ..] => {
                let name = module.split(|b| *b == b'=').next().unwrap_or_default();
                let name = String::from_utf8_lossy(name).trim_start_matches('-').to_owned();
                let name = name.split_ascii_whitespace().next().unwrap_or_default();
                import(reach, name, program, Some(working), Evidence::Needed, "-M of");
            }
            [b'I'] => _ = rest.next(),
            [.., b'e' | b'E'] if !switches.starts_with(b"-") && !switches.starts_with(b"I") => {
                reach.entered.insert(Blind::Perl);
                let Some(text) = rest.next() else { break };
                let module = content::perl::scan(text);
                uses(reach, program, Some(working), &module);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Claims what a script or module uses.
pub(super) fn visit(reach: &mut Reach<'_>, node: NodeId, module: &Perl) {
    let directory = reach.files.tree().parent(node);
    uses(reach, node, directory, module);
    // Perl's own modules name paths of every system.
    if !is_standard(reach, node) {
        for path in &module.paths {
            command::path_in(reach, path.as_bytes(), node);
        }
    }
    if module.dynamic {
        // What a library makes the names of is its own, or named by who uses it.
        if !is_standard(reach, node) && !is_library(reach, node) {
            reach.blind.insert((Blind::Perl, node));
        }
        // What it makes the names of is mostly below its own: `File::Spec` loads
        // `File::Spec::Unix`.
        let tree = reach.files.tree();
        let stem = tree.name(node).strip_suffix(b".pm").map(<[u8]>::to_vec);
        let own = stem.and_then(|stem| reach.files.find_from(directory?, &stem));
        // Perl itself loads Encode for names of today; whoever uses it may name any.
        let takes_all =
            tree.name(node) != b"Encode.pm" || reach.claims.evidence(node) >= Evidence::Needed;
        if let Some(own) = own.filter(|own| takes_all && reach.files.is_directory(own.node)) {
            below(reach, own.node, node, "may be loaded by");
        }
    }
    // Drivers are named in the data source.
    if reach.files.tree().name(node) == b"DBI.pm" {
        for root in include(reach) {
            if let Some(found) = reach.files.find_from(root, b"DBD") {
                below(reach, found.node, node, "driver of");
            }
        }
    }
}

fn uses(reach: &mut Reach<'_>, node: NodeId, directory: Option<NodeId>, module: &Perl) {
    for name in &module.modules {
        import(reach, name, node, directory, Evidence::Needed, "used by");
    }
    for name in &module.names {
        import(reach, name, node, directory, Evidence::Named, "named in");
        // `'Mojolicious::Plugin'` names those below, too.
        let path = name.replace("::", "/");
        if is_standard(reach, node) || !path.contains('/') {
            continue;
        }
        for place in include(reach) {
            let found = reach.files.find_from(place, path.as_bytes());
            let found = found.filter(|found| reach.files.is_directory(found.node));
            if let Some(found) = found.filter(|found| !is_standard(reach, found.node)) {
                below(reach, found.node, node, "in a namespace named in");
            }
        }
    }
    let mut places = include(reach);
    places.extend(ancestors(reach, directory));
    for file in &module.files {
        for place in &places {
            let found = reach.files.find_from(*place, file.as_bytes());
            if let Some(found) = found.filter(|found| reach.files.is_file(found.node)) {
                reach.claim_found(&found, Evidence::Needed, "required by", Some(node));
            }
        }
    }
    // Directories that it adds are its own: all of their modules are taken.
    for library in &module.libraries {
        let found = if library.starts_with('/') {
            reach.files.find(library.as_bytes())
        } else {
            directory.and_then(|at| reach.files.find_from(at, library.as_bytes()))
        };
        let Some(found) = found.filter(|found| command::is_small(reach, found.node)) else {
            continue;
        };
        if !include(reach).contains(&found.node) {
            below(reach, found.node, node, "below `use lib` of");
        }
    }
}

/// Claims a module wherever it is found, with its shared object and its parts that are loaded
/// when they are called.
fn import(
    reach: &mut Reach<'_>,
    module: &str,
    from: NodeId,
    directory: Option<NodeId>,
    evidence: Evidence,
    how: &str,
) {
    let path = module.replace("::", "/");
    if path.is_empty() || path.contains(':') {
        return;
    }
    let file = format!("{path}.pm");
    let places = include(reach);
    let mut found: Vec<_> =
        places.iter().filter_map(|at| reach.files.find_from(*at, file.as_bytes())).collect();
    if found.is_empty() {
        let beside = ancestors(reach, directory);
        found.extend(beside.iter().find_map(|at| reach.files.find_from(*at, file.as_bytes())));
    }
    let claimed = found.iter().find(|found| reach.files.is_file(found.node)).map(|f| f.node);
    for found in &found {
        if reach.files.is_file(found.node) {
            reach.claim_found(found, evidence, how, Some(from));
        }
    }
    let Some(module) = claimed else { return };
    let auto = format!("auto/{path}");
    for place in places {
        let Some(directory) = reach.files.find_from(place, auto.as_bytes()) else { continue };
        for child in reach.files.sorted_children(directory.node) {
            if reach.files.is_file(child) {
                reach.claim(child, evidence, "loaded with", Some(module));
            }
        }
    }
}

/// Claims every Perl file below a directory.
fn below(reach: &mut Reach<'_>, top: NodeId, from: NodeId, how: &str) {
    if !reach.begins(Whole::PerlModules, top, from) {
        return;
    }
    for node in reach.files.tree().walk(top).take(BELOW_MAX).collect::<Vec<_>>() {
        let name = reach.files.tree().name(node);
        if reach.files.is_file(node) && !name.ends_with(b".pod") {
            reach.claim(node, Evidence::Named, how, Some(from));
        }
    }
    // Their shared objects stand below `auto`, by the names of the modules.
    let roots = include(reach);
    let tree = reach.files.tree();
    let path = tree.path(top);
    let root = roots.iter().map(|root| tree.path(*root)).filter(|root| path.starts_with(root));
    let Some(own) = root.max_by_key(Vec::len) else { return };
    let rest = [b"auto", &path[own.len()..]].concat();
    for root in roots {
        if let Some(found) = reach.files.find_from(root, &rest) {
            reach.claim_below(found.node, Evidence::Named, how, Some(from));
        }
    }
}

/// `@INC`, looked for once, and `PERL5LIB`.
fn include(reach: &mut Reach<'_>) -> Vec<NodeId> {
    if let Some(known) = &reach.perl {
        return known.clone();
    }
    let mut found = directories(reach.files, &BASES, &STEPS);
    for variable in ["PERL5LIB", "PERLLIB"] {
        for path in reach.environment.list(variable) {
            found.extend(directories(reach.files, &[&path], &STEPS));
        }
    }
    reach.perl = Some(found.clone());
    found
}

/// Where a script looks from its own place: `use lib "$FindBin::Bin/../lib"`.
fn ancestors(reach: &Reach<'_>, directory: Option<NodeId>) -> Vec<NodeId> {
    let tree = reach.files.tree();
    let mut found = Vec::new();
    for at in std::iter::successors(directory, |at| tree.parent(*at)) {
        found.push(at);
        for below in [&b"lib"[..], b"lib/perl5", b"local/lib/perl5"] {
            found.extend(reach.files.find_from(at, below).map(|found| found.node));
        }
    }
    found
}

/// Whether a module stands where packages put theirs.
fn is_library(reach: &Reach<'_>, node: NodeId) -> bool {
    let path = reach.files.path(node);
    [&b"/perl5/"[..], b"/site_perl/", b"/vendor_perl/"]
        .iter()
        .any(|part| memchr::memmem::find(&path, part).is_some())
}

/// Whether a module is Perl's own: what it loads by computed names is known.
fn is_standard(reach: &Reach<'_>, node: NodeId) -> bool {
    let path = reach.files.path(node);
    let has = |part: &[u8]| memchr::memmem::find(&path, part).is_some();
    has(b"/perl-base/") || has(b"/core_perl/") || has(b"/perl/5") || has(b"/lib/perl5/5.")
}
