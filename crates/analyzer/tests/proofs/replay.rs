//! The account against the slow replay, and against what is known by reasoning.

use std::collections::{BTreeMap, BTreeSet};

use jettison_analyzer::account::Account;
use jettison_analyzer::account::waste;
use jettison_analyzer::entry::Kind;
use jettison_analyzer::tree::{Cause, Fate, NodeId};
use jettison_testkit::image::{
    Compression, History, ImageBuilder, ImageFiles, IndexBuilder, LayerBuilder, Meta, Wrap,
};
use proptest::prelude::*;

use crate::model::{Death, Id, Node, Replay, replay};
use crate::plan::{CONTENTS, Step, layers, plans};
use crate::{cases, pipeline};

fn id(entry: jettison_analyzer::tree::nodes::EntryId) -> Id {
    (entry.layer as usize, entry.position as usize)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The final filesystem as the account has it.
fn files(account: &Account) -> BTreeMap<String, Node> {
    let tree = &account.tree;
    let rows = tree.walk(NodeId::ROOT).map(|at| {
        let explicit = Some(tree.entry(at)).filter(|entry| entry.is_explicit());
        let entry = explicit
            .map(|entry| account.indexes[entry.layer as usize].entry(entry.position as usize));
        let node = Node {
            kind: tree.kind(at),
            entry: explicit.map(id),
            size: entry.map_or(0, |entry| entry.size()),
            mode: entry.map_or(0, |entry| entry.mode()),
            owner: entry.map_or(0, |entry| entry.owner().0),
            link: match (tree.kind(at), entry) {
                (Kind::Symlink, Some(entry)) => text(entry.link()),
                _ => String::new(),
            },
            payload: tree.payload(at).map(|at| id(account.payloads[at as usize].entry)),
        };
        (text(&tree.path(at)), node)
    });
    rows.collect()
}

/// The fate of every payload as the account has it: so many paths, or a death.
fn fates(account: &Account) -> BTreeMap<Id, Result<u32, Death>> {
    let rows = account.payloads.iter().map(|payload| {
        let fate = match payload.fate {
            Fate::Live(paths) => Ok(paths),
            Fate::Wasted { cause, hidden_by, .. } => {
                Err(Death { cause, layer: hidden_by as usize })
            }
        };
        (id(payload.entry), fate)
    });
    rows.collect()
}

fn size(replay: &Replay, payload: Id) -> u64 {
    CONTENTS[replay.contents[&payload]].len() as u64
}

fn total(replay: &Replay, wanted: impl Fn(Id, Option<Death>) -> bool) -> u64 {
    let payloads = replay.contents.keys().copied();
    payloads.filter(|id| wanted(*id, replay.dead.get(id).copied())).map(|id| size(replay, id)).sum()
}

/// The groups of equal live files: content and first path of each member.
fn duplicates(replay: &Replay) -> BTreeSet<(usize, BTreeSet<String>)> {
    let mut groups: BTreeMap<usize, BTreeMap<Id, String>> = BTreeMap::new();
    for (path, node) in &replay.files {
        if let Some(payload) = node.payload.filter(|payload| size(replay, *payload) > 0) {
            let group = groups.entry(replay.contents[&payload]).or_default();
            // Siblings sort by name and directories stand before what they hold, so the first
            // path in a walk is the least by its components.
            let least = group.entry(payload).or_insert_with(|| path.clone());
            if path.split('/').lt(least.split('/')) {
                least.clone_from(path);
            }
        }
    }
    let groups = groups.into_iter().filter(|(_, group)| group.len() > 1);
    groups.map(|(content, group)| (content, group.into_values().collect())).collect()
}

fn agree(account: &Account, replay: &Replay) -> Result<(), TestCaseError> {
    prop_assert_eq!(&files(account), &replay.files);
    prop_assert_eq!(account.tree.len(), replay.files.len());
    let expected: BTreeMap<Id, Result<u32, Death>> = replay
        .contents
        .keys()
        .map(|id| match replay.dead.get(id) {
            Some(death) => (*id, Err(*death)),
            None => (*id, Ok(u32::try_from(replay.paths(*id)).unwrap())),
        })
        .collect();
    prop_assert_eq!(fates(account), expected);

    let sizes = account.sizes;
    prop_assert_eq!(sizes.files.get(), total(replay, |_, _| true));
    prop_assert_eq!(sizes.live.get(), total(replay, |_, death| death.is_none()));
    prop_assert_eq!(sizes.wasted.get(), total(replay, |_, death| death.is_some()));
    for (at, row) in account.layers.iter().enumerate() {
        let of = |dead: bool| total(replay, |id, death| id.0 == at && death.is_some() == dead);
        prop_assert_eq!((row.live.get(), row.wasted.get()), (of(false), of(true)));
        prop_assert_eq!(row.files.get(), row.live.get() + row.wasted.get());
        let hides = total(replay, |_, death| death.is_some_and(|death| death.layer == at));
        prop_assert_eq!(row.hides.get(), hides);
    }
    let mut groups = BTreeSet::new();
    for row in &account.waste {
        let fits = |id: Id, death: Option<Death>| {
            id.0 == row.added_by && death == Some(Death { cause: row.cause, layer: row.hidden_by })
        };
        prop_assert_eq!(row.bytes.get(), total(replay, fits));
        prop_assert!(groups.insert((row.cause, row.added_by, row.hidden_by)));
    }
    prop_assert_eq!(
        account.waste.iter().map(|row| row.bytes.get()).sum::<u64>(),
        sizes.wasted.get()
    );
    prop_assert!(account.waste.is_sorted_by(|a, b| a.bytes >= b.bytes));
    let paths = waste::paths(account);
    prop_assert_eq!(paths.iter().map(|row| row.bytes.get()).sum::<u64>(), sizes.wasted.get());

    let found: BTreeSet<(usize, BTreeSet<String>)> = account
        .duplicates
        .iter()
        .map(|row| {
            let content = replay.contents[&id(account.payloads[row.payloads[0] as usize].entry)];
            let path = |at: &u32| text(&account.tree.path(account.nodes[*at as usize].unwrap()));
            (content, row.payloads.iter().map(path).collect())
        })
        .collect();
    let expected = duplicates(replay);
    let bytes: usize =
        expected.iter().map(|(content, group)| CONTENTS[*content].len() * (group.len() - 1)).sum();
    prop_assert_eq!(found, expected);
    prop_assert_eq!(sizes.duplicate.get(), bytes as u64);
    Ok(())
}

/// All of an account that does not depend on how its image was stored.
fn essence(account: &Account) -> impl PartialEq + std::fmt::Debug + use<> {
    let tars: Vec<_> =
        account.layers.iter().map(|row| (row.diff_id.clone(), row.size, row.entries)).collect();
    (
        (files(account), fates(account), tars),
        (account.payloads.clone(), account.waste.clone(), account.duplicates.clone()),
        (account.sizes.files, account.sizes.live, account.sizes.layers, account.sizes.duplicate),
        account.dive,
    )
}

fn check(plan: &[Vec<Step>]) -> Result<(), TestCaseError> {
    let Ok(replay) = replay(plan) else {
        return Err(TestCaseError::reject("a path leads in a circle"));
    };
    agree(&pipeline::account_saved(layers(plan)), &replay)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        max_global_rejects: u32::MAX,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_account_is_what_the_replay_finds(plan in plans()) {
        check(&plan)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_account_does_not_depend_on_how_the_image_is_stored(plan in plans()) {
        let tars = layers(&plan);
        let images = |compression| [pipeline::image(tars.clone(), compression)];
        let plain = images(Compression::Plain);
        let current = ImageFiles::docker_archive(&plain);
        let first = pipeline::account_of(pipeline::open(pipeline::file(&current, Wrap::None).path()), 1);
        let first = essence(&first);
        let gzip = images(Compression::Gzip { level: 6 });
        let zstd = images(Compression::Zstd { level: 3 });
        let members = images(Compression::MultiMemberGzip { members: 3 });
        let chunked = images(Compression::ZstdChunked);
        for (files, wrap) in [
            (&current, Wrap::None),
            (&current, Wrap::Gzip),
            (&current, Wrap::Zstd),
            (&ImageFiles::docker_archive_legacy(&plain, true), Wrap::None),
            (&ImageFiles::docker_archive_compressed(&gzip), Wrap::None),
            (&ImageFiles::docker_archive_compressed(&zstd), Wrap::None),
            (&ImageFiles::docker_archive_compressed(&chunked), Wrap::None),
            (&ImageFiles::kaniko_archive(&gzip), Wrap::None),
            (&ImageFiles::oci_layout([members[0].clone()]), Wrap::None),
        ] {
            let seekable = pipeline::open(pipeline::file(files, wrap).path());
            prop_assert_eq!(&essence(&pipeline::account_of(seekable, 3)), &first);
            let stream = pipeline::open_stream(&files.archive(wrap));
            prop_assert_eq!(&essence(&pipeline::account_of(stream, 2)), &first);
        }
    }
}

#[test]
fn the_known_cases_have_their_dead_bytes() {
    for case in cases::all() {
        let account = pipeline::account_saved(case.layers);
        assert_eq!(account.sizes.wasted.get(), case.dead, "{}", case.name);
        assert_eq!(account.dive.wasted_bytes, case.dive_wasted, "{}", case.name);
        assert!(account.tree.find(b"base").is_some() || case.dead == 32_025, "{}", case.name);
    }
}

#[test]
fn both_accounts_of_dives_sample_image_agree_in_total_and_in_no_row() {
    let account = pipeline::account_saved(cases::saved_image());
    let rows: Vec<(String, u64, usize)> = waste::paths(&account)
        .iter()
        .map(|row| (text(&row.path), row.bytes.get(), row.copies))
        .collect();
    let row = |path: &str, copies: usize| (path.to_owned(), 6405 * copies as u64, copies);
    assert_eq!(
        rows,
        [
            row("root/example/somefile1.txt", 2),
            row("root/example/somefile2.txt", 1),
            row("root/example/somefile3.txt", 1),
            row("root/saved.txt", 1),
        ]
    );
    let causes: BTreeMap<(Cause, usize, usize), u64> = account
        .waste
        .iter()
        .map(|row| ((row.cause, row.added_by, row.hidden_by), row.bytes.get()))
        .collect();
    assert_eq!(
        causes,
        BTreeMap::from([
            ((Cause::MetadataOnly, 3, 4), 6405),
            ((Cause::MetadataOnly, 7, 13), 6405),
            ((Cause::Removed, 4, 9), 6405),
            ((Cause::Removed, 5, 9), 6405),
            ((Cause::Removed, 6, 7), 6405),
        ])
    );
    assert!((account.dive.efficiency_score - 0.984_421_213_418_430_9).abs() < 1e-12);
    let user = account.dive.user_wasted_percent.unwrap();
    assert!((user - 32_025.0 / 66_237.0).abs() < 1e-12);
}

fn two_layers() -> Vec<LayerBuilder> {
    let big = vec![3; 5_000_000];
    vec![
        LayerBuilder::new().file("f", big.clone()),
        LayerBuilder::new().file("f", [big, vec![4]].concat()),
    ]
}

#[test]
fn an_oci_archive_keeps_the_order_of_its_manifest() {
    let layers = [two_layers(), vec![LayerBuilder::new().file("g", "g"); 2]].concat();
    let image = pipeline::image(layers, Compression::Gzip { level: 1 });
    let files = ImageFiles::oci_layout([image]);
    for files in [files.clone(), files.reorder("index.json", false)] {
        let account =
            pipeline::account_of(pipeline::open(pipeline::file(&files, Wrap::None).path()), 2);
        assert_eq!(account.sizes.wasted.get(), 5_000_001);
    }
}

#[test]
fn platforms_of_one_archive_are_not_mixed() {
    let image = |architecture: &str| {
        ImageBuilder::new()
            .platform(jettison_oci::Platform::new("linux", architecture, None))
            .layer(LayerBuilder::new().file("f", architecture.repeat(1000)), "COPY f /")
            .build()
    };
    let index = IndexBuilder::new().image(&image("amd64")).image(&image("arm64")).build();
    let archive = pipeline::file(&ImageFiles::oci_layout([index]), Wrap::None);
    let account = pipeline::account_of(pipeline::open(archive.path()), 2);
    assert_eq!((account.sizes.wasted.get(), account.sizes.files.get()), (0, 5000));
}

#[test]
fn histories_that_do_not_fit_change_no_byte() {
    for history in
        [History::Absent, History::Unmarked, History::Shortened(1), History::Lengthened(5)]
    {
        let mut image = ImageBuilder::new().history(history).empty("ENV A=b");
        for layer in two_layers() {
            image = image.layer(layer, "RUN one");
        }
        let files = ImageFiles::docker_archive(&[image.build()]);
        let account =
            pipeline::account_of(pipeline::open(pipeline::file(&files, Wrap::None).path()), 2);
        assert_eq!(account.sizes.wasted.get(), 5_000_000, "{history:?}");
    }
}

#[test]
fn a_global_header_is_no_entry() {
    let layer = LayerBuilder::new()
        .pax_global(&[("comment", "whole"), ("path", "wrong"), ("size", "9")])
        .file_with("f", "right", Meta::mode(0o600));
    let account = pipeline::account_saved(vec![layer]);
    assert_eq!(account.layers[0].entries, 1);
    assert_eq!(account.sizes.live.get(), 5);
    assert!(account.tree.find(b"f").is_some());
}

/// Seen with Docker 28.2 and podman 4.3, both over overlay: what stands below is hidden by the
/// directory.
#[test]
fn directories_above_a_whiteout_are_made() {
    let layer = LayerBuilder::new;
    let account = pipeline::account_saved(vec![
        layer().file("f", "base").directory("bin").symlink("link", "bin"),
        layer().whiteout("gone/x").whiteout("f/x").opaque("q").whiteout("link/x"),
    ]);
    for path in ["gone", "f", "q", "link", "bin"] {
        let node = account.tree.find(path.as_bytes()).unwrap();
        assert_eq!(account.tree.kind(node), Kind::Directory, "{path}");
    }
    assert_eq!(account.sizes.wasted.get(), 4);
    assert_eq!(account.waste[0].cause, Cause::Replaced);
}

#[test]
fn dots_in_a_link_lead_up_from_where_links_have_led() {
    let layer = LayerBuilder::new()
        .directory("deep/er")
        .symlink("in", "deep/er")
        .symlink("deep/er/up", "../beside")
        .file("in/up/f", "found")
        .hard_link("second", "in/up/f");
    let account = pipeline::account_saved(vec![layer]);
    let file = account.tree.find(b"deep/beside/f").unwrap();
    assert_eq!(
        account.tree.payload(file),
        account.tree.payload(account.tree.find(b"second").unwrap())
    );
    assert!(account.tree.find(b"beside").is_none());
}

/// A link put in the place of the one that its own directory was reached through.
#[test]
fn a_replaced_link_is_walked_anew() {
    let layer = LayerBuilder::new().symlink("a", "/").symlink("a/a/a", "b").file("a/a/f", "found");
    let account = pipeline::account_saved(vec![layer]);
    assert!(account.tree.find(b"b/a/f").is_some());
}
