//! What to do about live files, by the instruction that brought them.

use crate::account::Account;
use crate::remedy::layer::{Layer, Source};
use crate::rule::Rule;

/// Whether the base image brought a layer, or it is the root filesystem that the image starts from.
pub(crate) fn is_inherited(account: &Account, layer: usize) -> bool {
    match Layer::of(account, layer).source() {
        Source::Base | Source::Root => true,
        // A root filesystem that was imported has no instruction of a Dockerfile.
        Source::Unknown => layer == 0 && account.layers.len() > 1,
        _ => false,
    }
}

/// What to do about files that a layer brought.
pub(crate) fn mended(account: &Account, rule: &Rule, layer: usize) -> String {
    let layer_of = Layer::of(account, layer);
    let name = layer_of.name();
    match layer_of.source() {
        _ if is_inherited(account, layer) => {
            format!("the base image brings them (layer #{layer}): start from a leaner one")
        }
        Source::Context => {
            format!("{name} copies them: exclude them by .dockerignore, or {}", rule.fix)
        }
        _ => format!("{name}: {}", rule.fix),
    }
}
