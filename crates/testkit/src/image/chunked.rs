//! zstd:chunked, after its format's public description: seekable zstd with a manifest that
//! ordinary readers skip.

use std::collections::BTreeMap;

use jettison_oci::Digest;
use serde_json::{Value, json};

use super::compression::{Encoded, skippable, zstd};
use super::layer::LayerBuilder;
use super::stargz::describe;

/// Names the digest of the compressed manifest on the layer's descriptor.
const CHECKSUM: &str = "io.github.containers.zstd-chunked.manifest-checksum";
/// Says where the manifest is: offset, both lengths, and its kind.
const POSITION: &str = "io.github.containers.zstd-chunked.manifest-position";
/// The bytes of a skippable frame before its content.
const FRAME_HEADER: usize = 8;

/// Writes `layer` so that the content of every file is a frame of its own.
pub(super) fn encode(layer: &LayerBuilder) -> Encoded {
    let (mut tar, mut blob, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    let mut pending = Vec::new();
    for part in &layer.parts {
        pending.extend_from_slice(&part.head);
        let mut entry = part.facts.as_ref().map(describe);
        if !part.content.is_empty() {
            flush(&mut pending, &mut tar, &mut blob);
            let start = blob.len();
            pending.extend_from_slice(&part.content);
            flush(&mut pending, &mut tar, &mut blob);
            if let Some(entry) = &mut entry {
                entry.insert("offset".into(), json!(start));
                entry.insert("endOffset".into(), json!(blob.len()));
                entry.insert("size".into(), json!(part.content.len()));
                entry.insert("digest".into(), json!(Digest::sha256(&part.content)));
            }
            part.padded().skip(1).for_each(|zeros| pending.extend_from_slice(zeros));
        }
        entries.extend(entry.map(Value::Object));
    }
    pending.extend_from_slice(&layer.trailer);
    flush(&mut pending, &mut tar, &mut blob);

    let manifest = json!({ "version": 1, "entries": entries }).to_string().into_bytes();
    let compressed = zstd(&manifest, 3);
    let at = blob.len() + FRAME_HEADER;
    let place = [at, compressed.len(), manifest.len(), 1];
    blob.extend(skippable(0, &compressed));
    // The last three numbers place a tar-split stream, which older writers leave out too.
    let mut footer: Vec<u8> =
        place.iter().chain(&[0; 3]).flat_map(|&number| (number as u64).to_le_bytes()).collect();
    footer.extend_from_slice(b"GNUlInUx");
    blob.extend(skippable(0, &footer));

    let annotations = BTreeMap::from([
        (CHECKSUM.to_owned(), Digest::sha256(&compressed).as_str().to_owned()),
        (POSITION.to_owned(), place.map(|number| number.to_string()).join(":")),
    ]);
    Encoded { tar, blob: Some(blob), annotations }
}

/// Ends a frame.
fn flush(pending: &mut Vec<u8>, tar: &mut Vec<u8>, blob: &mut Vec<u8>) {
    if !pending.is_empty() {
        blob.extend(zstd(pending, 3));
        tar.append(pending);
    }
}
