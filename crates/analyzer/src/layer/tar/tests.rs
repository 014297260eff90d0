use jettison_testkit::image::{Header as Block, LayerBuilder, Meta};

use super::*;
use crate::layer::index::LayerIndex;
use crate::layer::input::Stream;
use crate::layer::scan::{ContentMode, scan};
use crate::limits::{INDEX_FLOOR, INDEX_PER_ENTRY, SPARSE_MAP_MAX, SPARSE_RUNS_MAX};

fn read(layer: &LayerBuilder) -> Result<LayerIndex> {
    scan(Stream::new(&layer.tar()[..]), "layer 0", ContentMode::Hash)
}

fn paths(layer: &LayerBuilder) -> Vec<String> {
    let index = read(layer).unwrap();
    index.entries().map(|entry| String::from_utf8(entry.path().to_vec()).unwrap()).collect()
}

fn refused(layer: &LayerBuilder, word: &str) {
    let error = read(layer).unwrap_err().to_string();
    assert!(error.contains("layer 0") && error.contains(word), "{word}: {error}");
}

#[test]
fn global_headers_are_dropped_wherever_they_stand() {
    let comment = &[("comment", "0123456789012345678901234567890123456789")];
    // `git archive` of an empty commit.
    assert!(paths(&LayerBuilder::new().pax_global(comment)).is_empty());
    let last = LayerBuilder::new().file("a", "").pax_global(comment);
    assert_eq!(paths(&last), ["a"]);
    assert_eq!(paths(&last.trailer([])), ["a"]);
    assert!(
        read(&LayerBuilder::new().file("a", "").pax_global(comment)).unwrap().warnings.is_empty()
    );
    let many = (0..20_000).fold(LayerBuilder::new(), |layer, _| layer.pax_global(comment));
    assert_eq!(paths(&many.file("a", "")), ["a"]);
    // Go returns at one, and forgets what stood before.
    let between = LayerBuilder::new().pax(&[("path", "b")]).pax_global(comment).file("a", "");
    assert_eq!(paths(&between), ["a"]);
    let record = "x".repeat(2 << 20);
    refused(&LayerBuilder::new().pax_global(&[("comment", record)]).file("a", ""), "limit");
}

#[test]
fn an_extension_header_may_apply_to_nothing() {
    for layer in [
        LayerBuilder::new().file("a", "").pax(&[("path", "b")]),
        LayerBuilder::new().file("a", "").gnu_long_name("b").gnu_long_link("c"),
    ] {
        for layer in [layer.clone(), layer.trailer([])] {
            let index = read(&layer).unwrap();
            assert_eq!(index.len(), 1);
            assert!(index.warnings[0].contains("ends after an extension header"));
        }
    }
}

#[test]
fn the_last_of_many_extension_headers_applies() {
    let many = |count: u32| {
        (0..count)
            .fold(LayerBuilder::new(), |layer, at| layer.pax(&[("path", format!("{at}"))]))
            .file("a", "")
    };
    assert_eq!(paths(&many(20)), ["19"]);
    refused(&many(EXTENSIONS_PENDING_MAX + 1), "more than 10000 extension headers");
}

#[test]
fn owners_are_what_chown_makes_of_them() {
    let base_256 = |number: i64| {
        LayerBuilder::new().file("a", "").edit_header(|header: &mut Block| {
            header.put(108, 8, &number.to_be_bytes()).put(116, 8, &number.to_be_bytes());
        })
    };
    let pax = |number: i64| {
        let number = number.to_string();
        LayerBuilder::new().pax(&[("uid", &number), ("gid", &number)]).file("a", "")
    };
    let owned = |layer: &LayerBuilder| {
        let index = read(layer).unwrap();
        (index.entry(0).owner(), index.warnings.len())
    };
    assert_eq!(owned(&base_256(-1)), ((0, 0), 2));
    assert_eq!(owned(&base_256(-2)), ((u32::MAX - 1, u32::MAX - 1), 2));
    assert_eq!(owned(&pax(-2)), ((u32::MAX - 1, u32::MAX - 1), 2));
    assert_eq!(owned(&pax(-1)), ((0, 0), 2));
    assert_eq!(owned(&pax((1 << 32) + 7)), ((7, 7), 2));
    assert_eq!(owned(&pax(3_000_000_000)), ((3_000_000_000, 3_000_000_000), 0));
    // A record without a value leaves the number of the header.
    let meta = Meta::mode(0o644).owner(5, 6);
    let empty = LayerBuilder::new().pax(&[("uid", "")]).file_with("a", "", meta);
    assert_eq!(owned(&empty), ((5, 6), 0));
    refused(&LayerBuilder::new().pax(&[("uid", "x")]).file("a", ""), "uid is not a number");
    let warnings = read(&pax(-2)).unwrap().warnings;
    assert!(warnings[0].contains("\"a\" has the owner -2, which is taken for 4294967294"));
}

#[test]
fn negative_sizes_are_refused_where_content_would_stand() {
    let sized = |layer: LayerBuilder| {
        layer.edit_header(|header: &mut Block| {
            header.put(124, 12, &[0xff; 12]);
        })
    };
    refused(&sized(LayerBuilder::new().file("a", "")), "size of entry 0 is negative");
    assert_eq!(paths(&sized(LayerBuilder::new().directory("a")).file("a/b", "")), ["a", "a/b"]);
}

/// A sparse file of format 1.0 with this map and data.
fn sparse(map: &str, data: &[u8], real: u64) -> LayerBuilder {
    let mut content = map.as_bytes().to_vec();
    content.resize(content.len().next_multiple_of(BLOCK), 0);
    content.extend_from_slice(data);
    LayerBuilder::new()
        .pax(&[
            ("GNU.sparse.major", "1"),
            ("GNU.sparse.minor", "0"),
            ("GNU.sparse.realsize", &real.to_string()),
        ])
        .file("a", content)
        .file("next", "")
}

#[test]
fn maps_before_the_data_are_bounded_and_read_once() {
    let read_map = |map: &str, data: &[u8], real| {
        let index = read(&sparse(map, data, real)).unwrap();
        assert_eq!((index.len(), index.entry(0).size()), (2, real), "{map}");
        index.sparse[0].runs.clone()
    };
    assert_eq!(read_map("1\n5\n3\n", b"abc", 20), [(5, 3)]);
    assert_eq!(read_map("2\n5\n3\n20\n0\n", b"abc", 20), [(5, 3)]);
    assert_eq!(read_map("0\n", b"", 20), []);
    // Numbers that end where a block ends, or go on behind it.
    for zeros in 500..520 {
        assert_eq!(read_map(&format!("{:0zeros$}\n5\n3\n", 1), b"abc", 20), [(5, 3)]);
    }
    for map in ["", "1\n5\n", "1\n5\n\n", "1\nx\n3\n", "1\n-5\n3\n", "1\n5\n99999999999999999999\n"]
    {
        refused(&sparse(map, b"abc", 20), "map of a sparse entry");
    }
    let runs = |count: usize| {
        let lines: Vec<String> = (0..count).map(|at| format!("{}\n1\n", 2 * at)).collect();
        let lines = lines.concat();
        (format!("{count}\n{lines}"), vec![b'x'; count], 2 * count as u64)
    };
    let (map, data, real) = runs(SPARSE_RUNS_MAX);
    assert_eq!(read_map(&map, &data, real).len(), SPARSE_RUNS_MAX);
    let (map, data, real) = runs(SPARSE_RUNS_MAX + 1);
    refused(&sparse(&map, &data, real), "map of a sparse entry");
    let zeros = usize::try_from(SPARSE_MAP_MAX).unwrap();
    refused(
        &sparse(&format!("{}1\n5\n3\n", "0".repeat(zeros)), b"abc", 20),
        "map of a sparse entry",
    );
}

#[test]
fn what_an_index_keeps_is_bounded_by_its_entries() {
    let value = vec![b'v'; 1_000_000];
    let meta = Meta::mode(0o644).xattr("user.a", value.clone());
    let entry = LayerBuilder::new().file_with("a", "", meta).trailer([]).tar();
    let floor = (INDEX_FLOOR + INDEX_PER_ENTRY * 100) / value.len();
    let layer = |count| LayerBuilder::from_tar(entry.repeat(count)).trailer([]);
    assert_eq!(read(&layer(floor - 1)).unwrap().len(), floor - 1);
    refused(&layer(floor + 1), "names, attributes and sparse maps");
}
