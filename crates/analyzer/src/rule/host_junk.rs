//! What came along from the machine that built.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Directory;
use crate::rule::seen::File;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "host-junk",
    title: "files of the building machine",
    what: "`.DS_Store`, `Thumbs.db`, `desktop.ini`, `._*` and `__MACOSX`; `Dockerfile`, \
           `docker-compose.yml`, `.dockerignore`, `.gitignore` and settings of CI systems, that \
           no package brought.",
    why: "Nothing reads them in a container; they change the layer, and so everything above \
           it, for nothing.",
    fix: "exclude them by .dockerignore",
    example: "# .dockerignore\n\
           .DS_Store\n\
           Dockerfile\n\
           docker-compose*.yml\n\
           .github",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Below(is_junk_directory), Look::Files(is_junk)],
};

fn is_junk_directory(at: &Directory<'_>) -> bool {
    at.is_called(&["__MACOSX", ".github", ".gitlab", ".circleci", ".Trash"])
        && !["/node_modules/", "/vendor/", "-packages/", "/gems/"]
            .iter()
            .any(|part| memchr::memmem::find(at.path, part.as_bytes()).is_some())
}

fn is_junk(file: &File<'_>) -> bool {
    const NAMES: [&[u8]; 13] = [
        b".DS_Store",
        b"Thumbs.db",
        b"desktop.ini",
        b"Dockerfile",
        b".dockerignore",
        b".gitignore",
        b".gitattributes",
        b".gitlab-ci.yml",
        b".travis.yml",
        b"Jenkinsfile",
        b"Vagrantfile",
        b".editorconfig",
        b".pre-commit-config.yaml",
    ];
    let is_compose = (file.name.starts_with(b"docker-compose") || file.name.starts_with(b"compose."))
        && file.ends(&[".yml", ".yaml"]);
    let is_named = NAMES.contains(&file.name)
        || file.name.starts_with(b"Dockerfile.")
        || file.name.starts_with(b"._")
        || is_compose;
    is_named && !file.is_published()
}
