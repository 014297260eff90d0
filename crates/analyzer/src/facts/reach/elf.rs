//! Programs and shared objects: the loader, what it loads, and what they open by name.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use object::elf::{EM_386, EM_AARCH64, EM_ARM, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64};

use crate::content::{Body, Content, Elf};
use crate::entry::split;
use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::filesystem::Found;
use crate::facts::kind::Form;
use crate::facts::reach::loader::{Wanted, library_path, search_path};
use crate::facts::reach::path::DEFAULT_PATH;
use crate::facts::reach::{Blind, Reach, Whole, command};
use crate::tree::NodeId;

/// Objects loaded by one program.
const OBJECTS_MAX: usize = 10_000;

/// Claims the loader of a program and everything that it would load, breadth first as it does.
pub(super) fn visit(reach: &mut Reach<'_>, node: NodeId, elf: &Elf) -> Result<()> {
    if let Some(interpreter) = &elf.interpreter
        && let Some(found) = reach.files.file(interpreter)
    {
        reach.claim_found(&found, Evidence::Needed, "loader of", Some(node));
    }
    load(reach, node)?;
    named(reach, node, elf)?;
    if elf.calls_iconv && converts_for_others(reach.files.tree().name(node)) {
        reach.converter.get_or_insert(node);
    }
    Ok(())
}

/// Whether a file that calls `iconv_open` does so with character sets of its user's choice. The C
/// library only offers the function; libidn2, its libunistring, bash and printf convert to and
/// from the locale's.
fn converts_for_others(name: &[u8]) -> bool {
    let own = [&b"libc.so"[..], b"libc-2.", b"libunistring.so", b"libidn2.so", b"bash", b"printf"];
    !own.iter().any(|own| name.starts_with(own))
}

/// Whether the image's loader could load an object that stands in it: packages bring their native
/// parts for several machines and C libraries.
pub(super) fn can_load(reach: &Reach<'_>, elf: &Elf) -> bool {
    let machine = match reach.files.account().image.config.platform.architecture.as_str() {
        "amd64" => EM_X86_64,
        "arm64" => EM_AARCH64,
        "386" => EM_386,
        "arm" => EM_ARM,
        "riscv64" => EM_RISCV,
        "s390x" => EM_S390,
        "ppc64le" => EM_PPC64,
        _ => return true,
    };
    if elf.machine != machine.0 {
        return false;
    }
    let is_musl = elf.needed.iter().any(|name| name.starts_with(b"libc.musl-"));
    let needs_glibc = elf.needed.iter().any(|name| name.starts_with(b"libc.so.6"));
    // Compatibility layers bring the other one's names.
    let has = |name: &[u8]| {
        [&b"lib"[..], b"lib64", b"usr/lib", b"usr/lib64"].iter().any(|directory| {
            let Some(found) = reach.files.find(directory) else { return false };
            let children = reach.files.sorted_children(found.node);
            children.iter().any(|child| reach.files.tree().name(*child).starts_with(name))
        })
    };
    if is_musl {
        return has(b"ld-musl-");
    }
    !needs_glibc || has(b"libc.so.6") || has(b"ld-linux")
}

/// An object in memory.
struct Loaded {
    node: NodeId,
    content: Arc<Content>,
    /// Its RPATHs and those of its loaders, nearest first.
    rpaths: Vec<Vec<u8>>,
}

fn load(reach: &mut Reach<'_>, first: NodeId) -> Result<()> {
    let Some(content) = reach.files.content(first)? else { return Ok(()) };
    let Body::Elf(elf) = &content.body else { return Ok(()) };
    let (library_path, is_musl) = (library_path_of(reach, first, elf), is_musl(reach, elf));
    let mut loaded: HashSet<Vec<u8>> = HashSet::new();
    let mut queue = VecDeque::new();
    let rpaths = own_rpaths(reach, first, &content, is_musl);
    queue.push_back(Loaded { node: first, rpaths, content });
    while let Some(object) = queue.pop_front() {
        let Body::Elf(elf) = &object.content.body else { continue };
        let origin = directory_of(reach, object.node);
        let runpaths = search_path(reach.files, elf.runpath.as_deref(), &origin, elf);
        let mut found = Vec::new();
        for name in &elf.needed {
            if loaded.len() >= OBJECTS_MAX || !loaded.insert(name.to_vec()) {
                continue;
            }
            let wanted = Wanted {
                name,
                elf,
                origin: &origin,
                rpaths: &object.rpaths,
                runpaths: &runpaths,
                library_path: &library_path,
                is_musl,
            };
            found.extend(reach.loader.find(reach.files, &wanted));
        }
        // All are claimed, and so looked at by other threads, before the first is waited for.
        for found in &found {
            reach.claim_found(found, Evidence::Needed, "NEEDED by", Some(object.node));
        }
        for found in found {
            if let Some(content) = reach.files.content(found.node)? {
                let mut rpaths = own_rpaths(reach, found.node, &content, is_musl);
                rpaths.extend(object.rpaths.iter().cloned());
                queue.push_back(Loaded { node: found.node, content, rpaths });
            }
        }
    }
    Ok(())
}

/// The path of the directory that a file stands in.
fn directory_of(reach: &Reach<'_>, node: NodeId) -> Vec<u8> {
    reach.files.tree().parent(node).map(|parent| reach.files.path(parent)).unwrap_or_default()
}

fn library_path_of(reach: &Reach<'_>, program: NodeId, elf: &Elf) -> Vec<Vec<u8>> {
    let value = reach.environment.get("LD_LIBRARY_PATH");
    library_path(reach.files, value, &directory_of(reach, program), elf)
}

/// What an object adds to where is looked for what it and what it loads need.
fn own_rpaths(reach: &Reach<'_>, node: NodeId, content: &Content, is_musl: bool) -> Vec<Vec<u8>> {
    let Body::Elf(elf) = &content.body else { return Vec::new() };
    let rpath = match (&elf.runpath, is_musl) {
        (None, _) => elf.rpath.as_deref(),
        (Some(runpath), true) => Some(&**runpath),
        // An object with a RUNPATH has no RPATH.
        (Some(_), false) => None,
    };
    search_path(reach.files, rpath, &directory_of(reach, node), elf)
}

/// Whether musl's loader loads it: a program says so by its loader, a shared object by its libc.
fn is_musl(reach: &Reach<'_>, elf: &Elf) -> bool {
    match &elf.interpreter {
        Some(interpreter) => split(interpreter).1.starts_with(b"ld-musl-"),
        None => {
            elf.needed.iter().any(|name| name.starts_with(b"libc.musl-"))
                || reach.files.find(b"etc/alpine-release").is_some()
        }
    }
}

/// Claims what an object opens by a name in its data.
fn named(reach: &mut Reach<'_>, node: NodeId, elf: &Elf) -> Result<()> {
    let is_musl = is_musl(reach, elf);
    let library_path = library_path_of(reach, node, elf);
    let directory = reach.files.tree().parent(node);
    let origin = directory_of(reach, node);
    let rpath = elf.runpath.as_deref().filter(|_| is_musl).or(elf.rpath.as_deref());
    let (rpaths, runpaths) = (
        search_path(reach.files, rpath, &origin, elf),
        search_path(reach.files, elf.runpath.as_deref(), &origin, elf),
    );
    let declared = elf.dlopen.iter().flatten().map(|name| (name.as_bytes(), "declared by"));
    let in_data = elf.sonames.iter().map(|name| (&**name, "named in"));
    let wanted = |name| Wanted {
        name,
        elf,
        origin: &origin,
        rpaths: &rpaths,
        runpaths: &runpaths,
        library_path: &library_path,
        is_musl,
    };
    for (name, how) in declared.chain(in_data) {
        let mut found = reach.loader.find(reach.files, &wanted(name));
        if found.is_empty()
            && let Some(directory) = directory
        {
            // Plugins stand beside what opens them.
            let beside = reach.files.find_from(directory, name);
            found.extend(beside.filter(|found| reach.files.is_file(found.node)));
        }
        for found in found {
            reach.claim_found(&found, Evidence::Named, how, Some(node));
        }
    }
    let mut opens_plugins = elf.calls_dlopen.then_some(true);
    for path in &elf.paths {
        let Some(found) = reach.files.find(path) else { continue };
        if reach.files.is_file(found.node) {
            reach.claim_found(&found, Evidence::Named, "path in", Some(node));
        } else if reach.files.is_directory(found.node) && command::is_small(reach, found.node) {
            let opens = if let Some(opens) = opens_plugins {
                opens
            } else {
                let libraries = elf.needed.iter().map(|name| wanted(name));
                *opens_plugins.insert(own_library_opens(reach, node, libraries)?)
            };
            if opens {
                plugins(reach, found.node, node);
            }
            programs(reach, found.node, node);
        }
    }
    for word in &elf.commands {
        if let Some(found) = reach.environment.command(reach.files, word) {
            reach.claim_found(&found, Evidence::Named, "command in", Some(node));
        }
    }
    if elf.calls_dlopen {
        reach.blind.insert((Blind::Dlopen, node));
    }
    Ok(())
}

/// Whether a library of the same package opens shared objects: programs name the directories of
/// their plugins and leave the rest to it.
fn own_library_opens<'w>(
    reach: &mut Reach<'_>,
    node: NodeId,
    libraries: impl Iterator<Item = Wanted<'w>>,
) -> Result<bool> {
    let Some(own) = reach.packages.owner_position(node) else { return Ok(false) };
    for wanted in libraries {
        for found in reach.loader.find(reach.files, &wanted) {
            if reach.packages.owner_position(found.node) != Some(own) {
                continue;
            }
            let content = reach.files.content(found.node)?;
            if let Some(Body::Elf(library)) = content.as_deref().map(|content| &content.body)
                && library.calls_dlopen
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Claims the programs of a directory that is named in data and is not everybody's: a service starts
/// the parts that it is made of from there, by names that it puts together.
fn programs(reach: &mut Reach<'_>, directory: NodeId, from: NodeId) {
    if !reach.begins(Whole::Programs, directory, from) {
        return;
    }
    let mut everybodys = DEFAULT_PATH.split(|b| *b == b':');
    let is_it = |found: Found| found.node == directory;
    if everybodys.any(|path| reach.files.find(path).is_some_and(is_it)) {
        return;
    }
    for child in reach.files.sorted_children(directory) {
        let found = reach.files.find_from(directory, reach.files.tree().name(child));
        if let Some(found) = found.filter(|found| reach.files.form(found.node) == Form::Program) {
            reach.claim_found(&found, Evidence::Named, "program of a directory in", Some(from));
        }
    }
}

/// Claims the shared objects of a directory that a program names and opens plugins from.
fn plugins(reach: &mut Reach<'_>, directory: NodeId, from: NodeId) {
    // The directory of all libraries is named by whoever looks for one of them; character sets are
    // for those who convert.
    let libraries: [&[u8]; 3] = [b"x86_64-linux-gnu", b"aarch64-linux-gnu", b"gconv"];
    if libraries.contains(&reach.files.tree().name(directory)) {
        return;
    }
    for child in reach.files.sorted_children(directory) {
        if reach.files.tree().name(child).ends_with(b".so")
            && let Some(found) = reach.files.find_from(directory, reach.files.tree().name(child))
            && reach.files.is_file(found.node)
        {
            reach.claim_found(&found, Evidence::Named, "plugin of", Some(from));
        }
    }
}
