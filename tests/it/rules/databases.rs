//! Package databases made in code.

use std::fmt::Write as _;

use jettison_testkit::image::{LayerBuilder, Meta};

use crate::shop::content;

use super::case::Found;

/// Packages of Debian's, with what apt noted of them.
#[derive(Clone, Default)]
pub(super) struct Dpkg {
    status: String,
    automatic: String,
    layer: LayerBuilder,
    files: Vec<(String, String, u64)>,
}

impl Dpkg {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A package that somebody asked for, with files of so many bytes. Its list is a file of it.
    pub(super) fn asked(self, name: &str, files: &[(&str, u64)]) -> Self {
        self.with(name, "", files)
    }

    /// One that came along for others.
    pub(super) fn came_along(mut self, name: &str, files: &[(&str, u64)]) -> Self {
        let _ = write!(self.automatic, "Package: {name}\nAuto-Installed: 1\n\n");
        self.with(name, "", files)
    }

    /// One with more fields.
    pub(super) fn with(mut self, name: &str, fields: &str, files: &[(&str, u64)]) -> Self {
        let _ = write!(
            self.status,
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n{fields}\n"
        );
        let mut list = "/.\n".to_owned();
        for (path, _) in files {
            let _ = writeln!(list, "/{path}");
        }
        let list_path = format!("var/lib/dpkg/info/{name}.list");
        self.files.push((name.to_owned(), list_path.clone(), list.len() as u64));
        self.layer = self.layer.file(list_path, list);
        for (path, bytes) in files {
            self.files.push((name.to_owned(), (*path).to_owned(), *bytes));
            let mode = if path.contains("/bin/") { 0o755 } else { 0o644 };
            let bytes = content(path, usize::try_from(*bytes).unwrap());
            self.layer = self.layer.file_with(path, bytes, Meta::mode(mode));
        }
        self
    }

    /// The files of the layer.
    pub(super) fn layer(&self) -> LayerBuilder {
        let mut layer = self.layer.clone().file("var/lib/dpkg/status", self.status.as_bytes());
        if !self.automatic.is_empty() {
            layer = layer.file("var/lib/apt/extended_states", self.automatic.as_bytes());
        }
        layer
    }

    /// What is found where these packages are found whole.
    pub(super) fn found(&self, confidence: &str, names: &[&str]) -> Found {
        let files: Vec<(&str, u64)> = self
            .files
            .iter()
            .filter(|(name, ..)| names.contains(&name.as_str()))
            .map(|(_, path, bytes)| (path.as_str(), *bytes))
            .collect();
        let mut names = names.to_vec();
        names.sort_unstable();
        Found::files(confidence, &files).of(&names)
    }
}

/// Packages of Alpine's, which are in one file.
pub(super) fn apk(packages: &[(&str, &[(&str, u64)])], world: &str) -> LayerBuilder {
    let mut installed = String::new();
    let mut layer = LayerBuilder::new();
    for (name, files) in packages {
        let _ = write!(installed, "P:{name}\nV:1-r0\n");
        for (path, bytes) in *files {
            let (directory, file) = path.rsplit_once('/').unwrap();
            let _ = write!(installed, "F:{directory}\nR:{file}\n");
            let mode = if path.contains("/bin/") { 0o755 } else { 0o644 };
            let bytes = content(path, usize::try_from(*bytes).unwrap());
            layer = layer.file_with(path, bytes, Meta::mode(mode));
        }
        installed.push('\n');
    }
    layer.file("lib/apk/db/installed", installed).file("etc/apk/world", world)
}
