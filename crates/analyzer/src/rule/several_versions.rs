//! Packages that are there in several versions.

use crate::facts::evidence::Confidence;
use crate::facts::package::Ecosystem;
use crate::rule::seen::Image;
use crate::rule::{Look, Rule, Used};
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    id: "several-versions",
    title: "packages in several versions",
    what: "Distributions of Python, packages of Node, gems and Java archives of one name and \
           several versions, all but the newest; of a distribution's packages those that carry \
           their version in their name (`openjdk-17-…`, `postgresql-15`).",
    why: "Each version has its own copy of everything. Sometimes two are needed; mostly one \
           requirement is out of date.",
    fix: "bring requirements to one version (npm dedupe, pip check)",
    example: "RUN npm dedupe",
    confidence: Confidence::Low,
    used: Used::Lowers,
    looks: &[Look::PackageSets(older)],
};

fn older(image: &Image<'_>) -> Vec<(usize, Confidence)> {
    let mut groups: BTreeMap<(Ecosystem, String), Vec<Versioned>> = BTreeMap::new();
    for (at, package) in image.facts.packages.all.iter().enumerate() {
        let (name, version) = match package.ecosystem {
            Ecosystem::Python | Ecosystem::Node | Ecosystem::Ruby | Ecosystem::Java => {
                (package.name.clone(), package.version.clone())
            }
            Ecosystem::Dpkg | Ecosystem::Apk | Ecosystem::Rpm => match in_name(&package.name) {
                Some(split) => split,
                None => continue,
            },
            Ecosystem::Go | Ecosystem::Rust => continue,
        };
        // Without a name or version there is nothing to compare.
        if !name.is_empty() && !version.is_empty() {
            groups.entry((package.ecosystem, name)).or_default().push((pieces(&version), at));
        }
    }
    let mut found = Vec::new();
    for versions in groups.into_values() {
        let Some(newest) = versions.iter().map(|(version, _)| version).max().cloned() else {
            continue;
        };
        let older = versions.into_iter().filter(|(version, _)| *version != newest);
        found.extend(older.map(|(_, at)| (at, Confidence::Low)));
    }
    found
}

/// Packages whose name carries their version: the name without it, and the version.
fn in_name(name: &str) -> Option<(String, String)> {
    const STARTS: [&str; 8] = [
        "openjdk-",
        "postgresql-",
        "postgresql-client-",
        "linux-headers-",
        "linux-image-",
        "llvm-",
        "python3.",
        "php8.",
    ];
    let start = STARTS.iter().find(|start| {
        let rest = name.strip_prefix(**start);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })?;
    let rest = &name[start.len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    Some((format!("{start}{}", &rest[end..]), rest[..end].to_owned()))
}

/// A package's version, and its position.
type Versioned = (Vec<Piece>, usize);

/// A number or a word of a version, least first: numbers are compared as such.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    /// What comes before the version that it stands behind: `rc`, `beta2`.
    Before(String),
    End,
    Word(String),
    Number(u64),
}

fn pieces(version: &str) -> Vec<Piece> {
    let parts = version.split(['.', '-', '+', '_', '~', ':']);
    let piece = |part: &str| part.parse().map_or_else(|_| Piece::word(part), Piece::Number);
    parts.map(piece).chain([Piece::End]).collect()
}

impl Piece {
    fn word(text: &str) -> Self {
        const BEFORE: [&str; 9] =
            ["a", "alpha", "b", "beta", "dev", "pre", "preview", "rc", "snapshot"];
        let text = text.to_ascii_lowercase();
        let word = text.trim_end_matches(|c: char| c.is_ascii_digit());
        if BEFORE.contains(&word) { Self::Before(text) } else { Self::Word(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(pieces("1.10.0") > pieces("1.9.9"));
        assert!(pieces("2.0") > pieces("2.0-rc.1") && pieces("2.0") > pieces("2.0-beta2"));
        assert!(pieces("2.0-rc.1") > pieces("1.9") && pieces("2.0.1") > pieces("2.0"));
        assert!(pieces("2.0-rc.10") > pieces("2.0-rc.9") && pieces("2.0-1") > pieces("2.0"));
        assert_eq!(in_name("openjdk-17-jre"), Some(("openjdk--jre".into(), "17".into())));
        assert_eq!(in_name("libc6"), None);
    }
}
