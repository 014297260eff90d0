//! Images in one file: what `docker save`, kaniko, skopeo and buildah write. The file may be
//! compressed as a whole, and it may be a pipe: then it is read in one pass, and its layers are
//! scanned as they go by.

mod docker;
mod members;
mod one_pass;

use std::fs::FileType;
use std::io::Read;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use jettison_oci::Digest;

use crate::blob::Region;
use crate::blob::decompress::Compression;
use crate::error::{Error, Result};
use crate::image::{Document, parse_document};
use crate::limits::DOCUMENT_MAX;
use crate::source::layout;
use crate::source::{Image, OpenOptions, Origin, Transport};
use jettison_oci::escape;

use members::Members;

/// The two formats of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `manifest.json` and what it names.
    Docker,
    /// An OCI layout.
    Oci,
}

impl Format {
    fn transport(self) -> Transport {
        match self {
            Self::Docker => Transport::DockerArchive,
            Self::Oci => Transport::OciArchive,
        }
    }
}

/// Opens the archive at `path`. `format` is told by content where it is `None`; `wanted` is a
/// tag, a reference, `@N`, or a digest, and is needed where the archive holds several images.
pub fn open_file(
    path: &Path,
    format: Option<Format>,
    wanted: Option<&str>,
    options: &OpenOptions,
) -> Result<Image> {
    let what = path.display().to_string();
    // `<(docker save x)` of a shell is a FIFO. It passes by once, like standard input.
    let passes_by = |kind: FileType| kind.is_fifo() || kind.is_char_device();
    if fs_err::metadata(path).is_ok_and(|metadata| passes_by(metadata.file_type())) {
        let members = one_pass::read(fs_err::File::open(path)?, &what, options)?;
        return open_members(members, &what, format, wanted, None, options);
    }
    let region = Region::open(path)?;
    let mut head = [0; 512];
    let read = region.read_at(&mut head, 0)?;
    if read == 0 {
        return Err(not_an_archive(&what, "it is empty"));
    }
    let members = match Compression::detect(&what, &head[..read])? {
        Compression::None => Members::of_region(&region, &what)?,
        _ => one_pass::read(region.reader(), &what, options)?,
    };
    open_members(members, &what, format, wanted, None, options)
}

/// Opens an archive that passes by once; `what` names the stream.
pub fn open_stream(
    reader: impl Read,
    what: &str,
    format: Option<Format>,
    wanted: Option<&str>,
    options: &OpenOptions,
) -> Result<Image> {
    let members = one_pass::read(reader, what, options)?;
    open_members(members, what, format, wanted, None, options)
}

/// What an engine exports.
#[derive(Debug)]
pub struct Exported {
    /// The image.
    pub image: Image,
    /// The manifests and indexes that its `index.json` names, where it has one.
    pub roots: Vec<Digest>,
}

/// Opens a stream in Docker's format, as engines export it. `origin` is what the image is said to
/// come from.
pub fn read_export(
    reader: impl Read,
    what: &str,
    origin: Origin,
    options: &OpenOptions,
) -> Result<Exported> {
    let members = one_pass::read(reader, what, options)?;
    let roots = match members.document("index.json", DOCUMENT_MAX)? {
        None => Vec::new(),
        Some(bytes) => match parse_document(&format!("index.json in {what}"), &bytes)? {
            Document::Index(index) => {
                index.entries.into_iter().map(|entry| entry.descriptor.digest).collect()
            }
            Document::Manifest(_) => Vec::new(),
        },
    };
    let image = open_members(members, what, Some(Format::Docker), None, Some(origin), options)?;
    Ok(Exported { image, roots })
}

fn open_members(
    members: Members,
    what: &str,
    format: Option<Format>,
    wanted: Option<&str>,
    origin: Option<Origin>,
    options: &OpenOptions,
) -> Result<Image> {
    let found = match (members.contains(b"manifest.json"), members.contains(b"index.json")) {
        (true, _) if format != Some(Format::Oci) => Format::Docker,
        (_, true) if format != Some(Format::Docker) => Format::Oci,
        (docker, oci) => return Err(explain(&members, what, format, docker, oci)),
    };
    let origin = origin.unwrap_or_else(|| Origin {
        transport: found.transport(),
        reference: match wanted {
            Some(wanted) => format!("{what}:{wanted}"),
            None => what.to_owned(),
        },
    });
    match found {
        Format::Docker => docker::open(&members, what, wanted, origin, options),
        Format::Oci => layout::open(members, what, wanted, origin, options),
    }
}

/// Why an archive that can be read is no image.
fn explain(
    members: &Members,
    what: &str,
    format: Option<Format>,
    docker: bool,
    oci: bool,
) -> Error {
    let (expected, because) = match format {
        Some(Format::Docker) if oci => (
            "a Docker archive",
            "it has no manifest.json, but an index.json: try oci-archive:".to_owned(),
        ),
        Some(Format::Oci) if docker => (
            "an OCI archive",
            "it has no index.json, but a manifest.json: try docker-archive:".to_owned(),
        ),
        _ if members.looks_like_rootfs() => (
            "an image",
            "it is a root filesystem without manifest and config: `docker import` makes an image \
             of it"
                .to_owned(),
        ),
        _ => (
            "an image",
            format!(
                "it has neither manifest.json (docker save) nor index.json (OCI layout){}",
                members.first_names()
            ),
        ),
    };
    Error::NotAnImage { what: what.to_owned(), expected, because }
}

fn not_an_archive(what: &str, because: &str) -> Error {
    Error::NotAnImage {
        what: what.to_owned(),
        expected: "an image archive",
        because: because.to_owned(),
    }
}

/// A name of the archive in errors.
fn shown(name: &[u8]) -> String {
    escape::path(name)
}
