//! Translations of languages that are not set.

use crate::facts::evidence::Confidence;
use crate::rule::seen::File;
use crate::rule::seen::Image;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "locales",
    title: "translations",
    what: "Files below `/usr/share/locale` and `/usr/share/i18n`, but the lists of names that \
           programs read, the languages of LANG, LANGUAGE and LC_*, and translations that \
           something names.",
    why: "Messages are in one language, mostly English, whatever translations there are.",
    fix: "start from a slim base, or exclude them by dpkg.cfg.d",
    example: "RUN printf 'path-exclude /usr/share/locale/*\\\\npath-include /usr/share/locale/locale.alias\\\\n' \\\n\
               > /etc/dpkg/dpkg.cfg.d/locales",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Files(is_translation)],
};

fn is_translation(file: &File<'_>) -> bool {
    const LISTS: [&[u8]; 5] =
        [b"locale.alias", b"languages", b"all_languages", b"currency", b"l10n"];
    if file.is_below("/usr/share/i18n/") {
        return true;
    }
    let Some(rest) = file.path.strip_prefix(b"/usr/share/locale/") else { return false };
    let language = rest.split(|b| *b == b'/').next().unwrap_or_default();
    !LISTS.contains(&file.name) && language != b"C" && !is_set(file.image, language)
}

/// Whether the environment asks for a language: `de` and `de_AT` where LANG is `de_AT.UTF-8`,
/// `sr@latin` where it is `sr_RS.UTF-8@latin`.
fn is_set(image: &Image<'_>, language: &[u8]) -> bool {
    let parts = |text: &str| -> (String, String) {
        let (name, modifier) = text.split_once('@').unwrap_or((text, ""));
        (name.split('.').next().unwrap_or_default().to_owned(), modifier.to_owned())
    };
    let (language, of) = parts(&String::from_utf8_lossy(language));
    let names = ["LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LC_CTYPE"];
    names.iter().filter_map(|name| image.variable(name)).flat_map(|value| value.split(':')).any(
        |value| {
            let (name, modifier) = parts(value);
            (language == name || Some(language.as_str()) == name.split('_').next())
                && (of.is_empty() || of == modifier)
        },
    )
}
