//! OCI layouts: `index.json` and blobs under their digests, in a directory or in an archive.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jettison_oci::{Digest, Reference};
use oci_spec::image::ANNOTATION_REF_NAME as REF_NAME;

use crate::blob::Region;
use crate::error::{Error, Result};
use crate::image::{Document, Index, IndexEntry, parse_document};
use crate::limits::DOCUMENT_MAX;
use crate::source::store::{BlobStore, flatten, open_manifest, pick};
use crate::source::{Descriptor, Image, LayerData, OpenOptions, Origin, Transport};
use jettison_oci::escape;

/// containerd's and Docker's annotation with the whole reference; theirs of `REF_NAME` is the tag
/// alone.
const IMAGE_NAME: &str = "io.containerd.image.name";

/// Files of a layout by their names in it, with `/` between.
pub(crate) trait Files: Send + Sync {
    /// The bytes of a document; `None` where there is none.
    fn document(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>>;
    /// The way to a layer's bytes; `None` where there is none.
    fn layer(&self, name: &str) -> Result<Option<LayerData>>;
}

struct Directory(PathBuf);

impl Files for Directory {
    fn document(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>> {
        let path = self.0.join(name);
        match Region::open(&path) {
            Ok(region) => region.read_all(&path.display().to_string(), max).map(Some),
            Err(Error::NoSuchFile(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn layer(&self, name: &str) -> Result<Option<LayerData>> {
        match Region::open(&self.0.join(name)) {
            Ok(region) => Ok(Some(LayerData::Region(region))),
            Err(Error::NoSuchFile(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

struct LayoutStore<F> {
    files: F,
    what: String,
}

fn blob(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

impl<F: Files> BlobStore for LayoutStore<F> {
    fn name(&self) -> String {
        self.what.clone()
    }

    fn document(&self, descriptor: &Descriptor, max: u64) -> Result<Vec<u8>> {
        self.files.document(&blob(&descriptor.digest), max)?.ok_or_else(|| Error::MissingBlob {
            what: self.what.clone(),
            blob: descriptor.digest.to_string(),
        })
    }

    fn layer(&self, descriptor: &Descriptor) -> Result<Option<LayerData>> {
        self.files.layer(&blob(&descriptor.digest))
    }
}

/// Whether `path` is a directory that holds a layout.
pub fn is_layout(path: &Path) -> bool {
    path.join("index.json").is_file()
}

/// Opens the layout directory at `path`; `wanted` is a tag, a reference, `@N`, or a digest.
pub fn open_directory(path: &Path, wanted: Option<&str>, options: &OpenOptions) -> Result<Image> {
    let what = path.display().to_string();
    if !path.is_dir() {
        return Err(if path.exists() {
            Error::NotAnImage {
                what,
                expected: "an OCI layout directory",
                because: "it is a file: try oci-archive: or docker-archive:".to_owned(),
            }
        } else {
            Error::NoSuchFile(path.to_owned())
        });
    }
    let origin = Origin {
        transport: Transport::Oci,
        reference: match wanted {
            Some(wanted) => format!("{what}:{wanted}"),
            None => what.clone(),
        },
    };
    open(Directory(path.to_owned()), &what, wanted, origin, options)
}

/// Opens an image of the layout in `files`.
pub(crate) fn open(
    files: impl Files + 'static,
    what: &str,
    wanted: Option<&str>,
    origin: Origin,
    options: &OpenOptions,
) -> Result<Image> {
    let Some(bytes) = files.document("index.json", DOCUMENT_MAX)? else {
        return Err(Error::NotAnImage {
            what: what.to_owned(),
            expected: "an OCI layout",
            because: "it has no index.json".to_owned(),
        });
    };
    let name = format!("index.json in {what}");
    let index = match parse_document(&name, &bytes)? {
        Document::Index(index) => index,
        Document::Manifest(_) => {
            return Err(Error::malformed(name, "expected an index, found a manifest"));
        }
    };
    let chosen = choose(index, what, wanted)?;
    let mut origin = origin;
    if wanted.is_none()
        && let Some(name) = chosen.first().and_then(entry_name)
    {
        origin.reference = format!("{what}:{}", escape::line(name));
    }
    let store: Arc<dyn BlobStore> = Arc::new(LayoutStore { files, what: what.to_owned() });
    let manifests = flatten(&*store, Index { entries: chosen })?;
    let (digest, manifest) = pick(&*store, manifests, what, options)?;
    open_manifest(store, digest, manifest, origin, options)
}

/// What tells an image from the others: the whole name, where there is one, before a tag.
fn entry_name(entry: &IndexEntry) -> Option<&str> {
    [IMAGE_NAME, REF_NAME].iter().find_map(|key| entry.annotations.get(*key)).map(String::as_str)
}

/// Whether two entries are one image, of two platforms or named twice. Entries without a name can
/// be anything: an index of platforms is nested.
fn is_same_image(one: &IndexEntry, other: &IndexEntry) -> bool {
    let same = |key: &str| one.annotations.get(key) == other.annotations.get(key);
    one.descriptor.digest == other.descriptor.digest
        || (entry_name(one).is_some() && same(IMAGE_NAME) && same(REF_NAME))
}

/// How each entry is listed: by its name, or by its position with its platform.
fn names(entries: &[(usize, IndexEntry)]) -> Vec<String> {
    let name = |(at, entry): &(usize, IndexEntry)| match (entry_name(entry), &entry.platform) {
        (Some(name), _) => escape::line(name),
        (None, Some(platform)) => format!("@{at} ({platform})"),
        (None, None) => format!("@{at}"),
    };
    let mut names: Vec<String> = entries.iter().map(name).collect();
    names.dedup();
    names
}

/// The entries of the one image that is meant: several where it has several platforms.
fn choose(index: Index, what: &str, wanted: Option<&str>) -> Result<Vec<IndexEntry>> {
    let mut entries: Vec<(usize, IndexEntry)> =
        index.entries.into_iter().enumerate().filter(|(_, e)| !e.is_attestation()).collect();
    let mut what = what.to_owned();
    if let Some(wanted) = wanted {
        if !entries.iter().any(|(at, entry)| is_wanted(*at, entry, wanted)) {
            let found = names(&entries);
            return Err(Error::NoSuchImage { what, wanted: wanted.to_owned(), found });
        }
        entries.retain(|(at, entry)| is_wanted(*at, entry, wanted));
        what = format!("{what}:{wanted}");
    }
    let Some((_, first)) = entries.first() else {
        return Err(Error::NotAnImage {
            what,
            expected: "an OCI layout with an image",
            because: "its index.json names no image".to_owned(),
        });
    };
    if !entries.iter().all(|(_, entry)| is_same_image(first, entry)) {
        return Err(Error::Ambiguous { what, found: names(&entries) });
    }
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn is_wanted(position: usize, entry: &IndexEntry, wanted: &str) -> bool {
    let digest = wanted.strip_prefix('@').unwrap_or(wanted);
    if entry.descriptor.digest.as_str() == digest || wanted == format!("@{position}") {
        return true;
    }
    let normalised = |text: &str| text.parse::<Reference>().ok();
    [IMAGE_NAME, REF_NAME].iter().filter_map(|key| entry.annotations.get(*key)).any(|name| {
        name == wanted
            || (name.contains('/')
                && normalised(name).is_some_and(|n| Some(n) == normalised(wanted)))
    })
}
