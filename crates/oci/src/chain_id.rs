//! The identity of a stack of layers, as the [OCI image configuration][spec] defines it.
//!
//! [spec]: https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid

use crate::digest::Digest;

/// The chain ID of every prefix of `diff_ids`, bottom first: the n-th names layers 0 to n applied
/// together. Docker's layer store files each layer under it.
pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        let next = match chain.last() {
            None => diff_id.clone(),
            Some(below) => Digest::sha256(format!("{below} {diff_id}").as_bytes()),
        };
        chain.push(next);
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_as_the_spec_says() {
        let [a, b] = [Digest::sha256(b"a"), Digest::sha256(b"b")];
        let chain = chain_ids(&[a.clone(), b.clone()]);
        assert_eq!(chain, [a.clone(), Digest::sha256(format!("{a} {b}").as_bytes())]);
        assert!(chain_ids(&[]).is_empty());
    }
}
