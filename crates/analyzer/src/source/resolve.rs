//! From what a person types to an image: a transport and what follows it, or a bare word.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jettison_oci::Reference;

use crate::error::{Error, Result};
use crate::source::archive::{self, Format};
use crate::source::{Image, OpenOptions, layout};

/// What an IMAGE argument means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `-`: an archive on standard input; `docker-archive:-[:REF]` and `oci-archive:-[:TAG]` too.
    Stdin,
    /// `docker-archive:FILE[:REF]`.
    DockerArchive(String),
    /// `oci:DIR[:TAG]`.
    Oci(String),
    /// `oci-archive:FILE[:TAG]`.
    OciArchive(String),
    /// `docker-daemon:REF`.
    DockerDaemon(String),
    /// `containers-storage:REF`.
    ContainersStorage(String),
    /// `containerd:[NAMESPACE/]REF`.
    Containerd(String),
    /// `docker://REF`.
    Registry(Reference),
    /// A word without a transport.
    Bare(String),
}

/// Reads an IMAGE argument, without looking at anything it names.
pub fn parse(word: &str) -> Result<Target> {
    if word == "-" {
        return Ok(Target::Stdin);
    }
    if let Some(reference) = word.strip_prefix("docker://") {
        return Ok(Target::Registry(reference.parse().map_err(usage)?));
    }
    let target: fn(String) -> Target = match word.split_once(':') {
        Some(("docker-archive", _)) => Target::DockerArchive,
        Some(("oci", _)) => Target::Oci,
        Some(("oci-archive", _)) => Target::OciArchive,
        Some(("docker-daemon", _)) => Target::DockerDaemon,
        Some(("containers-storage", _)) => Target::ContainersStorage,
        Some(("containerd", _)) => Target::Containerd,
        Some(("docker", _)) => {
            return Err(Error::Usage(format!(
                "{word:?}: an image at a registry is written docker://NAME, one in Docker's \
                 engine docker-daemon:NAME"
            )));
        }
        Some(("dir" | "ostree" | "tarball" | "sif" | "docker-dir" | "http" | "https", _))
            if !Path::new(word).exists() =>
        {
            return Err(Error::Usage(format!(
                "{word:?} names no transport of jettison: use docker-archive:, oci:, oci-archive:, \
                 docker-daemon:, containers-storage:, containerd: or docker://"
            )));
        }
        _ => return Ok(Target::Bare(word.to_owned())),
    };
    let rest = &word[word.find(':').map_or(0, |at| at + 1)..];
    if rest.is_empty() {
        return Err(Error::Usage(format!("{word:?} names nothing behind the colon")));
    }
    Ok(target(rest.to_owned()))
}

/// Finds the image that `word` means. `stdin` is read where it is `-`.
pub fn open(
    word: &str,
    stdin: &mut dyn FnMut() -> Box<dyn Read>,
    options: &OpenOptions,
) -> Result<Image> {
    match parse(word)? {
        Target::Stdin => archive::open_stream(stdin(), STDIN, None, None, options)
            .map_err(how_to_choose_from_a_stream),
        Target::DockerArchive(text) | Target::OciArchive(text) if is_stdin(&text).is_some() => {
            let format = if word.starts_with("oci") { Format::Oci } else { Format::Docker };
            let wanted = is_stdin(&text).filter(|wanted| !wanted.is_empty());
            archive::open_stream(stdin(), STDIN, Some(format), wanted, options)
        }
        Target::DockerArchive(text) => open_archive(&text, Some(Format::Docker), options),
        Target::OciArchive(text) => open_archive(&text, Some(Format::Oci), options),
        Target::Oci(text) => {
            let (path, wanted) = split_path(&text);
            layout::open_directory(&path, wanted, options)
        }
        Target::DockerDaemon(text) => docker_daemon(&text, options),
        Target::ContainersStorage(text) => containers_storage(&text, options),
        Target::Containerd(text) => containerd(&text, options),
        Target::Registry(reference) => registry(&reference, options),
        Target::Bare(word) => bare(&word, options),
    }
}

/// Standard input in messages.
const STDIN: &str = "standard input";

/// What stands behind `-` or `-:`.
fn is_stdin(text: &str) -> Option<&str> {
    match text.strip_prefix('-')? {
        "" => Some(""),
        rest => rest.strip_prefix(':'),
    }
}

/// A bare `-` has no place for a name.
fn how_to_choose_from_a_stream(error: Error) -> Error {
    match error {
        Error::Ambiguous { found, .. } => Error::Ambiguous {
            what: format!("{STDIN} (docker-archive:-:NAME or oci-archive:-:NAME chooses)"),
            found,
        },
        error => error,
    }
}

fn open_archive(text: &str, format: Option<Format>, options: &OpenOptions) -> Result<Image> {
    let (path, wanted) = split_path(text);
    if path.is_dir() {
        return Err(Error::NotAnImage {
            what: path.display().to_string(),
            expected: "an archive",
            because: if layout::is_layout(&path) {
                "it is an OCI layout directory: try oci:".to_owned()
            } else {
                "it is a directory".to_owned()
            },
        });
    }
    archive::open_file(&path, format, wanted, options)
}

/// An existing path; else a reference, looked up in the local engines and then at its registry.
fn bare(word: &str, options: &OpenOptions) -> Result<Image> {
    let (path, wanted) = split_path(word);
    match fs_err::metadata(&path) {
        Ok(found) if found.is_dir() => return layout::open_directory(&path, wanted, options),
        Ok(_) => return archive::open_file(&path, None, wanted, options),
        // A path that may not be looked at is no reference: nothing else is tried.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error.into()),
        Err(_) => {}
    }
    let looks_like_path = word.starts_with(['/', '.'])
        || [".tar", ".tgz", ".tar.gz", ".tar.zst", ".json"].iter().any(|end| word.ends_with(end));
    if looks_like_path {
        return Err(Error::NoSuchFile(PathBuf::from(word)));
    }
    let reference: Reference = word
        .parse()
        .map_err(|error| Error::Usage(format!("{error}; and there is no file of that name")))?;
    let mut warnings = Vec::new();
    let mut known = |found: Result<bool>| {
        found.unwrap_or_else(|error| {
            warnings.push(format!("passed over: {error}"));
            false
        })
    };
    let _ = &mut known;
    #[cfg(feature = "engine")]
    {
        use crate::source::engine;
        if known(engine::has_docker(word, options)) {
            return engine::open_docker(word, options);
        }
        if known(engine::has_podman(word, options)) {
            return engine::open_podman(word, options);
        }
    }
    #[cfg(feature = "containerd")]
    {
        use crate::source::containerd;
        if known(containerd::has(word, options)) {
            return containerd::open(word, options);
        }
    }
    let mut image = registry(&reference, options).map_err(|error| match error {
        Error::Remote { what, because } => {
            Error::Remote { what, because: [&[because], &warnings[..]].concat().join("\n  ") }
        }
        Error::Absent { what, because } => {
            Error::Absent { what, because: [&[because], &warnings[..]].concat().join("\n  ") }
        }
        error => error,
    })?;
    image.warnings.append(&mut warnings);
    Ok(image)
}

/// Splits `PATH[:REST]` where paths may hold colons too: the longest front that exists is the
/// path; where none does, the front before the first colon. What may not be looked at may exist.
fn split_path(text: &str) -> (PathBuf, Option<&str>) {
    let exists = |path: &str| Path::new(path).try_exists().unwrap_or(true);
    if exists(text) {
        return (PathBuf::from(text), None);
    }
    let colons = text.match_indices(':').map(|(at, _)| at);
    let split = colons
        .clone()
        .rev()
        .find(|at| *at > 0 && exists(&text[..*at]))
        .or_else(|| colons.clone().find(|at| *at > 0));
    match split {
        Some(at) => (PathBuf::from(&text[..at]), Some(&text[at + 1..]).filter(|t| !t.is_empty())),
        None => (PathBuf::from(text), None),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn usage(error: jettison_oci::reference::ReferenceError) -> Error {
    Error::Usage(error.to_string())
}

#[cfg(feature = "engine")]
fn docker_daemon(text: &str, options: &OpenOptions) -> Result<Image> {
    crate::source::engine::open_docker(text, options)
}

#[cfg(feature = "engine")]
fn containers_storage(text: &str, options: &OpenOptions) -> Result<Image> {
    crate::source::engine::open_podman(text, options)
}

#[cfg(not(feature = "engine"))]
fn docker_daemon(_: &str, _: &OpenOptions) -> Result<Image> {
    Err(Error::NotBuilt("docker-daemon:", "engine"))
}

#[cfg(not(feature = "engine"))]
fn containers_storage(_: &str, _: &OpenOptions) -> Result<Image> {
    Err(Error::NotBuilt("containers-storage:", "engine"))
}

#[cfg(feature = "containerd")]
fn containerd(text: &str, options: &OpenOptions) -> Result<Image> {
    crate::source::containerd::open(text, options)
}

#[cfg(not(feature = "containerd"))]
fn containerd(_: &str, _: &OpenOptions) -> Result<Image> {
    Err(Error::NotBuilt("containerd:", "containerd"))
}

#[cfg(feature = "registry")]
fn registry(reference: &Reference, options: &OpenOptions) -> Result<Image> {
    crate::source::registry::open(reference, options)
}

#[cfg(not(feature = "registry"))]
fn registry(_: &Reference, _: &OpenOptions) -> Result<Image> {
    Err(Error::NotBuilt("docker://", "registry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_are_told_from_words() {
        for (word, target) in [
            ("-", Target::Stdin),
            ("docker-archive:a.tar:x:1", Target::DockerArchive("a.tar:x:1".to_owned())),
            ("oci:dir", Target::Oci("dir".to_owned())),
            ("oci-archive:a", Target::OciArchive("a".to_owned())),
            ("docker-daemon:a:1", Target::DockerDaemon("a:1".to_owned())),
            ("containers-storage:a", Target::ContainersStorage("a".to_owned())),
            ("containerd:k8s.io/a", Target::Containerd("k8s.io/a".to_owned())),
            ("debian:12", Target::Bare("debian:12".to_owned())),
        ] {
            assert_eq!(parse(word).unwrap(), target, "{word}");
        }
        assert!(matches!(parse("docker://debian"), Ok(Target::Registry(_))));
        for bad in ["docker:debian", "docker://", "oci:", "docker://UPPER/x y", "dir:/nowhere"] {
            assert!(parse(bad).unwrap_err().is_usage(), "{bad}");
        }
    }

    #[test]
    fn paths_may_hold_colons() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a:b.tar");
        fs_err::write(&path, b"").unwrap();
        let text = path.to_str().unwrap();
        assert_eq!(split_path(text), (path.clone(), None));
        let tagged = format!("{text}:x:1");
        assert_eq!(split_path(&tagged), (path, Some("x:1")));
        assert_eq!(split_path("nowhere:x:1"), (PathBuf::from("nowhere"), Some("x:1")));
    }
}
