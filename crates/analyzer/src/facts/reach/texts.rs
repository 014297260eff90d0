//! Programs and files that texts in the code of a language name.

use crate::content::Texts;
use crate::facts::evidence::Evidence;
use crate::facts::reach::Reach;
use crate::tree::NodeId;

/// Claims the programs that the code starts and, of an application, what else its texts name.
pub(super) fn visit(reach: &mut Reach<'_>, node: NodeId, texts: &Texts) {
    // What is kept beside what is used is not known to run.
    if reach.claims.evidence(node) <= Evidence::PackageMate {
        return;
    }
    let named: &[Box<str>] = if is_library(reach, node) { &[] } else { &texts.named };
    for word in texts.started.iter().chain(named) {
        if let Some(found) = reach.environment.command(reach.files, word.as_bytes()) {
            let is_path = word.starts_with('/') && !reach.files.is_executable(found.node);
            let how = if is_path { "path in" } else { "command in" };
            reach.claim_found(&found, Evidence::Named, how, Some(node));
        }
    }
}

/// Whether a file is one that applications bring or find, rather than an application's own.
fn is_library(reach: &Reach<'_>, node: NodeId) -> bool {
    let path = reach.files.path(node);
    let has = |part: &[u8]| memchr::memmem::find(&path, part).is_some();
    reach.files.place(node).is_in_site()
        || [&b"/usr/lib/"[..], b"/usr/local/lib/", b"/usr/share/"]
            .iter()
            .any(|p| path.starts_with(p))
        || [&b"/node_modules/"[..], b"/gems/", b"/vendor/"].into_iter().any(has)
}
