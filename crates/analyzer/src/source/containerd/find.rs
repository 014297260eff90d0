//! Which image a text means: its namespace, and the record or blob it leads to.

use std::collections::BTreeSet;

use jettison_oci::{Digest, Reference};

use crate::error::{Error, Result};
use crate::source::Descriptor;
use jettison_oci::escape;

use super::daemon::Daemon;
use jettison_grpc::containerd::content::Info;
use jettison_grpc::containerd::images::Image;

/// Where images are looked for without a namespace: Kubernetes' own, then that of `ctr` and
/// `nerdctl`.
const NAMESPACES: [&str; 2] = ["k8s.io", "default"];
/// The label by which a manifest's blob keeps its config's from being collected.
const CONFIG_LABEL: &str = "containerd.io/gc.ref.content.config";
/// What the labels of manifests and indexes begin with, and of no other blob.
const CONTENT_LABELS: &str = "containerd.io/gc.ref.content";
/// Hex digits from which on a text may be a shortened image ID; `crictl` shows 13.
const SHORT_ID_MIN: usize = 7;
/// Blobs looked at when a digest is searched: it names one, or a config that a few share.
const BLOBS_MAX: usize = 64;
/// Names listed in an error.
const LISTED_MAX: usize = 20;

/// An image that containerd knows.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) namespace: String,
    /// Its name as recorded, or the digest by which it was asked for.
    pub(super) name: String,
    /// Its index or manifest.
    pub(super) root: Descriptor,
}

/// Finds what `[NAMESPACE/]REF` means.
pub(super) fn find(daemon: &Daemon, text: &str) -> Result<Option<Found>> {
    let namespaces = daemon.namespaces()?;
    if let (Some(namespace), reference) = split(&namespaces, text)
        && let Some(found) = find_in(daemon, namespace, reference)?
    {
        return Ok(Some(found));
    }
    for namespace in NAMESPACES {
        if namespaces.iter().any(|known| known == namespace)
            && let Some(found) = find_in(daemon, namespace, text)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Parts what may be a namespace from the reference.
fn split<'a>(namespaces: &[String], text: &'a str) -> (Option<&'a str>, &'a str) {
    match text.split_once('/') {
        Some((first, rest)) if !rest.is_empty() && namespaces.iter().any(|name| name == first) => {
            (Some(first), rest)
        }
        _ => (None, text),
    }
}

fn find_in(daemon: &Daemon, namespace: &str, text: &str) -> Result<Option<Found>> {
    if let Some(image) = daemon.image(namespace, text)? {
        return found(daemon, namespace, image).map(Some);
    }
    if let Ok(digest) = text.parse::<Digest>() {
        return by_digest(daemon, namespace, &digest);
    }
    if let Ok(reference) = text.parse::<Reference>()
        && let Some(image) = by_reference(daemon, namespace, &reference)?
    {
        return found(daemon, namespace, image).map(Some);
    }
    by_short_id(daemon, namespace, text)
}

/// The image of a normalised reference. With a digest, the tag only explains: what counts is
/// that the repository's image has that digest.
fn by_reference(daemon: &Daemon, namespace: &str, reference: &Reference) -> Result<Option<Image>> {
    if let Some(image) = daemon.image(namespace, &reference.to_string())? {
        return Ok(Some(image));
    }
    let Some(digest) = reference.digest() else { return Ok(None) };
    let of_repository = |image: &Image| {
        image.name.parse::<Reference>().is_ok_and(|other| other.name() == reference.name())
    };
    let images = daemon.images(namespace, vec![by_target(digest)])?;
    Ok(images.into_iter().find(of_repository))
}

/// The image whose index, manifest or config has the digest.
fn by_digest(daemon: &Daemon, namespace: &str, digest: &Digest) -> Result<Option<Found>> {
    let mut images = daemon.images(namespace, vec![by_target(digest)])?;
    // All are the same image: the name that says most is shown.
    images.sort_by_key(|image| image.name.contains('@'));
    if let Some(image) = images.into_iter().next() {
        return found(daemon, namespace, image).map(Some);
    }
    // A manifest below an index, or a config: blobs that no image record names, but that labels
    // tell apart without a document being read.
    let filters = vec![format!("digest=={digest}"), format!("labels.{CONFIG_LABEL:?}=={digest}")];
    let blobs = daemon.blobs(namespace, filters, BLOBS_MAX)?;
    let document = |info: &&Info| info.labels.keys().any(|key| key.starts_with(CONTENT_LABELS));
    let mut roots: Vec<&Info> = blobs.iter().filter(document).collect();
    if let Some(named) = roots.iter().position(|info| info.digest == digest.as_str()) {
        roots = vec![roots[named]];
    }
    match &roots[..] {
        [] => Ok(None),
        [info] => Ok(Some(Found {
            namespace: namespace.to_owned(),
            name: digest.to_string(),
            root: descriptor(daemon, &info.digest, info.size, "")?,
        })),
        several => Err(Error::Ambiguous {
            what: format!("{}, namespace {namespace}: the config {digest}", daemon.name()),
            found: several.iter().map(|info| format!("{namespace}/{}", info.digest)).collect(),
        }),
    }
}

/// The image of an ID as `crictl images` shortens it: in Kubernetes' namespace every image is
/// also recorded under its ID.
fn by_short_id(daemon: &Daemon, namespace: &str, text: &str) -> Result<Option<Found>> {
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.len() < SHORT_ID_MIN || text.len() > 64 || !text.bytes().all(is_hex) {
        return Ok(None);
    }
    let mut images = daemon.images(namespace, vec![format!("name~=\"^sha256:{text}\"")])?;
    if images.len() > 1 {
        return Err(Error::Ambiguous {
            what: format!("{}, namespace {namespace}: the ID {text}", daemon.name()),
            found: images.iter().map(|image| format!("{namespace}/{}", image.name)).collect(),
        });
    }
    images.pop().map(|image| found(daemon, namespace, image)).transpose()
}

fn by_target(digest: &Digest) -> String {
    format!("target.digest=={digest}")
}

fn found(daemon: &Daemon, namespace: &str, image: Image) -> Result<Found> {
    let what = || format!("{}, namespace {namespace}: {}", daemon.name(), image.name);
    let target = image
        .target
        .as_ref()
        .ok_or_else(|| Error::malformed(what(), "its record has no target"))?;
    Ok(Found {
        namespace: namespace.to_owned(),
        root: descriptor(daemon, &target.digest, target.size, &target.media_type)?,
        name: image.name,
    })
}

fn descriptor(daemon: &Daemon, digest: &str, size: i64, media_type: &str) -> Result<Descriptor> {
    Ok(Descriptor {
        media_type: media_type.to_owned(),
        digest: digest.parse().map_err(|error| Error::malformed(daemon.name(), error))?,
        size: u64::try_from(size).unwrap_or(0),
    })
}

/// The error for a text that [`find`] found nothing for, with what the user may have meant.
pub(super) fn no_such_image(daemon: &Daemon, text: &str) -> Result<Error> {
    let namespaces = daemon.namespaces()?;
    let (namespace, wanted) = split(&namespaces, text);
    let mut names = BTreeSet::new();
    for known in &namespaces {
        for image in daemon.images(known, Vec::new())? {
            names.insert((known.as_str(), image.name));
        }
    }
    let what = match namespace {
        Some(namespace) => format!("{}, namespace {namespace},", daemon.name()),
        None if namespaces.is_empty() => format!("{} (it has no namespaces)", daemon.name()),
        None => format!("{} (namespaces {})", daemon.name(), namespaces.join(", ")),
    };
    Ok(Error::NoSuchImage {
        what,
        wanted: escape::line(wanted),
        found: suggestions(&names, wanted),
    })
}

/// Names as they may be given, those most like `wanted` if any are, else all, up to a limit.
fn suggestions(names: &BTreeSet<(&str, String)>, wanted: &str) -> Vec<String> {
    // The records of IDs and digests say little: they are listed only where nothing else is.
    let (tagged, bare): (Vec<_>, Vec<_>) =
        names.iter().partition(|(_, name)| !name.starts_with("sha256:") && !name.contains('@'));
    let listed = if tagged.is_empty() { bare } else { tagged };
    let component = last_component(wanted).to_lowercase();
    let similar: Vec<_> = listed
        .iter()
        .copied()
        .filter(|(_, name)| {
            let name = last_component(name).to_lowercase();
            !component.is_empty() && (name.contains(&component) || component.contains(&name))
        })
        .collect();
    let listed = if similar.is_empty() { listed } else { similar };
    let mut rows: Vec<String> = listed
        .iter()
        .take(LISTED_MAX)
        .map(|(namespace, name)| escape::line(&format!("{namespace}/{name}")))
        .collect();
    if listed.len() > LISTED_MAX {
        rows.push(format!("... and {} more", listed.len() - LISTED_MAX));
    }
    rows
}

/// The repository's last part, without tag and digest.
fn last_component(name: &str) -> &str {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    let name = name.rsplit_once('/').map_or(name, |(_, last)| last);
    name.split_once(':').map_or(name, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rows: &[(&'static str, &str)]) -> BTreeSet<(&'static str, String)> {
        rows.iter().map(|(namespace, name)| (*namespace, (*name).to_owned())).collect()
    }

    #[test]
    fn suggests_the_names_most_like_what_was_asked_for() {
        let names = names(&[
            ("default", "localhost/app:1"),
            ("k8s.io", "docker.io/library/debian:12"),
            ("k8s.io", "registry.example:5000/team/App-worker:2"),
            ("k8s.io", "sha256:aaaa"),
        ]);
        assert_eq!(
            suggestions(&names, "docker.io/library/app:3"),
            ["default/localhost/app:1", "k8s.io/registry.example:5000/team/App-worker:2"]
        );
        assert_eq!(suggestions(&names, "redis").len(), 3, "all names, no IDs");
        assert_eq!(suggestions(&names, "/").len(), 3);
    }

    #[test]
    fn ids_are_suggested_where_nothing_else_is() {
        let names = names(&[("k8s.io", "sha256:aaaa")]);
        assert_eq!(suggestions(&names, "redis"), ["k8s.io/sha256:aaaa"]);
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let names: BTreeSet<_> =
            (0..LISTED_MAX + 5).map(|n| ("default", format!("image-{n:02}:1"))).collect();
        let rows = suggestions(&names, "image");
        assert_eq!(rows.len(), LISTED_MAX + 1);
        assert_eq!(rows[LISTED_MAX], "... and 5 more");
    }

    #[test]
    fn control_characters_of_names_are_escaped() {
        let names = names(&[("default", "app\x1b[2J:1")]);
        assert_eq!(suggestions(&names, "redis"), ["default/app\\x1b[2J:1"]);
    }
}
