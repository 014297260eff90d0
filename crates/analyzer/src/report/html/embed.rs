//! Values inside a page. Nothing in them is markup, ends the script that holds them, or turns the
//! direction of writing, whatever names an image has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jettison_oci::escape;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// `value` as JSON that may stand in a script element: what HTML or JavaScript would act upon is
/// escaped as JSON escapes it.
pub(super) fn json(value: &impl Serialize) -> String {
    // Plain data with string keys, which cannot fail to serialize.
    let text = serde_json::to_string(value).unwrap_or_default();
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            plain => safe.push(plain),
        }
    }
    safe
}

/// Bytes of `text` as a string of that JSON, about.
pub(super) fn len(text: &str) -> usize {
    let more = text.bytes().map(|byte| match byte {
        b'<' | b'>' | b'&' => 5,
        b'"' | b'\\' => 1,
        _ => 0,
    });
    text.len() + 2 + more.sum::<usize>()
}

/// A document whose strings show what they hold: control characters but line ends and tabs, and
/// marks of direction, are escaped in all of them.
pub(super) fn shown(document: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(document).unwrap_or_default();
    show(&mut value);
    value
}

fn show(value: &mut Value) {
    match value {
        Value::String(text) => *text = escape::text(text),
        Value::Array(values) => values.iter_mut().for_each(show),
        Value::Object(fields) => fields.values_mut().for_each(show),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The front of `text`: so many characters.
pub(super) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The source of an inline style or script, as a Content-Security-Policy names it.
pub(super) fn source(content: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(content)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_ends_the_script() {
        let name = "</script><img onerror=\"x\">&\u{2028}\u{2029}<!--";
        let text = json(&[name]);
        assert_eq!(
            text,
            "[\"\\u003c/script\\u003e\\u003cimg onerror=\\\"x\\\"\\u003e\\u0026\\u2028\\u2029\
             \\u003c!--\"]"
        );
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), [name]);
        assert_eq!(shown(&["a\n\tb\u{202e}\u{1b}"]), serde_json::json!(["a\n\tb\\u{202e}\\u{1b}"]));
        // As `openssl dgst -sha256 -binary | base64` has it.
        assert_eq!(source(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }

    proptest! {
        #[test]
        fn any_name_comes_back_and_is_no_markup(
            names in proptest::collection::vec(
                prop_oneof![
                    any::<Vec<u8>>(),
                    any::<String>().prop_map(String::into_bytes),
                    "[</scriptimgon!>&\u{2028}\u{202e}\n-]{0,40}".prop_map(String::into_bytes),
                ],
                0..8,
            ),
        ) {
            let shown: Vec<String> = names.iter().map(|name| escape::path(name)).collect();
            let text = json(&shown);
            let acts = ['<', '>', '&', '\u{2028}', '\u{2029}', '\u{202e}', '\n'];
            let is_safe = !text.contains(acts);
            prop_assert!(is_safe);
            prop_assert!(text.len() <= shown.iter().map(|name| len(name) + 1).sum::<usize>() + 2);
            prop_assert_eq!(&serde_json::from_str::<Vec<String>>(&text).unwrap(), &shown);
        }
    }
}
