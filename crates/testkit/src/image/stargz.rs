//! eStargz, after its format's public description: seekable gzip with a table of contents.

use std::collections::BTreeMap;

use jettison_oci::Digest;
use serde_json::{Map, Value, json};

use super::compression::{Encoded, gzip};
use super::header::{BLOCK, Meta};
use super::layer::{Facts, LayerBuilder};

/// The entry that holds the table of contents.
const TOC: &str = "stargz.index.json";
/// Names the digest of the table of contents on the layer's descriptor.
const TOC_DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";
/// Tells the lazy snapshotter that nothing is to be fetched ahead.
const LANDMARK: &str = ".no.prefetch.landmark";

/// Writes `layer` so that the content of every file starts a gzip member of its own.
pub(super) fn encode(layer: &LayerBuilder, end_before_toc: bool) -> Encoded {
    let landmark = LayerBuilder::new().file_with(LANDMARK, [0xF], Meta::mode(0o644).mtime(0));
    let layer = landmark.append(layer.clone()).trailer(layer.trailer.clone());
    let (mut tar, mut blob, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    // Headers gather in one member until some content needs an offset that can be sought to.
    let mut pending = Vec::new();
    for part in &layer.parts {
        pending.extend_from_slice(&part.head);
        let mut entry = part.facts.as_ref().map(describe);
        if !part.content.is_empty() {
            flush(&mut pending, &mut tar, &mut blob);
            if let Some(entry) = &mut entry {
                let digest = Digest::sha256(&part.content);
                entry.insert("offset".into(), json!(blob.len()));
                entry.insert("size".into(), json!(part.content.len()));
                entry.insert("digest".into(), json!(digest));
                entry.insert("chunkDigest".into(), json!(digest));
            }
            part.padded().for_each(|bytes| pending.extend_from_slice(bytes));
            flush(&mut pending, &mut tar, &mut blob);
        }
        entries.extend(entry.map(Value::Object));
    }
    if end_before_toc {
        pending.extend([0; 2 * BLOCK]);
    }
    flush(&mut pending, &mut tar, &mut blob);

    let toc = json!({ "version": 1, "entries": entries }).to_string().into_bytes();
    let annotations =
        BTreeMap::from([(TOC_DIGEST.to_owned(), Digest::sha256(&toc).as_str().to_owned())]);
    let at = blob.len();
    let mut tail = LayerBuilder::new().file_with(TOC, toc, Meta::mode(0o644).mtime(0)).tar();
    flush(&mut tail, &mut tar, &mut blob);
    blob.extend(footer(at));
    Encoded { tar, blob: Some(blob), annotations }
}

/// Ends a gzip member.
fn flush(pending: &mut Vec<u8>, tar: &mut Vec<u8>, blob: &mut Vec<u8>) {
    if !pending.is_empty() {
        blob.extend(gzip(pending, 6));
        tar.append(pending);
    }
}

/// The empty last member: its extra field `SG` says where the table of contents starts.
fn footer(toc_at: usize) -> Vec<u8> {
    let mut footer = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 26, 0, b'S', b'G', 22, 0];
    footer.extend_from_slice(format!("{toc_at:016x}STARGZ").as_bytes());
    // A final, empty, stored deflate block; then checksum and length, both zero.
    footer.extend_from_slice(&[1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
    footer
}

/// What both tables of contents, of eStargz and of zstd:chunked, say of an entry.
pub(super) fn describe(facts: &Facts) -> Map<String, Value> {
    let kind = match facts.kind {
        b'1' => "hardlink",
        b'2' => "symlink",
        b'3' => "char",
        b'4' => "block",
        b'5' => "dir",
        b'6' => "fifo",
        _ => "reg",
    };
    let mut entry = Map::new();
    entry.insert("name".into(), json!(String::from_utf8_lossy(&facts.name)));
    entry.insert("type".into(), json!(kind));
    entry.insert("mode".into(), json!(facts.meta.mode));
    if facts.meta.uid != 0 {
        entry.insert("uid".into(), json!(facts.meta.uid));
    }
    if facts.meta.gid != 0 {
        entry.insert("gid".into(), json!(facts.meta.gid));
    }
    if !facts.link.is_empty() {
        entry.insert("linkName".into(), json!(String::from_utf8_lossy(&facts.link)));
    }
    if matches!(facts.kind, b'3' | b'4') {
        entry.insert("devMajor".into(), json!(facts.device.0));
        entry.insert("devMinor".into(), json!(facts.device.1));
    }
    entry
}
