//! What editors leave.

use crate::facts::evidence::Confidence;
use crate::rule::seen::File;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "ide-files",
    title: "files of editors",
    what: "Files below `.idea`, `.vscode`, `.vs`, `.fleet` and `.settings`; `*.swp`, `*.swo`, \
           `*~` and `*.iml` that no package brought.",
    why: "They belong to the machine of who wrote the sources, and change the layer whenever \
           somebody opens them.",
    fix: "exclude them by .dockerignore",
    example: "# .dockerignore\n\
           .idea\n\
           .vscode\n\
           *.swp",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Below(|at| at.is_called(&[".idea", ".vscode", ".vs", ".fleet", ".settings"])), Look::Files(is_left)],
};

fn is_left(file: &File<'_>) -> bool {
    file.ends(&[".swp", ".swo", "~", ".iml"]) && !file.is_published()
}
