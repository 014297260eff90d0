//! Programs that no package brought and that tell themselves what they were built from: Go's build
//! information, and the crates that a Rust program's panics name.

use hashbrown::HashMap;

use crate::content::elf::GoBuild;
use crate::content::{Body, Elf};
use crate::error::Result;
use crate::facts::filesystem::Filesystem;
use crate::facts::kind::Form;
use crate::facts::package::{Ecosystem, Package, Packages};
use crate::tree::NodeId;

/// Reads what programs say.
pub(super) fn read(files: &Filesystem<'_>, packages: &mut Packages) -> Result<()> {
    // Several names may lead to one program.
    let mut known: HashMap<u32, usize> = HashMap::new();
    for &node in files.nodes() {
        if !files.is_executable(node) || packages.owner(node).is_some() {
            continue;
        }
        if files.form(node) != Form::Program {
            continue;
        }
        let Some(payload) = files.tree().payload(node) else { continue };
        if let Some(package) = known.get(&payload) {
            packages.all[*package].files.push(node);
            continue;
        }
        let Some(content) = files.content(node)? else { continue };
        let Body::Elf(elf) = &content.body else { continue };
        if let Some(package) = package(elf, files.tree().name(node), node) {
            let at = packages.all.len();
            packages.push(package);
            if packages.all.len() > at {
                known.insert(payload, at);
            }
        }
    }
    Ok(())
}

fn package(elf: &Elf, file_name: &[u8], node: NodeId) -> Option<Package> {
    let file_name = String::from_utf8_lossy(file_name).into_owned();
    let mut package = match &elf.go {
        Some(go) => go_program(go, file_name),
        None if elf.crates.is_empty() => return None,
        None => Package {
            contains: elf.crates.iter().map(|name| words(name)).collect(),
            ..Package::new(Ecosystem::Rust, file_name)
        },
    };
    package.files.push(node);
    Some(package)
}

/// Named by its main module. Without one, as programs of Go's own are, by its main package.
fn go_program(go: &GoBuild, file_name: String) -> Package {
    let mut modules = go.modules.iter().map(ToString::to_string);
    let is_main = |module: &str| {
        let path = module.split(' ').next().unwrap_or_default();
        go.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            || &*go.path == "command-line-arguments"
    };
    let mut name = if go.path.is_empty() { file_name } else { go.path.to_string() };
    let mut version = String::new();
    if let Some(main) = go.modules.first().filter(|main| is_main(main)) {
        modules.next();
        let (path, of) = main.split_once(' ').unwrap_or((main, ""));
        (name, version) = (path.to_owned(), of.to_owned());
    }
    let contains = modules.collect();
    Package { version, contains, ..Package::new(Ecosystem::Go, name) }
}

/// `serde-1.0.2` as `serde 1.0.2`.
fn words(name: &str) -> String {
    let is_version = |text: &str| {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.len() < text.len() && rest.starts_with('.')
    };
    let mut dashes = name.match_indices('-').map(|(at, _)| at);
    let at = dashes.find(|at| is_version(&name[at + 1..]));
    match at {
        Some(at) => format!("{} {}", &name[..at], &name[at + 1..]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_named_by_their_main_module() {
        let go = |path: &str, modules: &[&str]| GoBuild {
            path: path.into(),
            modules: modules.iter().map(|module| Box::from(*module)).collect(),
            ..GoBuild::default()
        };
        let tool = go("ex.test/app/cmd/tool", &["ex.test/app (devel)", "ex.test/lib v1.2.3"]);
        let package = go_program(&tool, "tool".to_owned());
        assert_eq!((&*package.name, &*package.version), ("ex.test/app", "(devel)"));
        assert_eq!(package.contains, ["ex.test/lib v1.2.3"]);
        let own = go_program(&go("cmd/gofmt", &["golang.org/x/mod v0.1"]), "gofmt".to_owned());
        assert_eq!((&*own.name, own.contains.len()), ("cmd/gofmt", 1));
        assert_eq!(go_program(&GoBuild::default(), "old".to_owned()).name, "old");
    }

    #[test]
    fn crates_have_versions() {
        assert_eq!(words("serde-1.0.2"), "serde 1.0.2");
        assert_eq!(words("x-2-y-1.0.0+a-b"), "x-2-y 1.0.0+a-b");
        assert_eq!(words("odd"), "odd");
    }
}
