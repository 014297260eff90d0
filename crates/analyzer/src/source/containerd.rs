//! containerd's content store, through its gRPC API: what a Kubernetes node, `nerdctl` or `ctr`
//! pulled, layers still packed as they came. Nothing is written to it.

mod content;
mod daemon;
mod find;

use std::sync::Arc;

use jettison_oci::Platform;

use crate::error::{Error, Result};
use crate::image::{Document, parse_document};
use crate::source::{Image, OpenOptions, Origin, Transport, store};

use self::content::ContentStore;
use self::daemon::{Connection, Daemon};
use self::find::{Found, find, no_such_image};

/// Opens `[NAMESPACE/]REF`, what follows `containerd:`. A first component that names a namespace
/// of the daemon is one if the rest is an image there; without a namespace, `k8s.io` is looked
/// through, then `default`. REF is a name as recorded, a reference, a digest (of an index,
/// manifest or config), or the beginning of an image ID.
pub fn open(text: &str, options: &OpenOptions) -> Result<Image> {
    if text.is_empty() {
        return Err(Error::Usage(
            "containerd: names no image: expected containerd:[NAMESPACE/]REFERENCE".to_owned(),
        ));
    }
    let daemon = match Daemon::connect(options.containerd_address.as_deref())? {
        Connection::Open(daemon) => Arc::new(daemon),
        Connection::Absent(error) => return Err(error),
    };
    let Some(found) = find(&daemon, text)? else {
        return Err(no_such_image(&daemon, text)?);
    };
    let origin = Origin {
        transport: Transport::Containerd,
        reference: format!("{}/{}", found.namespace, found.name),
    };
    let content = Arc::new(ContentStore::new(daemon, &found));
    store::open(content.clone(), &found.root, origin, options).map_err(|error| match error {
        Error::MissingBlob { blob, .. } => not_fetched(&content, &found, &blob, options),
        other => other,
    })
}

/// Whether containerd has an image of that name, by the rules of [`open`]. Without a daemon (no
/// socket, or nobody behind it) it has none.
pub fn has(text: &str, options: &OpenOptions) -> Result<bool> {
    let Connection::Open(daemon) = Daemon::connect(options.containerd_address.as_deref())? else {
        return Ok(false);
    };
    match find(&daemon, text) {
        Ok(found) => Ok(found.is_some()),
        // Opening it tells between which.
        Err(Error::Ambiguous { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// The error for a document that an image's index or manifest names and the node lacks: images
/// are pulled for one platform, their indexes name all.
fn not_fetched(content: &ContentStore, found: &Found, blob: &str, options: &OpenOptions) -> Error {
    let present = fetched_platforms(content, found);
    let elsewhere = content.elsewhere();
    let fits = |platform: &Platform| options.platform.fit(platform).is_some();
    let because = if present.is_empty() || present.iter().any(fits) {
        format!(
            "{blob} is not in the content store, the image was pulled in part: pull it again, or \
             {elsewhere}"
        )
    } else {
        let present = present.iter().map(Platform::to_string).collect::<Vec<_>>().join(", ");
        format!(
            "{blob} for {} is not in the content store, this node pulled only {present}: choose \
             that with --platform, or {elsewhere}",
            options.platform
        )
    };
    Error::Remote { what: content.what(), because }
}

/// The platforms of the image's index whose manifests are on the node; none where that cannot be
/// told, because another error is on its way to the user already.
fn fetched_platforms(content: &ContentStore, found: &Found) -> Vec<Platform> {
    let read = || -> Result<Vec<Platform>> {
        let bytes = store::fetch(content, &found.root)?;
        let Document::Index(index) = parse_document(&content.what(), &bytes)? else {
            return Ok(Vec::new());
        };
        let entries = store::flatten(content, index)?;
        let mut present = Vec::new();
        for entry in entries.into_iter().filter(|entry| !entry.is_attestation()) {
            if let Some(platform) = entry.platform
                && content.holds(&entry.descriptor.digest)?
            {
                present.push(platform);
            }
        }
        Ok(present)
    };
    read().unwrap_or_default()
}
