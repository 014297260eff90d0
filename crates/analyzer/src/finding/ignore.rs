//! What settings silence.

use globset::{GlobBuilder, GlobMatcher};
use jettison_oci::Bytes;

use crate::finding::Finding;

/// One `[[ignore]]` of the settings. All that it names has to fit.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// A rule's name; every rule where it is `None`.
    pub rule: Option<String>,
    /// A pattern of paths, as it was written.
    pub path: Option<Pattern>,
    /// A package's name.
    pub package: Option<String>,
    /// Why it stays.
    pub reason: String,
    /// The last day on which it counts, `2027-06-30`.
    pub until: Option<String>,
}

/// A pattern of paths: `*` within a name, `**` over several.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    matcher: GlobMatcher,
}

impl Pattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
        let matcher = glob.map_err(|error| error.to_string())?.compile_matcher();
        Ok(Self { text: text.to_owned(), matcher })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it fits a path, which has no slash in front.
    pub(crate) fn fits(&self, path: &[u8]) -> bool {
        use std::os::unix::ffi::OsStrExt as _;
        let path = [b"/", path].concat();
        self.matcher.is_match(std::ffi::OsStr::from_bytes(&path))
    }
}

/// What one `[[ignore]]` silenced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Its position in the settings.
    pub position: usize,
    /// The rule.
    pub rule: &'static str,
    /// Bytes.
    pub bytes: Bytes,
    /// Files and other places; the image as a whole is one.
    pub places: usize,
    /// Why it stays.
    pub reason: String,
}

impl Ignore {
    /// Whether it is about a file of a rule; `path` without a slash in front.
    pub(crate) fn fits(&self, rule: &str, path: &[u8], package: Option<&str>) -> bool {
        self.rule.as_deref().is_none_or(|one| one == rule)
            && self.path.as_ref().is_none_or(|pattern| pattern.fits(path))
            && self.package.as_deref().is_none_or(|name| package == Some(name))
    }

    /// Whether it is about a place of a rule that is no file, `ENV NAME`: only its own words fit it,
    /// or a rule as a whole.
    fn fits_place(&self, rule: &str, place: &str) -> bool {
        self.rule.as_deref().is_none_or(|one| one == rule)
            && self.path.as_ref().is_none_or(|pattern| pattern.text == place)
            && self.package.is_none()
    }
}

/// Takes out of a finding what is silenced; tells whether that is all of it. `package_of` names the
/// package of a payload.
pub(super) fn silence(
    finding: &mut Finding,
    ignores: &[Ignore],
    package_of: &dyn Fn(u32) -> Option<String>,
    silenced: &mut Vec<Ignored>,
) -> bool {
    // What is about the image as a whole has no place.
    let is_whole = finding.places.is_empty() && finding.others.is_empty();
    for (position, ignore) in ignores.iter().enumerate() {
        let rule = finding.rule.id;
        let (mut bytes, mut places) = (0, 0);
        finding.places.retain(|place| {
            let package = package_of(place.payload);
            let fits = ignore.fits(rule, &place.path, package.as_deref());
            if fits {
                bytes += place.bytes;
                places += 1;
            }
            !fits
        });
        let before = finding.others.len();
        finding.others.retain(|place| !ignore.fits_place(rule, place));
        places += before - finding.others.len();
        if is_whole && ignore.fits_place(rule, "") {
            places = 1;
        }
        if places > 0 {
            finding.bytes = Bytes(finding.bytes.get() - bytes);
            silenced.push(Ignored {
                position,
                rule,
                bytes: Bytes(bytes),
                places,
                reason: ignore.reason.clone(),
            });
        }
        if places > 0 && finding.places.is_empty() && finding.others.is_empty() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_paths() {
        for (pattern, path, fits) in [
            ("/usr/share/doc/**", "usr/share/doc/a/b", true),
            ("/usr/share/doc/*", "usr/share/doc/a/b", false),
            ("**/*.map", "app/dist/a.js.map", true),
            ("/app/[ab]", "app/a", true),
            ("/app", "app/a", false),
        ] {
            assert_eq!(
                Pattern::new(pattern).unwrap().fits(path.as_bytes()),
                fits,
                "{pattern} {path}"
            );
        }
        assert!(Pattern::new("/a/[").is_err());
    }
}
