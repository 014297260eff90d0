//! What an archive holds, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use jettison_oci::Digest;

use crate::blob::Region;
use crate::blob::decompress::Compression;
use crate::entry;
use crate::error::{Error, Result};
use crate::layer::index::LayerIndex;
use crate::layer::input::Seek;
use crate::layer::tar::{Member as Header, TarReader};
use crate::limits::{MEMBERS_MAX, SYMLINKS_MAX};
use crate::source::archive::{not_an_archive, shown};
use crate::source::layout::Files;
use crate::source::{LayerData, Scanned};

/// One member of an archive.
pub(super) enum Member {
    /// A file whose bytes can be read at any time.
    Region(Region),
    /// A document kept from a stream.
    Document(Vec<u8>),
    /// A layer scanned from a stream.
    Scanned(Arc<Scanned>),
    /// Something in a stream that was taken for a layer and could not be read.
    Failed(std::sync::Mutex<Option<Error>>),
    /// A file of a stream that is neither document nor layer.
    Skipped,
    /// Another name of a member.
    Link(Vec<u8>),
}

/// The members of an archive under their cleaned names.
pub(super) struct Members {
    pub(super) what: String,
    by_name: BTreeMap<Vec<u8>, Member>,
}

impl Members {
    pub(super) fn new(what: &str) -> Self {
        Self { what: what.to_owned(), by_name: BTreeMap::new() }
    }

    /// Walks the headers of an archive that stands uncompressed in a file.
    pub(super) fn of_region(region: &Region, what: &str) -> Result<Self> {
        let mut members = Self::new(what);
        let mut tar = TarReader::new(Seek::new(region.clone()), what);
        let mut header = Header::default();
        while tar.next(&mut header).map_err(|error| members.first_header(error))? {
            let part = || {
                region.part(header.offset, header.stored).ok_or_else(|| {
                    Error::corrupt(
                        what,
                        format!("it is truncated inside \"{}\"", shown(&header.name)),
                    )
                })
            };
            members.add(&header, |_| Ok(Member::Region(part()?)))?;
        }
        Ok(members)
    }

    /// Adds what a header of the archive describes; `file` makes the member of a regular file.
    pub(super) fn add(
        &mut self,
        header: &Header,
        file: impl FnOnce(&[u8]) -> Result<Member>,
    ) -> Result<()> {
        let mut name = Vec::new();
        if entry::clean_into(&header.name, &mut name).is_err() {
            return Err(Error::corrupt(
                &self.what,
                format!("it has a member with the impossible name \"{}\"", shown(&header.name)),
            ));
        }
        let member = match header.type_flag {
            b'0' | 0 | b'7' | b'S' if !header.name.ends_with(b"/") => file(&name)?,
            b'1' => {
                let mut target = Vec::new();
                let _ = entry::clean_into(&header.link, &mut target);
                Member::Link(target)
            }
            // Legacy `docker save` writes a repeated layer as a link to its first copy.
            b'2' => Member::Link(resolve_symlink(&name, &header.link)),
            _ => return Ok(()),
        };
        if self.by_name.len() >= MEMBERS_MAX {
            // A root filesystem has this many files; no archive of images has.
            return Err(not_an_archive(&self.what, "it has more than 100,000 members"));
        }
        self.by_name.insert(name, member);
        Ok(())
    }

    /// The first header is what tells a tar from anything else.
    pub(super) fn first_header(&self, error: Error) -> Error {
        match error {
            Error::Corrupt { .. } if self.by_name.is_empty() => {
                not_an_archive(&self.what, "it is not a tar, nor one compressed with gzip or zstd")
            }
            error => error,
        }
    }

    pub(super) fn contains(&self, name: &[u8]) -> bool {
        self.get(name).is_some()
    }

    /// The member under `name`, links followed.
    pub(super) fn get(&self, name: &[u8]) -> Option<&Member> {
        let mut cleaned = Vec::new();
        entry::clean_into(name, &mut cleaned).ok()?;
        let mut member = self.by_name.get(&cleaned)?;
        for _ in 0..SYMLINKS_MAX {
            match member {
                Member::Link(target) => member = self.by_name.get(target)?,
                member => return Some(member),
            }
        }
        None
    }

    /// The bytes of a document, if it is there.
    pub(super) fn document(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>> {
        let what = || format!("{} in {}", shown(name.as_bytes()), self.what);
        match self.get(name.as_bytes()) {
            Some(Member::Region(region)) => region.read_all(&what(), max).map(Some),
            Some(Member::Document(bytes)) if bytes.len() as u64 <= max => Ok(Some(bytes.clone())),
            Some(Member::Document(bytes)) => {
                Err(Error::size_limit(what(), "a document", bytes.len() as u64, max))
            }
            Some(Member::Failed(_) | Member::Scanned(_) | Member::Skipped) => {
                Err(Error::malformed(what(), "expected a JSON document of at most 4 MiB"))
            }
            Some(Member::Link(_)) | None => Ok(None),
        }
    }

    /// The way to a layer, if it is there.
    pub(super) fn layer_data(&self, name: &str) -> Result<Option<LayerData>> {
        Ok(Some(match self.get(name.as_bytes()) {
            Some(Member::Region(region)) => LayerData::Region(region.clone()),
            Some(Member::Scanned(scanned)) => LayerData::Scanned(scanned.clone()),
            Some(Member::Document(bytes)) if bytes.is_empty() => {
                LayerData::Scanned(Arc::new(empty_layer()))
            }
            Some(Member::Failed(error)) => {
                let error = error.lock().ok().and_then(|mut error| error.take());
                return Err(error.unwrap_or_else(|| self.not_a_layer(name)));
            }
            Some(Member::Document(_) | Member::Skipped) => return Err(self.not_a_layer(name)),
            Some(Member::Link(_)) | None => return Ok(None),
        }))
    }

    fn not_a_layer(&self, name: &str) -> Error {
        Error::corrupt(
            format!("layer {} in {}", shown(name.as_bytes()), self.what),
            "it is not a tar, nor one compressed with gzip or zstd",
        )
    }

    pub(super) fn looks_like_rootfs(&self) -> bool {
        let has = |prefix: &[u8]| {
            self.by_name
                .range(prefix.to_vec()..)
                .next()
                .is_some_and(|(name, _)| name.starts_with(prefix))
        };
        has(b"etc/") && (has(b"bin") || has(b"usr/"))
    }

    /// A few names, so that people see what they have.
    pub(super) fn first_names(&self) -> String {
        match self.by_name.keys().take(3).map(|name| shown(name)).collect::<Vec<_>>() {
            names if names.is_empty() => ": it is empty".to_owned(),
            names => format!("; it holds {}, …", names.join(", ")),
        }
    }
}

impl Files for Members {
    fn document(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>> {
        self.document(name, max)
    }

    fn layer(&self, name: &str) -> Result<Option<LayerData>> {
        self.layer_data(name)
    }
}

/// A file of no bytes, which Go's reader takes for a tar without entries.
fn empty_layer() -> Scanned {
    Scanned {
        index: Arc::new(LayerIndex::default()),
        stored: 0,
        compression: Compression::None,
        digest: Some(Digest::sha256(b"")),
        diff_id: None,
    }
}

fn resolve_symlink(name: &[u8], target: &[u8]) -> Vec<u8> {
    let (directory, _) = entry::split(name);
    let joined = [&b"/"[..], directory, b"/", target].concat();
    let mut resolved = Vec::new();
    let _ = entry::clean_into(&joined, &mut resolved);
    resolved
}
