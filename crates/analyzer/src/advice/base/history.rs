//! What rows of the history tell of the base image. Official images end in rows that nobody else
//! writes: the version of a language in the environment, and some rows later the command that their
//! Dockerfile ends with.

use crate::advice::base::candidate::Language;
use crate::advice::base::version::Version;
use crate::image::config::HistoryEntry;

/// The part of the history that is a base image's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BaseRows {
    /// The language that it is made for, and its version; `None` for a plain distribution.
    pub(super) language: Option<(Language, Version)>,
    /// The row that its Dockerfile ends with.
    pub(super) end: String,
    /// How many rows are its.
    pub(super) rows: usize,
    /// Whether it stands on the image with everything that builds need.
    pub(super) has_build_tools: bool,
}

/// An official image with a language: the variable with its version, and what its Dockerfile ends
/// with, the last first.
const LANGUAGES: [(&str, Language, &[&str]); 5] = [
    ("PYTHON_VERSION", Language::Python, &["CMD [\"python3\"]"]),
    ("NODE_VERSION", Language::Node, &["CMD [\"node\"]", "CMD [ \"node\" ]"]),
    (
        "JAVA_VERSION",
        Language::Java,
        &["CMD [\"jshell\"]", "ENTRYPOINT [\"/__cacert_entrypoint.sh\"]"],
    ),
    ("PHP_VERSION", Language::Php, &["CMD [\"php-fpm\"]", "CMD [\"php\" \"-a\"]"]),
    ("RUBY_VERSION", Language::Ruby, &["CMD [\"irb\"]"]),
];

/// What a plain distribution's image ends with.
const DISTRIBUTION_ENDS: [&str; 3] = ["CMD [\"bash\"]", "CMD [\"/bin/bash\"]", "CMD [\"/bin/sh\"]"];

impl BaseRows {
    /// The base image's part, where the history tells it.
    pub(super) fn find(history: &[HistoryEntry]) -> Option<Self> {
        let rows: Vec<String> = history.iter().map(|row| instruction(&row.created_by)).collect();
        Self::with_language(&rows).or_else(|| Self::distribution(history, &rows))
    }

    fn with_language(rows: &[String]) -> Option<Self> {
        LANGUAGES.into_iter().find_map(|(variable, language, ends)| {
            let (set, version) = rows.iter().enumerate().find_map(|(at, row)| {
                let value = environment(row, variable)?;
                // Temurin's is `jdk-17.0.12+7`.
                let value =
                    value.strip_prefix("jdk-").or(value.strip_prefix("jdk")).unwrap_or(value);
                Some((at, Version::parse(value)?))
            })?;
            let rest = &rows[set + 1..];
            let end = ends.iter().find_map(|end| rest.iter().position(|row| row == end))?;
            let end = set + 1 + end;
            Some(Self {
                language: Some((language, version)),
                end: rows[end].clone(),
                rows: end + 1,
                // What buildpack-deps installs and no other base does.
                has_build_tools: rows[..end].iter().any(|row| row.contains("mercurial")),
            })
        })
    }

    fn distribution(history: &[HistoryEntry], rows: &[String]) -> Option<Self> {
        let first = (0..rows.len()).find(|at| !history[*at].empty_layer)?;
        let row = &rows[first];
        let plain = |rows: usize, end: &str| {
            Some(Self { language: None, end: end.to_owned(), rows, has_build_tools: false })
        };
        // debuerreotype writes one row that says all.
        if row.contains("debian.sh --arch") {
            let next = rows.get(first + 1).filter(|row| DISTRIBUTION_ENDS.contains(&row.as_str()));
            return plain(first + 1 + usize::from(next.is_some()), row);
        }
        let words: Vec<&str> = row.split(' ').collect();
        let is_root = words.first() == Some(&"ADD")
            && (words.last() == Some(&"/") || row.contains("rootfs"))
            && (row.contains("file:") || row.contains(".tar"));
        if !is_root {
            return None;
        }
        let next = rows.get(first + 1..)?.iter().position(|row| !is_label(row));
        let end = next.map(|at| first + 1 + at)?;
        let row = rows.get(end).filter(|row| DISTRIBUTION_ENDS.contains(&row.as_str()))?;
        plain(end + 1, row)
    }

    /// How many layers those rows made; `None` where the history does not match the layers.
    pub(super) fn layers(&self, history: &[HistoryEntry], layers: usize) -> Option<usize> {
        let made = |rows: &[HistoryEntry]| rows.iter().filter(|row| !row.empty_layer).count();
        (made(history) == layers).then(|| made(&history[..self.rows.min(history.len())]))
    }
}

/// Whether a row only describes the image.
fn is_label(row: &str) -> bool {
    ["LABEL ", "ARG ", "MAINTAINER "].iter().any(|keyword| row.starts_with(keyword))
}

/// A row without what its builder writes around the instruction.
fn instruction(created_by: &str) -> String {
    let text = created_by.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.split_once("#(nop)").map_or(text.as_str(), |(_, rest)| rest);
    text.trim().trim_end_matches("# buildkit").trim().to_owned()
}

/// The value that an `ENV` row sets a variable to.
fn environment<'a>(row: &'a str, variable: &str) -> Option<&'a str> {
    let rest = row.strip_prefix("ENV ")?;
    let assignment = rest.split(' ').find_map(|word| {
        let (name, value) = word.split_once('=')?;
        (name == variable).then_some(value)
    });
    // `ENV NAME value`, as older files have it.
    assignment.or_else(|| rest.strip_prefix(variable)?.strip_prefix(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(rows: &[(&str, bool)]) -> Vec<HistoryEntry> {
        let row = |(text, empty): &(&str, bool)| HistoryEntry {
            created_by: (*text).to_owned(),
            empty_layer: *empty,
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn an_official_image_with_a_language_is_recognized() {
        let rows = history(&[
            ("# debian.sh --arch 'amd64' out/ 'bookworm' '@1787529600'", false),
            ("ENV PATH=/usr/local/bin:/usr/bin", true),
            ("RUN /bin/sh -c apt-get update # buildkit", false),
            ("ENV PYTHON_VERSION=3.11.9", true),
            ("RUN /bin/sh -c make # buildkit", false),
            ("CMD [\"python3\"]", true),
            ("COPY . /app # buildkit", false),
            ("CMD [\"python\" \"main.py\"]", true),
        ]);
        let found = BaseRows::find(&rows).unwrap();
        assert_eq!(found.language, Some((Language::Python, Version::parse("3.11.9").unwrap())));
        assert_eq!((found.rows, found.layers(&rows, 4)), (6, Some(3)));
        assert!(!found.has_build_tools);
        // A history that does not match the layers tells no number of them.
        assert_eq!(found.layers(&rows, 3), None);
    }

    #[test]
    fn the_first_builders_words_are_read_too() {
        let rows = history(&[
            ("/bin/sh -c #(nop) ADD file:0123 in / ", false),
            ("/bin/sh -c #(nop)  CMD [\"bash\"]", true),
            ("/bin/sh -c apt-get install -y git mercurial openssh-client", false),
            ("/bin/sh -c #(nop)  ENV NODE_VERSION=20.11.1", true),
            ("/bin/sh -c #(nop)  CMD [\"node\"]", true),
        ]);
        let found = BaseRows::find(&rows).unwrap();
        assert_eq!(found.language.unwrap().0, Language::Node);
        assert!(found.has_build_tools);
        // Without the row that it ends with, only the distribution below is told.
        let found = BaseRows::find(&rows[..4]).unwrap();
        assert_eq!((found.language, found.rows), (None, 2));
    }

    #[test]
    fn a_plain_distribution_is_recognized() {
        let alpine = history(&[
            ("ADD alpine-minirootfs-3.20.3-x86_64.tar.gz / # buildkit", false),
            ("CMD [\"/bin/sh\"]", true),
            ("COPY app / # buildkit", false),
        ]);
        let found = BaseRows::find(&alpine).unwrap();
        assert_eq!((found.rows, found.layers(&alpine, 2)), (2, Some(1)));
        let ubuntu = history(&[
            ("/bin/sh -c #(nop)  ARG RELEASE", true),
            ("/bin/sh -c #(nop)  LABEL org.opencontainers.image.version=24.04", true),
            ("/bin/sh -c #(nop) ADD file:bcebbf in / ", false),
            ("/bin/sh -c #(nop)  CMD [\"/bin/bash\"]", true),
        ]);
        assert_eq!(BaseRows::find(&ubuntu).unwrap().rows, 4);
    }

    #[test]
    fn what_others_write_tells_nothing() {
        for rows in [
            &[("COPY app / # buildkit", false)][..],
            &[("ADD app.tar / # buildkit", false), ("CMD [\"/app\"]", true)],
            &[("ENV PYTHON_VERSION=3.11", true), ("COPY . / # buildkit", false)],
            &[("", false)],
            &[],
        ] {
            assert_eq!(BaseRows::find(&history(rows)), None, "{rows:?}");
        }
    }
}
