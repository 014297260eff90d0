//! Layers as zstd rather than gzip: fewer bytes to pull, and unpacked in a fraction of the time.

use jettison_oci::Bytes;

use crate::account::Account;
use crate::advice::suggestion::{Kind, Suggestion};
use crate::facts::evidence::Confidence;
use crate::layer::recompress::LEVEL;

/// Less is not worth a setting.
const SAVED_MIN: u64 = 1 << 20;

/// Suggests zstd, given what each layer takes so ([`crate::layer::recompress`]).
pub(super) fn suggest(
    account: &Account,
    measured: &[Option<u64>],
    name: &str,
) -> Option<Suggestion> {
    let (mut today, mut then) = (0_u64, 0_u64);
    let mut because = Vec::new();
    for (at, (row, size)) in account.layers.iter().zip(measured).enumerate() {
        let (Some(stored), Some(size)) = (row.compressed_size, size) else { continue };
        today += stored.get();
        then += size.min(&stored.get());
        if *size < stored.get() {
            because.push((stored.get() - size, at, stored, Bytes(*size)));
        }
    }
    let saved = today.checked_sub(then).filter(|saved| *saved >= SAVED_MIN)?;
    because.sort_by_key(|(saved, at, ..)| (std::cmp::Reverse(*saved), *at));
    let because = because.into_iter().take(5);
    let because = because.map(|(_, at, stored, size)| {
        format!("layer #{at} takes {size} as zstd of level {LEVEL}, and {stored} today")
    });
    let needs = "pulling needs Docker 23, containerd 1.5 or podman 4, or later ones".to_owned();
    Some(Suggestion {
        kind: Kind::Instruction,
        title: "push layers as zstd".to_owned(),
        saved: Bytes(0),
        saved_pull: Some(Bytes(saved)),
        confidence: Confidence::High,
        because: because.chain([needs]).collect(),
        dockerfile: format!(
            "# docker buildx build --output type=image,name={name},push=true,\\\n\
             #   oci-mediatypes=true,compression=zstd,compression-level={LEVEL},force-compression=true .\n"
        ),
        diff: None,
        lines: None,
        overlaps: Vec::new(),
    })
}
