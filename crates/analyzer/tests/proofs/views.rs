//! What is made of accounts: the lives of paths and comparisons sum to the account's own figures,
//! whatever the layers hold.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use jettison_analyzer::account::Account;
use jettison_analyzer::diff::diff;
use jettison_analyzer::tree::{Fate, NodeId};
use jettison_analyzer::why::{State, why};
use proptest::prelude::*;

use crate::pipeline;
use crate::plan::{layers, plans};

/// Every path that an entry or the final filesystem has.
fn paths(account: &Account) -> BTreeSet<Vec<u8>> {
    let entries = account.indexes.iter().flat_map(|index| index.entries());
    let entries = entries.filter(|entry| entry.whiteout().is_none());
    let nodes = account.tree.walk(NodeId::ROOT).map(|node| account.tree.path(node));
    entries.map(|entry| entry.path().to_vec()).chain(nodes).collect()
}

fn lives_sum(account: &Account) -> Result<(), TestCaseError> {
    let is_live = |at: u32| matches!(account.payloads[at as usize].fate, Fate::Live(_));
    for path in paths(account) {
        let told = why(account, &path);
        let hidden: u64 = told.events.iter().map(jettison_analyzer::why::Event::hidden).sum();
        prop_assert_eq!(hidden, told.wasted);
        prop_assert!(told.events.is_sorted_by_key(|event| event.layer));
        prop_assert!(told.events.iter().all(|event| event.wasted <= event.added));
        let below = |of: fn(&jettison_analyzer::why::Below) -> u64| -> u64 {
            told.below.iter().map(of).sum()
        };
        let (live, wasted) = (below(|part| part.live), below(|part| part.wasted));
        prop_assert!(live <= told.live && wasted <= told.wasted);
        let node = account.tree.find(&path);
        prop_assert_eq!(told.final_kind, node.map(|node| account.tree.kind(node)));
        prop_assert!(told.state != State::Absent, "an entry has it");
        prop_assert!(told.layer.is_some() || account.layers.is_empty());
        if let Some(payload) = node.and_then(|node| account.tree.payload(node)) {
            prop_assert!(is_live(payload));
            let size = account.payloads[payload as usize].size;
            prop_assert_eq!((told.bytes, told.live), (size, size));
            let Fate::Live(names) = account.payloads[payload as usize].fate else { continue };
            prop_assert_eq!(told.hard_links.len() + 1, names as usize);
        }
        if path.is_empty() {
            let whole = (account.sizes.live.get(), account.sizes.wasted.get());
            prop_assert_eq!((told.live, told.wasted), whole);
            prop_assert_eq!((live, wasted), whole);
            prop_assert!(told.kept.is_empty());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn views_sum_to_their_accounts((old, new) in (plans(), plans())) {
        let jobs = NonZeroUsize::MIN;
        let [old, new] = [old, new].map(|plan| pipeline::account_saved(layers(&plan)));
        lives_sum(&old)?;
        // That its lists sum, the diff asserts itself.
        let changes = diff(&old, &new, jobs).unwrap().files;
        let back = diff(&new, &old, jobs).unwrap().files;
        prop_assert_eq!(changes.len(), back.len());
        prop_assert!(diff(&old, &old, jobs).unwrap().files.is_empty());
    }
}
