//! What an image starts from today: told, or read from what its base left in it. What neither tells
//! is not known.

use jettison_oci::Bytes;

use crate::account::Account;
use crate::account::base::{Base, BaseSource};
use crate::advice::base::candidate::{Language, Libc};
use crate::advice::base::history::BaseRows;
use crate::advice::base::release::OsRelease;
use crate::advice::base::version::Version;
use crate::error::Result;
use crate::facts::Facts;
use crate::facts::filesystem::Filesystem;
use crate::facts::package::Ecosystem;
use crate::image::config::HistoryEntry;

/// Today's base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Today {
    /// Its name.
    pub name: Option<String>,
    /// The distribution's id in `os-release`.
    pub distribution: Option<String>,
    /// Its release, as tables of images have it: `12`, `3.20`.
    pub version: Option<String>,
    /// What the distribution calls itself.
    pub title: Option<String>,
    /// Its C library.
    pub libc: Option<Libc>,
    /// The version of that, where it is known.
    pub libc_version: Option<Version>,
    /// How many of the bottom layers are its.
    pub layers: Option<usize>,
    /// Bytes of those layers' files.
    pub bytes: Option<Bytes>,
    /// How that is known.
    pub how: String,
}

/// What an image says of its base.
#[derive(Clone, Debug, Default)]
pub struct Signs<'a> {
    /// What annotations or the caller tell.
    pub told: Option<&'a Base>,
    /// Its `os-release`.
    pub release: Option<OsRelease>,
    /// The history.
    pub history: &'a [HistoryEntry],
    /// How many layers there are.
    pub layers: usize,
    /// Which C library's loader is there.
    pub libc: Option<Libc>,
    /// The version of the C library's package.
    pub libc_version: Option<Version>,
    /// Whether the lowest layer holds manual pages, which slim variants leave out.
    pub has_manuals: bool,
    /// Whether packages are listed as distroless images list them.
    pub is_distroless: bool,
}

impl Today {
    /// Today's base of an account.
    pub fn of(account: &Account, facts: &Facts, files: &Filesystem<'_>) -> Result<Self> {
        let mut release = None;
        for path in [&b"etc/os-release"[..], b"usr/lib/os-release"] {
            if release.is_none()
                && let Some(document) = files.document(path)?
            {
                release = OsRelease::parse(document.text());
            }
        }
        let package = |ecosystem, name: &str| {
            let all = facts.packages.all.iter();
            all.filter(|p| p.ecosystem == ecosystem && p.name == name)
                .find_map(|p| Version::parse(&p.version))
        };
        let is_distroless =
            files.find(b"var/lib/dpkg/status.d").is_some() && files.file(b"bin/sh").is_none();
        let signs = Signs {
            told: account.base.as_ref(),
            release,
            history: &account.image.config.history,
            layers: account.layers.len(),
            libc: libc(files),
            libc_version: package(Ecosystem::Dpkg, "libc6")
                .or_else(|| package(Ecosystem::Rpm, "glibc"))
                .or_else(|| package(Ecosystem::Apk, "glibc")),
            has_manuals: account.indexes.first().is_some_and(|index| {
                index
                    .entries()
                    .any(|entry| entry.path().starts_with(b"usr/share/man/man") && entry.size() > 0)
            }),
            is_distroless,
        };
        let mut today = Self::detect(&signs);
        today.bytes = today.layers.map(|layers| {
            let rows = account.layers.iter().take(layers);
            Bytes(rows.map(|row| row.files.get()).fold(0, u64::saturating_add))
        });
        Ok(today)
    }

    /// Today's base by what the image says.
    pub fn detect(signs: &Signs<'_>) -> Self {
        let release = signs.release.as_ref();
        let text = |of: fn(&OsRelease) -> String| release.map(of).filter(|text| !text.is_empty());
        let mut today = Self {
            distribution: text(|release| release.id.clone()),
            version: text(OsRelease::release),
            title: text(|release| release.title.clone()),
            libc: signs.libc,
            libc_version: signs.libc_version.clone(),
            ..Self::default()
        };
        let mut how = Vec::new();
        if let Some(base) = signs.told {
            today.name.clone_from(&base.reference);
            today.layers = base.layers;
            how.push(match base.source {
                BaseSource::Annotation => "the image's annotations name it".to_owned(),
                BaseSource::Count | BaseSource::Image | BaseSource::CommonPrefix => {
                    "--base tells it".to_owned()
                }
            });
        }
        if today.name.is_none() || today.layers.is_none() {
            if let Some(rows) = BaseRows::find(signs.history) {
                today.layers = today.layers.or_else(|| rows.layers(signs.history, signs.layers));
                how.push(format!("the history has `{}`", jettison_oci::escape::line(&rows.end)));
                today.name = today.name.or_else(|| name(&rows, signs));
            } else if signs.is_distroless {
                let leading = signs.history.iter();
                let bazel = leading.take_while(|row| row.created_by.contains("bazel")).count();
                today.layers = today
                    .layers
                    .or(Some(bazel).filter(|layers| (1..=signs.layers).contains(layers)));
                how.push("packages are listed as distroless images list them".to_owned());
            }
        }
        if let Some(title) = &today.title {
            how.push(format!("os-release says {}", jettison_oci::escape::line(title)));
        }
        today.how = if how.is_empty() {
            "nothing in the image tells what it starts from".to_owned()
        } else {
            how.join("; ")
        };
        today
    }

    /// Its name in a sentence.
    pub fn called(&self) -> Option<String> {
        let distribution = || {
            let release = self.version.as_deref().map(|v| format!(" {v}")).unwrap_or_default();
            self.distribution.as_ref().map(|id| format!("{id}{release}"))
        };
        self.name.clone().or_else(distribution)
    }
}

/// The name of an official image, with everything that is known of its variant.
fn name(rows: &BaseRows, signs: &Signs<'_>) -> Option<String> {
    let release = signs.release.as_ref()?;
    let is_alpine = release.id == "alpine";
    let suite = || Some(release.codename.as_str()).filter(|name| !name.is_empty());
    let Some((language, version)) = &rows.language else {
        return Some(match release.id.as_str() {
            "debian" => {
                let slim = if signs.has_manuals { "" } else { "-slim" };
                format!("debian:{}{slim}", suite()?)
            }
            "alpine" | "ubuntu" if !release.version.is_empty() => {
                format!("{}:{}", release.id, release.release())
            }
            _ => return None,
        });
    };
    let version = version.front(language.numbers());
    let alpine = format!("alpine{}", release.release());
    let kind = match language {
        Language::Python | Language::Node | Language::Ruby if is_alpine => alpine,
        Language::Python | Language::Node | Language::Ruby if rows.has_build_tools => {
            suite()?.to_owned()
        }
        Language::Python | Language::Ruby => format!("slim-{}", suite()?),
        Language::Node => format!("{}-slim", suite()?),
        Language::Php => {
            let server = if rows.end.contains("fpm") { "fpm" } else { "cli" };
            let on = if is_alpine { alpine } else { suite()?.to_owned() };
            format!("{server}-{on}")
        }
        Language::Java => {
            let what = if rows.end.contains("jshell") { "jdk" } else { "jre" };
            let on = if is_alpine {
                format!("alpine-{}", release.release())
            } else {
                suite()?.to_owned()
            };
            format!("{what}-{on}")
        }
        Language::Perl => return None,
    };
    let image = match language {
        Language::Python => "python",
        Language::Node => "node",
        Language::Java => "eclipse-temurin",
        Language::Ruby => "ruby",
        Language::Php => "php",
        Language::Perl => return None,
    };
    Some(format!("{image}:{version}-{kind}"))
}

/// Which C library's loader stands in an image; `None` where there is none. Alpine's glibc layer
/// brings the name of the other one's.
fn libc(files: &Filesystem<'_>) -> Option<Libc> {
    let has = |name: &[u8]| {
        [&b"lib"[..], b"lib64", b"usr/lib", b"usr/lib64"].iter().any(|directory| {
            files.find(directory).is_some_and(|found| {
                files
                    .tree()
                    .children(found.node)
                    .any(|child| files.tree().name(child).starts_with(name))
            })
        })
    };
    if has(b"ld-musl-") {
        Some(Libc::Musl)
    } else if has(b"ld-linux") || has(b"ld64.so") {
        Some(Libc::Glibc)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debian() -> Option<OsRelease> {
        OsRelease::parse(
            b"ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\nPRETTY_NAME=Debian 12",
        )
    }

    fn history(rows: &[(&str, bool)]) -> Vec<HistoryEntry> {
        let row = |(text, empty): &(&str, bool)| HistoryEntry {
            created_by: (*text).to_owned(),
            empty_layer: *empty,
        };
        rows.iter().map(row).collect()
    }

    fn named(signs: &Signs<'_>) -> Option<String> {
        Today::detect(signs).name
    }

    #[test]
    fn what_is_told_comes_first() {
        let base = Base {
            source: BaseSource::Annotation,
            reference: Some("registry.example/base:1".to_owned()),
            layers: Some(2),
            image_layers: Some(2),
        };
        let signs = Signs { told: Some(&base), release: debian(), layers: 3, ..Signs::default() };
        let today = Today::detect(&signs);
        assert_eq!(today.called().as_deref(), Some("registry.example/base:1"));
        assert_eq!((today.layers, today.version.as_deref()), (Some(2), Some("12")));
        assert!(today.how.contains("annotations"), "{}", today.how);
    }

    #[test]
    fn official_images_are_named_with_their_variant() {
        let plain = history(&[("# debian.sh --arch 'amd64' out/ 'bookworm'", false)]);
        let mut signs = Signs { release: debian(), history: &plain, layers: 1, ..Signs::default() };
        assert_eq!(named(&signs).as_deref(), Some("debian:bookworm-slim"));
        signs.has_manuals = true;
        assert_eq!(named(&signs).as_deref(), Some("debian:bookworm"));
        for (rows, is) in [
            (
                [("ENV PYTHON_VERSION=3.11.9", true), ("CMD [\"python3\"]", true)],
                "python:3.11-slim-bookworm",
            ),
            (
                [("ENV NODE_VERSION=22.1.0", true), ("CMD [\"node\"]", true)],
                "node:22-bookworm-slim",
            ),
            (
                [("ENV PHP_VERSION=8.3.1", true), ("CMD [\"php-fpm\"]", true)],
                "php:8.3-fpm-bookworm",
            ),
            ([("ENV RUBY_VERSION=3.3.1", true), ("CMD [\"irb\"]", true)], "ruby:3.3-slim-bookworm"),
            (
                [("ENV JAVA_VERSION=jdk-17.0.12+7", true), ("CMD [\"jshell\"]", true)],
                "eclipse-temurin:17-jdk-bookworm",
            ),
        ] {
            let rows = history(&rows);
            let signs = Signs { release: debian(), history: &rows, ..Signs::default() };
            assert_eq!(named(&signs).as_deref(), Some(is));
        }
        let rows = history(&[("ENV PYTHON_VERSION=3.12.1", true), ("CMD [\"python3\"]", true)]);
        let release = OsRelease::parse(b"ID=alpine\nVERSION_ID=3.20.3");
        let signs = Signs { release, history: &rows, ..Signs::default() };
        assert_eq!(named(&signs).as_deref(), Some("python:3.12-alpine3.20"));
    }

    #[test]
    fn what_nothing_tells_is_not_known() {
        let today = Today::detect(&Signs::default());
        assert_eq!((today.called(), today.layers), (None, None));
        assert!(today.how.contains("nothing"), "{}", today.how);
        let today = Today::detect(&Signs { release: debian(), ..Signs::default() });
        assert_eq!((today.name.clone(), today.layers), (None, None));
        assert_eq!(today.called().as_deref(), Some("debian 12"));
        let rows =
            history(&[("bazel build ...", false), ("bazel build ...", false), ("COPY", false)]);
        let signs = Signs {
            release: debian(),
            history: &rows,
            layers: 3,
            is_distroless: true,
            ..Signs::default()
        };
        let today = Today::detect(&signs);
        assert_eq!((today.name.clone(), today.layers), (None, Some(2)));
        assert!(today.how.contains("distroless"), "{}", today.how);
    }
}
