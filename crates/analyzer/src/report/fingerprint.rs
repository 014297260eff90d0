//! What makes a notice the same one in the reports of another run.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The fingerprints of one report, none of which is given twice: services take what has the same
/// one for the same, and show it once.
#[derive(Default)]
pub(crate) struct Fingerprints {
    given: HashSet<String>,
    /// How often each was asked for.
    asked: HashMap<String, usize>,
}

impl Fingerprints {
    /// SHA-256 of words, in hexadecimal; for the same words once more, of those and their number.
    pub(crate) fn of<'a>(&mut self, words: impl Iterator<Item = &'a str>) -> String {
        let mut hasher = Sha256::new();
        for word in words {
            // No word holds a control character: none runs into the next.
            hasher.update(word);
            hasher.update([0]);
        }
        let first = hex(&hasher.clone().finalize());
        let asked = self.asked.entry(first.clone()).or_default();
        let mut print = first;
        loop {
            *asked += 1;
            if *asked > 1 {
                print = hex(&hasher.clone().chain_update(asked.to_string()).finalize());
            }
            if self.given.insert(print.clone()) {
                return print;
            }
        }
    }
}

/// SHA-256 of a text, in hexadecimal.
pub(crate) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_given_twice() {
        let mut prints = Fingerprints::default();
        let mut all: Vec<String> =
            [&["a", "b"][..], &["ab"], &["a", "b"], &["a", "b"], &["b", "a"]]
                .into_iter()
                .map(|words| prints.of(words.iter().copied()))
                .collect();
        assert_eq!(all[0], Fingerprints::default().of(["a", "b"].into_iter()));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 5);
    }
}
