//! Image names, in the grammar and with the defaults of the distribution project: a name without
//! a registry is Docker Hub's, one without a namespace is in `library/`, one without a tag or
//! digest means `latest`.

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;

/// Docker Hub's name in references.
pub const DEFAULT_REGISTRY: &str = "docker.io";
/// The tag that a reference without one means.
pub const DEFAULT_TAG: &str = "latest";
/// The longest `registry/repository` the distribution project accepts, in bytes.
pub const NAME_MAX: usize = 255;
/// The longest tag, in bytes.
pub const TAG_MAX: usize = 128;

/// A normalised reference: `registry/repository[:tag][@digest]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an image reference: {because}")]
pub struct ReferenceError {
    text: String,
    because: &'static str,
}

impl Reference {
    /// `docker.io`, `registry.example:5000`, `localhost`, …
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path below the registry, `library/debian`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag as written; `None` where only a digest stands.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where the reference pins one.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// `registry/repository`, without tag and digest.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The same repository at `digest`, without a tag.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The shortest form that means the same: `debian:12` for `docker.io/library/debian:12`.
    pub fn familiar(&self) -> String {
        if self.registry == DEFAULT_REGISTRY {
            let name = self.repository.strip_prefix("library/").unwrap_or(&self.repository);
            for name in [name, &self.repository] {
                let familiar = format!("{name}{}", Suffix(self));
                // `library/a/b` needs its first component, and `localhost/a` its registry.
                if familiar.parse().is_ok_and(|meant: Self| meant == *self) {
                    return familiar;
                }
            }
        }
        self.to_string()
    }

    /// Whether the registry is this machine, where plain HTTP is what people run.
    pub fn is_local(&self) -> bool {
        let host = match self.registry.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or(rest),
            None => self.registry.split(':').next().unwrap_or(&self.registry),
        };
        // A name such as 127.example.org is anybody's.
        let address = host.parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

/// `[:tag][@digest]`.
struct Suffix<'a>(&'a Reference);

impl fmt::Display for Suffix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tag) = &self.0.tag {
            write!(f, ":{tag}")?;
        }
        match &self.0.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.registry, self.repository, Suffix(self))
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let error = |because| ReferenceError { text: text.to_owned(), because };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (
                rest,
                Some(digest.parse().map_err(|_| error("what follows the @ is not a digest"))?),
            ),
            None => (text, None),
        };
        // A colon after the last slash opens a tag; one before it is the registry's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if name.is_empty() {
            return Err(error("the name is empty"));
        }
        if let Some(tag) = tag
            && !is_tag(tag)
        {
            return Err(error(
                "a tag is 1 to 128 letters, digits, dots, dashes and underscores, \
                 and starts with none of . and -",
            ));
        }
        let (registry, repository) = match name.split_once('/') {
            Some((first, repository)) if is_registry_like(first) => (first, repository.to_owned()),
            Some(_) => (DEFAULT_REGISTRY, name.to_owned()),
            None => (DEFAULT_REGISTRY, format!("library/{name}")),
        };
        let registry = if registry == "index.docker.io" { DEFAULT_REGISTRY } else { registry };
        let repository = if registry == DEFAULT_REGISTRY && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository
        };
        if !is_registry(registry) {
            return Err(error("the registry is not a host name with an optional port"));
        }
        if !repository.split('/').all(is_path_component) {
            return Err(error(
                "a repository is lower-case letters and digits, parted by single . _ - or /",
            ));
        }
        if registry.len() + 1 + repository.len() > NAME_MAX {
            return Err(error("the name is longer than 255 characters"));
        }
        let tag = match (tag, &digest) {
            (Some(tag), _) => Some(tag.to_owned()),
            (None, Some(_)) => None,
            (None, None) => Some(DEFAULT_TAG.to_owned()),
        };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

/// Docker's test of whether the first component names a registry at all.
fn is_registry_like(first: &str) -> bool {
    first == "localhost"
        || first.contains(['.', ':'])
        || first.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_registry(text: &str) -> bool {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        if !address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') || address.is_empty() {
            return false;
        }
        ("", port.strip_prefix(':').or(if port.is_empty() { None } else { Some("") }))
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    (text.starts_with('[') || host.split('.').all(label))
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= TAG_MAX
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

/// Letters and digits, parted by one dot, one or two underscores, or any number of dashes.
fn is_path_component(component: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    if !bytes.first().is_some_and(|b| alphanumeric(*b))
        || !bytes.last().is_some_and(|b| alphanumeric(*b))
    {
        return false;
    }
    bytes
        .split(|b| alphanumeric(*b))
        .filter(|separator| !separator.is_empty())
        .all(|s| matches!(s, b"." | b"_" | b"__") || s.iter().all(|b| *b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn normalises_as_docker_does() {
        for (text, full) in [
            ("debian", "docker.io/library/debian:latest"),
            ("debian:12", "docker.io/library/debian:12"),
            ("acme/app", "docker.io/acme/app:latest"),
            ("docker.io/debian", "docker.io/library/debian:latest"),
            ("index.docker.io/acme/app:1", "docker.io/acme/app:1"),
            ("localhost/app", "localhost/app:latest"),
            ("localhost:5000/app:v1", "localhost:5000/app:v1"),
            ("reg.example:5000/a/b/c__d:V.1-x", "reg.example:5000/a/b/c__d:V.1-x"),
            ("[::1]:5000/app", "[::1]:5000/app:latest"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), full);
        }
        let digest = Digest::sha256(b"");
        let pinned: Reference = format!("debian@{digest}").parse().unwrap();
        assert_eq!(pinned.to_string(), format!("docker.io/library/debian@{digest}"));
        assert_eq!(pinned.familiar(), format!("debian@{digest}"));
        assert_eq!(pinned.tag(), None);
    }

    #[test]
    fn what_is_familiar_means_the_same() {
        for (text, familiar) in [
            ("docker.io/library/debian:12", "debian:12"),
            ("docker.io/acme/app:1", "acme/app:1"),
            ("docker.io/library/a/b", "library/a/b:latest"),
            ("docker.io/library/library", "library:latest"),
            ("docker.io/localhost/a", "docker.io/localhost/a:latest"),
            ("docker.io/acme.example/a", "docker.io/acme.example/a:latest"),
            ("reg.example/library/a", "reg.example/library/a:latest"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.familiar(), familiar);
            assert_eq!(familiar.parse::<Reference>().unwrap(), reference, "{familiar}");
        }
    }

    #[test]
    fn refuses_what_no_registry_accepts() {
        let long = "a".repeat(256);
        for bad in [
            "",
            ":tag",
            "Debian/x y",
            "a//b",
            "a/-b",
            "a..b",
            "a___b",
            "debian:",
            "debian:.x",
            "debian@sha256:00",
            "reg.example:99999/app",
            "/etc/passwd",
            "a/B",
            &long,
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
    }

    #[test]
    fn knows_this_machine() {
        for (text, local) in [
            ("localhost:5000/a", true),
            ("127.0.0.1:5000/a", true),
            ("[::1]:5000/a", true),
            ("127.8.9.1/a", true),
            ("registry.example/a", false),
            ("127.evil.example/a", false),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().is_local(), local, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_parses_or_fails_and_what_parses_round_trips(text in "\\PC{0,40}") {
            if let Ok(reference) = text.parse::<Reference>() {
                let again: Reference = reference.to_string().parse().unwrap();
                prop_assert_eq!(&again, &reference);
                let familiar: Reference = reference.familiar().parse().unwrap();
                prop_assert_eq!(familiar, reference);
            }
        }
    }
}
