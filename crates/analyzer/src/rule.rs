//! What is worth telling about an image's files: one file a rule.
//!
//! A rule is a value: what it looks for, why that matters, how it is mended. Rules are asked in one
//! walk over the tree, in the order of [`ALL`]: the first that fits a file has it, so that no byte
//! is counted twice. Those before are about files that come back by themselves or were never meant
//! to be there; then come whole packages, kinds of files, parts of files, and what only several
//! files together tell.

pub mod seen;

use crate::facts::evidence::Confidence;

use self::seen::{Directory, File, Image, Installed, Part, Wasted};

/// One rule.
pub struct Rule {
    /// Its name in reports, settings and the documentation: stable, kebab-case.
    pub id: &'static str,
    /// What it finds, in some words.
    pub title: &'static str,
    /// Which files exactly, in sentences.
    pub what: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// How it is mended, in an imperative of a line.
    pub fix: &'static str,
    /// The same as lines of a Dockerfile.
    pub example: &'static str,
    /// How sure it is that the bytes can go, before anything is known of their use.
    pub confidence: Confidence,
    /// What the use of a file means for it.
    pub(crate) used: Used,
    /// What it looks at.
    pub(crate) looks: &'static [Look],
}

/// What it means that something leads to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Used {
    /// What is needed or was seen in use is not reported; what is only named is less sure.
    Matters,
    /// It is reported all the same, less sure.
    Lowers,
    /// It says nothing.
    Ignored,
}

/// One thing that a rule looks at.
#[derive(Clone, Copy)]
pub(crate) enum Look {
    /// Everything below such a directory.
    Below(fn(&Directory<'_>) -> bool),
    /// But nothing below such a directory.
    NotBelow(fn(&Directory<'_>) -> bool),
    /// A file.
    Files(fn(&File<'_>) -> bool),
    /// Everything of a package, with how sure that is.
    Packages(fn(&Image<'_>, &Installed<'_>) -> Option<Confidence>),
    /// Everything of packages that only all of them together tell, by position.
    PackageSets(fn(&Image<'_>) -> Vec<(usize, Confidence)>),
    /// Bytes of a file that is not found as a whole.
    Parts(fn(&File<'_>) -> Vec<Part>),
    /// A payload that no path leads to any more.
    Wasted(fn(&Wasted<'_>) -> bool),
    /// What only the whole tells.
    Whole(fn(&Image<'_>, &seen::Taken) -> Vec<seen::Group>),
}

macro_rules! rules {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// Every rule, in the order in which they are asked.
        pub static ALL: &[&Rule] = &[$(&$module::RULE),*];
    };
}

rules![
    secrets,
    apt_lists,
    apt_cache,
    apk_cache,
    dnf_cache,
    pip_cache,
    conda_cache,
    npm_cache,
    yarn_cache,
    go_cache,
    cargo_cache,
    maven_cache,
    gradle_cache,
    composer_cache,
    gem_cache,
    generic_cache,
    vcs_directory,
    ide_files,
    host_junk,
    core_dumps,
    sparse_giants,
    logs,
    temp_files,
    unpacked_archive,
    debug_packages,
    build_tools,
    dev_packages,
    several_runtimes,
    recommended_only,
    orphan_packages,
    node_dev_dependencies,
    headers,
    static_libraries,
    docs,
    man,
    locales,
    python_tests,
    python_bytecode,
    source_maps,
    debug_symbols,
    several_versions,
    duplicate_content,
    package_upgraded_in_later_layer,
    metadata_only_rewrite,
    overwritten_later,
    removed_later,
    too_many_layers,
];

/// The rule of that name.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id).copied()
}

impl Rule {
    /// Its page, in Markdown.
    pub fn page(&self) -> String {
        let fix = sentence(self.fix);
        format!(
            "# {}\n\n{}.\n\n**Finds:** {}\n\n**Why it matters:** {}\n\n**How to mend it:** {fix}\n\n\
             ```\n{}\n```\n\n**Confidence:** {}.\n\n**How to silence it**, in `jettison.toml`:\n\n\
             ```\n[[ignore]]\nrule = \"{}\"\npath = \"/some/where/**\"    # or: package = \"name\"; \
             neither: everywhere\nreason = \"why it stays\"\nuntil = 2030-01-31         # if it is \
             only for a time\n```\n",
            self.id,
            capital(self.title),
            self.what,
            self.why,
            self.example,
            self.confidence_told(),
            self.id,
        )
    }

    fn confidence_told(&self) -> String {
        let name = self.confidence.name();
        match self.used {
            Used::Matters => format!(
                "{name}; lower where something that the image runs names a file. What is needed by \
                 that, or was seen in use by a profile, is not reported"
            ),
            Used::Lowers => format!("{name}; low for what something that the image runs needs"),
            Used::Ignored => format!("{name}, whatever uses the files"),
        }
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

fn sentence(text: &str) -> String {
    capital(text) + "."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_names_of_their_own_and_say_all() {
        let mut ids: Vec<&str> = ALL.iter().map(|rule| rule.id).collect();
        assert!(ids.len() <= 64, "a word of bits has one for each rule");
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ALL.len());
        for rule in ALL {
            assert!(rule.id.bytes().all(|b| b == b'-' || b.is_ascii_lowercase()), "{}", rule.id);
            assert!(!rule.looks.is_empty(), "{}", rule.id);
            for text in [rule.title, rule.fix] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{}: {text}", rule.id);
            }
            assert!(rule.fix.len() <= 76, "{}: the fix has {} bytes", rule.id, rule.fix.len());
            for text in [rule.what, rule.why] {
                assert!(text.ends_with('.'), "{}: {text}", rule.id);
            }
            assert!(!rule.example.is_empty());
            assert_eq!(find(rule.id).map(|found| found.id), Some(rule.id));
        }
    }
}
