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
    pub(super) fn of(mut variables: Values) -> Self {
        let mut left = SHELL_EXPANSIONS_MAX;
        for (name, values) in &mut variables {
            // `a="$a x"` is what it was before, with more behind it.
            let mut before: Vec<Vec<u8>> = Vec::new();
            for value in std::mem::take(values) {
                let own = |other: &[u8]| (other == name && !before.is_empty()).then_some(&*before);
                let made = put_in(&value, &mut left, own);
                add(made, &mut before);
            }
            *values = before;
        }
        let mut expansion = Self { variables, left };
        for _ in 0..SHELL_NESTING_MAX {
            let Self { variables, left } = &mut expansion;
            let others = |name: &[u8], own: &[u8]| {
                variables.get(name).filter(|_| name != own).map(Vec::as_slice)
            };
            let mut next: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
            for (own, values) in &*variables {
                // Most name no variable that is set.
                let is_open =
                    |value: &Vec<u8>| names(value).any(|name| others(name, own).is_some());
                if !values.iter().any(is_open) {
                    continue;
                }
                let mut all = Vec::new();
                for value in values {
                    add(put_in(value, left, |name| others(name, own)), &mut all);
                }
                if all != *values {
                    next.push((own.clone(), all));
                }
            }
            if next.is_empty() {
                break;
            }
            expansion.variables.extend(next);
        }
        expansion
    }

    /// Every text that a word may stand for; a variable that is not set stays as `$NAME`.
    pub(super) fn expand(&mut self, word: &[u8]) -> Vec<Vec<u8>> {
        let Self { variables, left } = self;
        put_in(word, left, |name| variables.get(name).map(Vec::as_slice))
    }
}

/// The variables that a word names.
fn names(word: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memchr_iter(b'$', word).map(|at| name_at(&word[at + 1..]))
}

/// The name that a text starts with, which may be empty.
fn name_at(text: &[u8]) -> &[u8] {
    &text[..text.iter().take_while(|b| is_name(**b)).count()]
}

/// Adds values that are not known yet.
fn add(values: Vec<Vec<u8>>, to: &mut Vec<Vec<u8>>) {
    for value in values {
        if to.len() < SHELL_VALUES_MAX && !to.contains(&value) {
            to.push(value);
        }
    }
}

/// Every text that a word may stand for, by the values of the variables that have any. Of as many as
/// `left` says.
fn put_in<'a>(
    word: &[u8],
    left: &mut usize,
    values: impl Fn(&[u8]) -> Option<&'a [Vec<u8>]>,
) -> Vec<Vec<u8>> {
    let mut done: Vec<Vec<u8>> = vec![Vec::new()];
    let mut rest = word;
    while let Some(at) = memchr::memchr(b'$', rest) {
        let name = name_at(&rest[at + 1..]);
        let end = at + 1 + name.len();
        let own = [rest[at..end].to_vec()];
        let values = values(name).unwrap_or(&own);
        let mut next = Vec::new();
        for front in &done {
            for value in values {
                let fits = front.len() + at + value.len() <= SHELL_WORD_MAX;
                if next.len() < SHELL_VALUES_MAX && fits && *left > 0 {
                    *left -= 1;
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
