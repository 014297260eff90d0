//! Python: which interpreter runs what, where it looks for modules, and what those import.
//!
//! Modules of the standard library are taken one by one, as they are imported. Of everything else
//! the whole top-level package is kept once one of its modules is imported: libraries import their
//! own parts in too many ways.

mod interpreter;
mod kept;
mod module;

use crate::content::Python;
use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::reach::{Blind, Reach, application, command};
use crate::tree::NodeId;

pub(super) use self::interpreter::{Interpreters, interpreter};

use self::interpreter::{interpreter_for, is_standard};
use self::kept::{
    ENTRY_POINTS, MODULES_MAX, computed_imports, console_script, entry_points, text_import,
};
use self::module::{claim_init, claim_module, import, in_directory, twins};

/// Says of a module that is there in its compiled form alone that it is not looked into.
pub(super) fn compiled(reach: &mut Reach<'_>, node: NodeId) {
    let tree = reach.files.tree();
    let name = tree.name(node);
    let Some(stem) = name.strip_suffix(b".pyc") else { return };
    let Some(directory) = tree.parent(node) else { return };
    // `__pycache__` is for what has a source.
    let is_cached = tree.name(directory) == b"__pycache__";
    if !is_cached && tree.child(directory, &[stem, b".py"].concat()).is_none() {
        reach.blind.insert((Blind::Python, node));
        packages_above(reach, directory, node);
    }
}

/// What `python ARGUMENTS` runs.
pub(super) fn command(reach: &mut Reach<'_>, arguments: &[Vec<u8>], program: NodeId) -> Result<()> {
    let interpreter = interpreter(reach, program)?;
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match &word[..] {
            b"-m" => {
                let Some(module) = rest.next() else { break };
                let module = String::from_utf8_lossy(module).into_owned();
                let from = working(reach);
                import(reach, interpreter, &module, Some(from), program, "-m of")?;
                let main = format!("{module}.__main__");
                import(reach, interpreter, &main, Some(from), program, "-m of")?;
                let rest: Vec<Vec<u8>> = rest.cloned().collect();
                self::arguments(reach, &rest, program);
                return Ok(());
            }
            b"-c" => {
                let Some(text) = rest.next() else { break };
                let module = crate::content::python::scan(text);
                let from = working(reach);
                for name in &module.modules {
                    import(reach, interpreter, name, Some(from), program, "imported by -c of")?;
                }
                return Ok(());
            }
            b"-W" | b"-X" => _ = rest.next(),
            option if option.starts_with(b"-") => {}
            _ => {
                let found = reach.environment.path(reach.files, word);
                if let Some(found) = found {
                    let main = reach.files.find_from(found.node, b"__main__.py");
                    let found =
                        main.filter(|_| reach.files.is_directory(found.node)).unwrap_or(found);
                    reach.claim_found(&found, Evidence::Needed, "script of", Some(program));
                    application::of_script(reach, found.node);
                }
                let rest: Vec<Vec<u8>> = rest.cloned().collect();
                self::arguments(reach, &rest, program);
                return Ok(());
            }
        }
    }
    // Nothing to run: whoever starts it types anything.
    reach.blind.insert((Blind::Python, program));
    if let Some(standard) = reach.interpreters.paths[interpreter].standard {
        let how = "may be imported by";
        reach.keep_below(standard, MODULES_MAX, Evidence::PackageMate, how, program);
    }
    Ok(())
}

/// Arguments that are paths, or name a module: `app:app`, `project.wsgi:application`.
pub(super) fn arguments(reach: &mut Reach<'_>, words: &[Vec<u8>], program: NodeId) {
    for word in words {
        command::argument(reach, word, Some(program));
        let module = word.split(|b| *b == b':').next().unwrap_or_default();
        let module = module.rsplit(|b| *b == b'=').next().unwrap_or_default();
        let is_name = !module.is_empty()
            && module.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
            && !module[0].is_ascii_digit();
        if !is_name {
            continue;
        }
        let module = String::from_utf8_lossy(module).into_owned();
        let from = working(reach);
        // Only what stands in the working directory: `serve` may be anything else, too.
        if let Some(found) = in_directory(reach, from, &module) {
            reach.claim_found(&found, Evidence::Named, "argument of", Some(program));
        }
    }
}

fn working(reach: &Reach<'_>) -> NodeId {
    reach.environment.working_directory(reach.files)
}

/// Claims what a module imports.
pub(super) fn visit(reach: &mut Reach<'_>, node: NodeId, module: &Python) -> Result<()> {
    let interpreter = interpreter_for(reach, node)?;
    let Some(directory) = reach.files.tree().parent(node) else { return Ok(()) };
    twins(reach, node);
    // What is kept beside modules that are imported is not imported itself, as far as is known.
    if reach.claims.evidence(node) <= Evidence::PackageMate {
        return Ok(());
    }
    if !is_standard(reach, interpreter, node) {
        if module.modules.iter().any(|name| ENTRY_POINTS.contains(&&**name)) {
            entry_points(reach, interpreter, node)?;
            if reach.files.is_executable(node) {
                console_script(reach, interpreter, node)?;
            }
        }
        if reach.files.place(node).is_in_site() {
            if module.computes_imports {
                // A library imports its own parts so, drivers and back ends, and they import theirs.
                computed_imports(reach, interpreter, node);
            }
        } else {
            if module.computes_imports || module.evaluates {
                reach.blind.insert((Blind::Python, node));
            }
            for name in &module.names {
                text_import(reach, interpreter, name, node)?;
            }
        }
    }
    for name in &module.modules {
        let (dots, rest) = name.split_at(name.len() - name.trim_start_matches('.').len());
        if dots.is_empty() {
            import(reach, interpreter, rest, Some(directory), node, "imported by")?;
            continue;
        }
        // `..x` starts two directories up from the file: one dot is its own package.
        let mut from = Some(directory);
        for _ in 1..dots.len() {
            from = from.and_then(|at| reach.files.tree().parent(at));
        }
        let Some(from) = from else { continue };
        if rest.is_empty() {
            claim_init(reach, from, node, "package of");
        } else if let Some(found) = in_directory(reach, from, rest) {
            claim_module(reach, &found, node, "imported by");
        }
    }
    packages_above(reach, directory, node);
    Ok(())
}

/// Claims the packages that a module is in, which are imported first.
fn packages_above(reach: &mut Reach<'_>, directory: NodeId, module: NodeId) {
    let mut above = Some(directory);
    while let Some(directory) = above {
        if !claim_init(reach, directory, module, "package of") {
            break;
        }
        above = reach.files.tree().parent(directory);
    }
}
