//! The names of an image: the one that it is kept under in a baseline, which must not change with
//! every build, and all those that a pattern may mean it by.

use std::path::Path;

use jettison_oci::Reference;

use crate::source::{Origin, Transport};

/// The name that an image is kept under: its repository without a tag; of an archive or layout
/// whose image has no name, the file's without its ending.
pub fn kept(origin: &Origin) -> String {
    if let Some(reference) = reference(origin) {
        return without_tag(&reference);
    }
    let path = origin.reference.split(':').next().unwrap_or_default();
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let plain = [".tar.gz", ".tar.zst", ".tgz", ".tar"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .filter(|plain| !plain.is_empty());
    match plain.unwrap_or(&name) {
        "" | "." | ".." => "image".to_owned(),
        plain => plain.to_owned(),
    }
}

/// Every form of the name of an image that was asked for as `word` and is kept under `name`.
pub fn all(word: &str, name: &str, origin: &Origin) -> Vec<String> {
    let mut names =
        vec![name.to_owned(), word.to_owned(), origin.to_string(), origin.reference.clone()];
    if let Some(reference) = reference(origin) {
        names.extend([
            reference.familiar(),
            without_tag(&reference),
            reference.to_string(),
            reference.name(),
        ]);
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// `NAME=IMAGE` apart; an image that is a file of that name is one.
pub fn split(word: &str) -> (Option<&str>, &str) {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/:-".contains(&b))
    };
    match word.split_once('=') {
        Some((name, image)) if is_name(name) && !image.is_empty() => (Some(name), image),
        _ => (None, word),
    }
}

fn without_tag(reference: &Reference) -> String {
    // A tag is what a name has where it says none.
    let familiar = reference.name().parse::<Reference>().map(|name| name.familiar());
    let familiar = familiar.unwrap_or_else(|_| reference.name());
    familiar.strip_suffix(":latest").unwrap_or(&familiar).to_owned()
}

/// The reference that an image was found by, where it has one.
fn reference(origin: &Origin) -> Option<Reference> {
    let text = origin.reference.as_str();
    let is_id = |text: &str| text.len() >= 12 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let parsed = match origin.transport {
        Transport::Docker | Transport::DockerDaemon | Transport::ContainersStorage => {
            // An image ID is no name.
            (!is_id(text)).then(|| text.parse().ok()).flatten()
        }
        Transport::Containerd => text.split_once('/').and_then(|(_, name)| name.parse().ok()),
        // `image.tar:example.test/shop:1`: what stands behind the file is a name.
        Transport::DockerArchive | Transport::OciArchive | Transport::Oci => text
            .match_indices(':')
            .map(|(at, _)| &text[at + 1..])
            .find(|rest| rest.contains(':') && !rest.starts_with("sha256:"))
            .and_then(|rest| rest.parse().ok()),
    };
    parsed.filter(|one: &Reference| !one.repository().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_change_with_the_build() {
        use Transport::{Containerd, Docker, DockerArchive, DockerDaemon, Oci};
        for (transport, reference, name) in [
            (Docker, "registry.example:5000/shop/web:pr-7", "registry.example:5000/shop/web"),
            (Docker, "debian:12", "debian"),
            (DockerDaemon, "app:latest", "app"),
            (DockerDaemon, "0123456789abcdef", "0123456789abcdef"),
            (Containerd, "k8s.io/docker.io/library/redis:7", "redis"),
            (DockerArchive, "build/app.tar:example.test/shop:1", "example.test/shop"),
            (DockerArchive, "build/app.tar.gz", "app"),
            (DockerArchive, "-", "-"),
            (Oci, "build/layout:v1", "layout"),
            (Oci, ".", "image"),
        ] {
            let origin = Origin { transport, reference: reference.to_owned() };
            assert_eq!(kept(&origin), name, "{reference}");
        }
    }

    #[test]
    fn a_name_may_be_given() {
        assert_eq!(split("web=build/app.tar"), (Some("web"), "build/app.tar"));
        assert_eq!(split("build/app.tar"), (None, "build/app.tar"));
        assert_eq!(split("a b=c"), (None, "a b=c"));
        assert_eq!(split("=c"), (None, "=c"));
        assert_eq!(split("web="), (None, "web="));
    }
}
