//! Secrets that everybody can read who has the image.

use crate::content::{Body, Secret, secret};
use crate::facts::evidence::Confidence;
use crate::rule::seen::Image;
use crate::rule::seen::{Group, PUBLISHED, Taken};
use crate::rule::{Look, Rule, Used};
use crate::tree::Fate;
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    id: "secrets",
    title: "secrets",
    what: "Private keys, key stores, logins and tokens in files of known names (`id_rsa`, \
           `*.pem`, `.npmrc`, `.netrc`, apt's `auth.conf`, `.docker/config.json`, `.aws/credentials`, `.env`, \
           `pip.conf`, …), in any layer, deleted later or not, as far as no package brought \
           them; variables of the environment and build arguments that are named as secrets and \
           have a value. What the secret is, is never shown. Where one variable is meant, its \
           place is `path = \"ENV NAME\"` in the settings.",
    why: "Whoever can pull the image has them, also where a later layer deletes the file.",
    fix: "revoke it, then use RUN --mount=type=secret",
    example: "RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --omit=dev",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Whole(found)],
};

fn found(image: &Image<'_>, _: &Taken) -> Vec<Group> {
    let account = image.account;
    let mut groups: BTreeMap<(Secret, usize, Option<u32>), Group> = BTreeMap::new();
    for (at, payload) in (0_u32..).zip(&account.payloads) {
        let path = account.entry_path(payload);
        if !secret::is_candidate(path, payload.size) || is_published(image, at, path) {
            continue;
        }
        // What cannot be read is no reason to fail: the name alone proves nothing.
        let Ok(Some(content)) = account.content(at) else { continue };
        let Some(secret) = (match &content.body {
            Body::Secret(secret) => Some(*secret),
            Body::Document(text) => secret::look(path, text),
            _ => None,
        }) else {
            continue;
        };
        let layer = payload.entry.layer as usize;
        let hidden = match payload.fate {
            Fate::Live(_) => None,
            Fate::Wasted { hidden_by, .. } => Some(hidden_by),
        };
        let group = groups.entry((secret, layer, hidden)).or_insert_with(|| Group {
            confidence: Some(sure(secret)),
            layer: Some(layer),
            evidence: match hidden {
                None => secret.words().to_owned(),
                Some(by) => format!(
                    "{}; layer #{by} hides it, and everybody can read it still",
                    secret.words()
                ),
            },
            is_grave: true,
            ..Group::default()
        });
        group.payloads.push((at, 0));
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.extend(named(account.image.config.env.iter().map(String::as_str), "ENV"));
    let arguments = account.image.config.history.iter().flat_map(|row| arguments(&row.created_by));
    groups.extend(named(arguments, "ARG"));
    groups
}

const fn sure(secret: Secret) -> Confidence {
    match secret {
        Secret::PrivateKey | Secret::Login | Secret::Token => Confidence::High,
        Secret::KeyStore | Secret::Setting => Confidence::Medium,
    }
}

/// Whether a package brought it, so that everybody has it anyway; or its name says that it is public.
fn is_published(image: &Image<'_>, payload: u32, path: &[u8]) -> bool {
    let owner =
        image.account.nodes[payload as usize].and_then(|node| image.facts.packages.owner(node));
    let mut among = PUBLISHED.iter().chain(&["testdata"]);
    owner.is_some()
        || among.any(|name| path.split(|b| *b == b'/').any(|part| part == name.as_bytes()))
}

/// Variables with a value whose names say that it is a secret.
fn named<'a>(variables: impl Iterator<Item = &'a str>, keyword: &str) -> Option<Group> {
    let mut places: Vec<String> = variables
        .filter_map(|row| row.split_once('='))
        .filter(|(name, value)| {
            secret::names_secret(name.to_ascii_lowercase().as_bytes())
                && secret::is_value(value.as_bytes())
        })
        .map(|(name, _)| format!("{keyword} {name}"))
        .collect();
    places.sort();
    places.dedup();
    (!places.is_empty()).then(|| Group {
        confidence: Some(Confidence::Medium),
        evidence: match keyword {
            "ARG" => "the history shows the values of build arguments".to_owned(),
            _ => "the configuration shows the values of variables".to_owned(),
        },
        places,
        is_grave: true,
        ..Group::default()
    })
}

/// Build arguments in a row of the history: `|2 A=1 B=2 /bin/sh -c make`. Values may have spaces,
/// and nothing quotes them: what looks like a variable is one, up to that number.
fn arguments(created_by: &str) -> impl Iterator<Item = &str> {
    let text = created_by.strip_prefix("RUN ").unwrap_or(created_by);
    let mut words = text.strip_prefix('|').unwrap_or_default().split(' ');
    let count = words.next().and_then(|count| count.parse::<usize>().ok()).unwrap_or(0);
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric())
    };
    words
        .filter(move |word| word.split_once('=').is_some_and(|(name, _)| is_name(name)))
        .take(count)
}
