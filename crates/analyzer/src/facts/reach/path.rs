//! The environment of what runs: `PATH` and the other variables, the working directory.

use std::cell::OnceCell;

use crate::facts::filesystem::{Filesystem, Found};
use crate::image::Config;
use crate::tree::NodeId;

/// Where the kernel and shells look for commands where nothing is said.
pub(super) const DEFAULT_PATH: &[u8] =
    b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// `ENV` and `WORKDIR`.
pub(super) struct Environment {
    variables: Vec<(Vec<u8>, Vec<u8>)>,
    working_directory: Vec<u8>,
    working: OnceCell<NodeId>,
}

impl Environment {
    pub(super) fn of(config: &Config) -> Self {
        let variables = config
            .env
            .iter()
            .filter_map(|row| row.split_once('='))
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect();
        let working_directory = config.working_dir.clone().into_bytes();
        Self { variables, working_directory, working: OnceCell::new() }
    }

    /// The value of a variable.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.variables.iter().rev().find(|(known, _)| known == name.as_bytes());
        found.map(|(_, value)| &value[..])
    }

    /// Every variable with its value.
    pub(super) fn all(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.variables.iter().map(|(name, value)| (&name[..], &value[..]))
    }

    /// The directories of a variable like `PATH`.
    pub(super) fn list(&self, name: &str) -> Vec<Vec<u8>> {
        self.get(name)
            .unwrap_or_default()
            .split(|b| *b == b':')
            .filter(|part| !part.is_empty())
            .map(<[u8]>::to_vec)
            .collect()
    }

    /// The directory that commands start in.
    pub(super) fn working_directory(&self, files: &Filesystem<'_>) -> NodeId {
        let find = || files.find(&self.working_directory);
        *self.working.get_or_init(|| find().map_or(NodeId::ROOT, |found| found.node))
    }

    /// The file that a command word means: a path, or a name in `PATH`.
    pub(super) fn command(&self, files: &Filesystem<'_>, word: &[u8]) -> Option<Found> {
        if word.contains(&b'/') {
            let found = files.find_from(self.working_directory(files), word)?;
            return files.is_file(found.node).then_some(found);
        }
        let path = self.get("PATH").filter(|path| !path.is_empty()).unwrap_or(DEFAULT_PATH);
        // Scripts, cron and supervisors set their own: where the image's has no such command, the
        // default one is looked through.
        let places = path.split(|b| *b == b':').chain(DEFAULT_PATH.split(|b| *b == b':'));
        places.filter(|directory| !directory.is_empty()).find_map(|directory| {
            let directory = files.find(directory)?;
            let found = files.find_from(directory.node, word)?;
            files.is_executable(found.node).then_some(found)
        })
    }

    /// The file or directory that a word means, if it is a path that exists.
    pub(super) fn path(&self, files: &Filesystem<'_>, word: &[u8]) -> Option<Found> {
        let found = files.find_from(self.working_directory(files), word)?;
        (found.node != NodeId::ROOT).then_some(found)
    }
}
