//! Archives of installed gems.

use crate::entry::split;
use crate::facts::evidence::Confidence;
use crate::rule::seen::File;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "gem-cache",
    title: "archives of installed gems",
    what: "Files `*.gem` in a `cache` beside `specifications`, and below `.bundle/cache` of a \
           home.",
    why: "An installed gem does not need the archive that it came in.",
    fix: "delete cache/*.gem in the RUN that installs",
    example: "RUN bundle install && rm -rf \"$(gem env gemdir)\"/cache/*.gem",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Files(is_archive), Look::Below(|at| at.ends("/.bundle/cache"))],
};

fn is_archive(file: &File<'_>) -> bool {
    let (directory, _) = split(file.path);
    let tree = file.image.files.tree();
    file.ends(&[".gem"])
        && split(directory).1 == b"cache"
        && tree
            .parent(file.node)
            .and_then(|cache| tree.parent(cache))
            .is_some_and(|above| tree.child(above, b"specifications").is_some())
}
