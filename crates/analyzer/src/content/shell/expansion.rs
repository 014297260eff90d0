//! Variables of a script, and the texts that words with them stand for.

use std::collections::{BTreeMap, BTreeSet};

use crate::content::shell::reader::is_name;
use crate::limits::{SHELL_EXPANSIONS_MAX, SHELL_NESTING_MAX, SHELL_VALUES_MAX, SHELL_WORD_MAX};

/// What a script sets its variables to.
#[derive(Default)]
pub(super) struct Variables {
    pub(super) values: Values,
    /// Those that may be empty.
    pub(super) emptied: BTreeSet<Vec<u8>>,
    /// Those that have other values, too: what is read, or too many.
    pub(super) untold: BTreeSet<Vec<u8>>,
}

/// The values of each name.
pub(super) type Values = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

impl Variables {
    pub(super) fn set(&mut self, name: &[u8], value: &[u8]) {
        if value.is_empty() {
            self.emptied.insert(name.to_vec());
            return;
        }
        let values = self.values.entry(name.to_vec()).or_default();
        if values.iter().any(|known| known == value) {
            return;
        }
        if values.len() < SHELL_VALUES_MAX && value.len() < SHELL_WORD_MAX {
            values.push(value.to_vec());
        } else {
            self.untold.insert(name.to_vec());
        }
    }
}

/// Puts variables in for their names.
pub(super) struct Expansion {
    variables: Values,
    /// Texts that may still be made: values of values multiply.
    left: usize,
}

impl Expansion {
    pub(super) fn of(variables: Values) -> Self {
        let mut expansion = Self { variables, left: SHELL_EXPANSIONS_MAX };
        for _ in 0..SHELL_NESTING_MAX {
            // Most values name no variable that is set.
            let open: Vec<(Vec<u8>, Vec<Vec<u8>>)> = expansion
                .variables
                .iter()
                .filter(|(_, values)| values.iter().any(|value| expansion.is_open(value)))
                .map(|(name, values)| (name.clone(), values.clone()))
                .collect();
            let mut next = Vec::new();
            for (name, values) in open {
                let mut all = Vec::new();
                for value in &values {
                    for value in expansion.expand(value) {
                        if all.len() < SHELL_VALUES_MAX && !all.contains(&value) {
                            all.push(value);
                        }
                    }
                }
                if all != values {
                    next.push((name, all));
                }
            }
            if next.is_empty() {
                break;
            }
            expansion.variables.extend(next);
        }
        expansion
    }

    /// Whether a word names a variable that is set.
    fn is_open(&self, word: &[u8]) -> bool {
        memchr::memchr_iter(b'$', word).any(|at| {
            let name = &word[at + 1..];
            let end = name.iter().take_while(|b| is_name(**b)).count();
            self.variables.contains_key(&name[..end])
        })
    }

    /// Every text that a word may stand for; a variable that is not set stays as `$NAME`.
    pub(super) fn expand(&mut self, word: &[u8]) -> Vec<Vec<u8>> {
        let mut done: Vec<Vec<u8>> = vec![Vec::new()];
        let mut rest = word;
        while let Some(at) = memchr::memchr(b'$', rest) {
            let end = rest[at + 1..].iter().take_while(|b| is_name(**b)).count() + at + 1;
            let own = vec![rest[at..end].to_vec()];
            let values = self.variables.get(&rest[at + 1..end]).unwrap_or(&own);
            let mut next = Vec::new();
            for front in &done {
                for value in values {
                    let fits = front.len() + at + value.len() <= SHELL_WORD_MAX;
                    if next.len() < SHELL_VALUES_MAX && fits && self.left > 0 {
                        self.left -= 1;
                        next.push([&front[..], &rest[..at], value].concat());
                    }
                }
            }
            done = next;
            rest = &rest[end..];
        }
        for value in &mut done {
            value.extend_from_slice(rest);
        }
        done.retain(|value| !value.is_empty() && value.len() <= SHELL_WORD_MAX);
        done
    }
}
