//! Paths that lead through a symlink: the final filesystem has them under another name.

use crate::account::Account;
use crate::entry::Kind;
use crate::tree::NodeId;
use crate::tree::walk::{Step, Walk};

/// A symlink of the final filesystem that stands on the way to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Through {
    /// The symlink, the first one on the way.
    pub link: Vec<u8>,
    /// Its target, as written.
    pub target: Vec<u8>,
    /// Where the path leads in the end; `None` where links lead in a circle.
    pub leads_to: Option<Vec<u8>>,
}

/// The symlink on the way to `path`, as a kernel would walk it.
pub(super) fn through(account: &Account, path: &[u8]) -> Option<Through> {
    let tree = &account.tree;
    let mut walk = Walk::new(path);
    let mut first: Option<(Vec<u8>, Vec<u8>)> = None;
    let mut names: Vec<&[u8]> = Vec::new();
    // Where the names lead: nowhere once one of them does not exist.
    let mut nodes = vec![Some(NodeId::ROOT)];
    while let Some(step) = walk.next() {
        match step {
            Step::Root => {
                names.clear();
                nodes.truncate(1);
            }
            Step::Up => {
                if names.pop().is_some() {
                    nodes.pop();
                }
            }
            Step::Down(name) => {
                let child = nodes.last().copied().flatten().and_then(|at| tree.child(at, name));
                let link = child.filter(|at| tree.kind(*at) == Kind::Symlink && !walk.is_done());
                let Some(link) = link else {
                    names.push(name);
                    nodes.push(child);
                    continue;
                };
                let target = account.entry(tree.entry(link)).link();
                first.get_or_insert_with(|| (tree.path(link), target.to_vec()));
                if !walk.enter(target) {
                    let (link, target) = first?;
                    return Some(Through { link, target, leads_to: None });
                }
            }
        }
    }
    let (link, target) = first?;
    Some(Through { link, target, leads_to: Some(names.join(&b'/')) })
}
