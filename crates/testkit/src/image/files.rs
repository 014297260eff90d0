//! An image as files: the members of an archive or of a layout directory, open to tampering.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use jettison_oci::Digest;

use super::compression::{gzip, zstd};
use super::layer::LayerBuilder;

/// What an archive is wrapped in as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wrap {
    /// Nothing.
    #[default]
    None,
    /// gzip, as `docker save | gzip`.
    Gzip,
    /// zstd.
    Zstd,
}

/// The files that an image is stored as, in the order an archive would have them.
#[derive(Clone, Debug, Default)]
pub struct ImageFiles {
    members: Vec<(String, Member)>,
}

#[derive(Clone, Debug)]
enum Member {
    File(Arc<Vec<u8>>),
    Directory,
    Symlink(String),
}

impl ImageFiles {
    pub(super) fn file(&mut self, path: impl Into<String>, bytes: impl Into<Arc<Vec<u8>>>) {
        self.member(path.into(), Member::File(bytes.into()));
    }

    pub(super) fn directory(&mut self, path: impl Into<String>) {
        self.member(path.into(), Member::Directory);
    }

    pub(super) fn symlink(&mut self, path: impl Into<String>, target: impl Into<String>) {
        self.member(path.into(), Member::Symlink(target.into()));
    }

    /// A blob at its place in an OCI layout.
    pub(super) fn blob(&mut self, digest: &Digest, bytes: &Arc<Vec<u8>>) {
        self.file(blob_path(digest), Arc::clone(bytes));
    }

    /// A path is stored once: layers and blobs that images share are not repeated.
    fn member(&mut self, path: String, member: Member) {
        if !self.contains(&path) {
            self.members.push((path, member));
        }
    }

    /// Sorts the members by path, as a walk of a directory gives them.
    pub(super) fn sorted(mut self) -> Self {
        self.members.sort_by(|(a, _), (b, _)| a.cmp(b));
        self
    }

    /// All paths, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(path, _)| path.as_str())
    }

    /// Whether a member of this path exists.
    pub fn contains(&self, path: &str) -> bool {
        self.paths().any(|member| member == path)
    }

    /// The content of the file at `path`.
    pub fn get(&self, path: &str) -> Option<&Arc<Vec<u8>>> {
        self.members.iter().find_map(|(name, member)| match member {
            Member::File(bytes) if name == path => Some(bytes),
            _ => None,
        })
    }

    /// Replaces or adds the file at `path`.
    #[must_use]
    pub fn replace(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let member = Member::File(Arc::new(bytes.into()));
        match self.members.iter_mut().find(|(name, _)| name == path) {
            Some((_, place)) => *place = member,
            None => self.members.push((path.to_owned(), member)),
        }
        self
    }

    /// Replaces or adds a symbolic link at `path`.
    #[must_use]
    pub fn replace_with_symlink(mut self, path: &str, target: &str) -> Self {
        self = self.remove(path);
        self.symlink(path, target);
        self
    }

    /// Leaves the member at `path` out.
    #[must_use]
    pub fn remove(mut self, path: &str) -> Self {
        self.members.retain(|(name, _)| name != path);
        self
    }

    /// Cuts the file at `path` to its first `length` bytes.
    #[must_use]
    pub fn truncate(self, path: &str, length: usize) -> Self {
        let cut = self.get(path).map(|bytes| bytes[..length.min(bytes.len())].to_vec());
        match cut {
            Some(bytes) => self.replace(path, bytes),
            None => self,
        }
    }

    /// Turns over one byte in the middle of the file at `path`.
    #[must_use]
    pub fn corrupt(self, path: &str) -> Self {
        let Some(mut bytes) = self.get(path).map(|bytes| bytes.as_ref().clone()) else {
            return self;
        };
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 0xFF;
        }
        self.replace(path, bytes)
    }

    /// Moves the member at `path` to the front, or to the back.
    #[must_use]
    pub fn reorder(mut self, path: &str, first: bool) -> Self {
        if let Some(at) = self.members.iter().position(|(name, _)| name == path) {
            let member = self.members.remove(at);
            self.members.insert(if first { 0 } else { self.members.len() }, member);
        }
        self
    }

    /// Replaces a blob of an OCI layout, keeping its name.
    #[must_use]
    pub fn replace_blob(self, digest: &Digest, bytes: impl Into<Vec<u8>>) -> Self {
        self.replace(&blob_path(digest), bytes)
    }

    /// Leaves a blob of an OCI layout out.
    #[must_use]
    pub fn drop_blob(self, digest: &Digest) -> Self {
        self.remove(&blob_path(digest))
    }

    /// Cuts a blob of an OCI layout short.
    #[must_use]
    pub fn truncate_blob(self, digest: &Digest, length: usize) -> Self {
        self.truncate(&blob_path(digest), length)
    }

    /// Turns over one byte of a blob of an OCI layout.
    #[must_use]
    pub fn corrupt_blob(self, digest: &Digest) -> Self {
        self.corrupt(&blob_path(digest))
    }

    /// The files as one tar archive.
    pub fn tar(&self) -> Vec<u8> {
        let mut archive = LayerBuilder::new();
        for (path, member) in &self.members {
            archive = match member {
                Member::File(bytes) => archive.file(path, bytes.as_ref().clone()),
                Member::Directory => archive.directory(path),
                Member::Symlink(target) => archive.symlink(path, target),
            };
        }
        archive.tar()
    }

    /// The archive, wrapped.
    pub fn archive(&self, wrap: Wrap) -> Vec<u8> {
        match wrap {
            Wrap::None => self.tar(),
            Wrap::Gzip => gzip(&self.tar(), 6),
            Wrap::Zstd => zstd(&self.tar(), 3),
        }
    }

    /// Writes the archive to `path`.
    pub fn write_archive(&self, path: &Path, wrap: Wrap) -> anyhow::Result<()> {
        Ok(fs_err::write(path, self.archive(wrap))?)
    }

    /// Writes the files into `directory`, which is made where it is missing.
    pub fn write_directory(&self, directory: &Path) -> anyhow::Result<()> {
        fs_err::create_dir_all(directory)?;
        for (path, member) in &self.members {
            let target = directory.join(path);
            let parent = target.parent().context("a member's path has a parent")?;
            fs_err::create_dir_all(parent)?;
            match member {
                Member::File(bytes) => fs_err::write(&target, bytes.as_slice())?,
                Member::Directory => fs_err::create_dir_all(&target)?,
                Member::Symlink(link) => fs_err::os::unix::fs::symlink(link, &target)?,
            }
        }
        Ok(())
    }
}

/// Where an OCI layout keeps a blob.
pub(super) fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}
