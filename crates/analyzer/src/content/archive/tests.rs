use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;
use crate::content::{Body, Collector, Content, of};

/// A zip of these files; every second one is deflated.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut rows) = (Vec::new(), Vec::new());
    for (at, (name, content)) in files.iter().enumerate() {
        let mut packed = content.to_vec();
        if at % 2 == 1 {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(content).unwrap();
            packed = encoder.finish().unwrap();
        }
        let number = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
        let method = if at % 2 == 1 { 8_u16 } else { 0 };
        let mut fields = method.to_le_bytes().to_vec();
        fields.extend([0; 8]);
        fields.extend([number(packed.len()), number(content.len())].concat());
        fields.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        fields.extend([0; 2]);
        rows.extend([&b"PK\x01\x02\x14\0\x14\0\0\0"[..], &fields, &[0; 10]].concat());
        rows.extend(number(out.len()));
        rows.extend(name.as_bytes());
        out.extend([&b"PK\x03\x04\x14\0\0\0"[..], &fields, name.as_bytes(), &packed].concat());
    }
    let number = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let end = [number(rows.len()), number(out.len())].concat();
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    let tail = [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &end, &[0; 2]].concat();
    out.extend([rows, tail].concat());
    out
}

fn archive(bytes: &[u8]) -> Archive {
    match of(b"app/x.jar", bytes) {
        Some(Content { body: Body::Archive(archive), .. }) => *archive,
        other => panic!("{other:?}"),
    }
}

const MANIFEST: &[u8] = b"Manifest-Version: 1.0\r\nImplementation-Title: shop\r\nClass-Path: lib/a.jar li\r\n b/b.jar\r\n\r\nName: x\r\nClass-Path: no\r\n";
const POM: &[u8] = b"#Generated\nversion=1.2\ngroupId=org.example\nartifactId=shop\n";

fn sample() -> Vec<u8> {
    let inner = zip(&[("a", b""), ("META-INF/MANIFEST.MF", b"Bundle-Version: 7\n")]);
    zip(&[
        ("META-INF/MANIFEST.MF", MANIFEST),
        ("META-INF/maven/org.example/shop/pom.properties", POM),
        ("BOOT-INF/lib/inner-7.jar", &inner),
        ("BOOT-INF/lib/deflated-7.JAR", &inner),
        ("BOOT-INF/lib/broken.jar", b"no"),
    ])
}

#[test]
fn manifests_coordinates_and_inner_archives_are_read() {
    let archive = archive(&sample());
    assert!(!archive.is_partial && !archive.is_damaged, "{archive:?}");
    assert_eq!(archive.attribute("class-path"), Some(&b"lib/a.jar lib/b.jar"[..]));
    assert_eq!(archive.attribute("Implementation-Title"), Some(&b"shop"[..]));
    assert_eq!(archive.attribute("Name"), None);
    let pom = &archive.poms[0];
    assert_eq!((&*pom.group, &*pom.artifact, &*pom.version), ("org.example", "shop", "1.2"));
    let inner = |name: &[u8]| archive.nested.iter().find(|nested| *nested.path == *name).unwrap();
    for name in ["inner-7.jar", "deflated-7.JAR"] {
        let nested = inner(&[b"BOOT-INF/lib/", name.as_bytes()].concat());
        assert_eq!(nested.archive.attribute("Bundle-Version"), Some(&b"7"[..]), "{name}");
    }
    assert!(inner(b"BOOT-INF/lib/broken.jar").archive.is_damaged);
    assert!(archive.nested.is_sorted_by_key(|nested| &nested.path));
}

#[test]
fn a_script_may_stand_before_it() {
    let with = [&b"#!/bin/bash\nexec java -jar \"$0\"\n"[..], &sample()].concat();
    let content = of(b"app.jar", &with).unwrap();
    assert_eq!(content.shebang.unwrap().program(), b"bash");
    assert_eq!(content.body, Body::Archive(Box::new(archive(&sample()))));
}

#[test]
fn of_a_large_archive_the_front_and_the_end_are_kept() {
    let filler = vec![7; usize::try_from(SIDE_MAX).unwrap()];
    let bytes = zip(&[
        ("META-INF/MANIFEST.MF", MANIFEST),
        ("empty", b""),
        ("BOOT-INF/lib/first.jar", &filler),
        ("empty", b""),
        ("BOOT-INF/lib/second.jar", &filler),
    ]);
    let mut collector = Collector::new(b"x.jar", bytes.len() as u64);
    bytes.chunks(100_000).for_each(|piece| collector.piece(piece));
    let Some(Body::Archive(archive)) = collector.finish().map(|content| content.body) else {
        panic!("it is an archive");
    };
    assert_eq!(archive.attribute("Implementation-Title"), Some(&b"shop"[..]));
    assert_eq!(archive.nested.len(), 2);
    assert!(archive.nested.iter().all(|nested| nested.archive.is_partial), "{archive:?}");
}

#[test]
fn archives_in_archives_end() {
    let mut bytes = zip(&[]);
    for _ in 0..10 {
        bytes = zip(&[("in.jar", &bytes)]);
    }
    let (mut depth, mut at) = (0, &archive(&bytes));
    while let Some(nested) = at.nested.first() {
        (depth, at) = (depth + 1, &nested.archive);
    }
    assert_eq!(depth, ARCHIVE_DEPTH_MAX);
    assert!(at.is_partial && !at.is_damaged);
}

#[test]
fn overlapping_entries_are_read_within_a_bound() {
    // Four million bytes that a thousand entries share, each an archive of its own.
    let inner = zip(&[("x", &vec![0; 4 << 20])]);
    let mut bytes = zip(&[("in.jar", &inner)]);
    let rows = bytes.len() - 22 - 46 - "in.jar".len();
    let row = bytes[rows..bytes.len() - 22].to_vec();
    let mut end = bytes.split_off(bytes.len() - 22);
    for _ in 1..1000 {
        bytes.extend(&row);
    }
    end[12..16].copy_from_slice(&u32::try_from(row.len() * 1000).unwrap().to_le_bytes());
    bytes.extend(end);
    let archive = archive(&bytes);
    assert_eq!(archive.nested.len(), 1000);
    let whole = archive.nested.iter().filter(|nested| !nested.archive.is_partial).count();
    assert_eq!(whole as u64, ARCHIVE_READ_MAX / inner.len() as u64);
}

#[test]
fn damage_is_named() {
    let whole = sample();
    for end in (0..whole.len()).step_by(3) {
        let _ = of(b"x.jar", &whole[..end]);
    }
    assert!(archive(&whole[..whole.len() - 30]).is_damaged);
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        let _ = of(b"x.jar", &damaged);
    }
    let other = of(b"x.jar", b"no archive at all").unwrap();
    assert_eq!(other.body, crate::content::Body::Damaged);
}
