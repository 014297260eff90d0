//! Texts that are shown, such as instructions, without the secrets in them.

use super::{is_value, names_secret};

/// What stands for a secret.
const HIDDEN: &str = "***";

/// A text without the values of what is named as a secret (`NPM_TOKEN=…`, `--password=…`,
/// `--password …`) and the passwords of its addresses.
pub fn hidden(text: &str) -> String {
    without_passwords(&without_options(&without_values(text)))
}

/// Words of a command line without the same.
pub fn hidden_words(words: &[String]) -> Vec<String> {
    let mut is_behind = false;
    let hide = |word: &String| {
        let is_secret = is_behind && is_told(word);
        is_behind = names_option(word);
        if is_secret { HIDDEN.to_owned() } else { hidden(word) }
    };
    words.iter().map(hide).collect()
}

/// Whether a word is an option that the next word is the secret of.
fn names_option(word: &str) -> bool {
    word.strip_prefix("--").is_some_and(|name| {
        !name.contains('=') && names_secret(name.to_ascii_lowercase().replace('-', "_").as_bytes())
    })
}

/// Whether what stands behind such an option is its value.
fn is_told(word: &str) -> bool {
    !word.starts_with('-') && is_value(word.as_bytes())
}

fn without_options(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("--") {
        let (before, option) = rest.split_at(at);
        let option_end = option.find(is_between).unwrap_or(option.len());
        let (name, behind) = option.split_at(option_end);
        let value = behind.trim_start_matches([' ', '\t', '=']);
        shown.push_str(before);
        shown.push_str(name);
        rest = behind;
        let is_apart = value.len() < behind.len();
        if is_apart && names_option(name) {
            let end = end(value);
            if is_told(&value[..end]) {
                shown.push_str(&behind[..behind.len() - value.len()]);
                shown.push_str(HIDDEN);
                rest = &value[end..];
            }
        }
    }
    shown + rest
}

fn without_values(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('=') {
        let name = rest[..at].rsplit(is_between).next().unwrap_or_default();
        let (before, value) = rest.split_at(at + 1);
        shown.push_str(before);
        let end = end(value);
        let is_secret = names_secret(name.to_ascii_lowercase().as_bytes())
            && is_value(&value.as_bytes()[..end]);
        if is_secret {
            shown.push_str(HIDDEN);
        }
        rest = if is_secret { &value[end..] } else { value };
    }
    shown + rest
}

/// What stands between words of a command line.
fn is_between(c: char) -> bool {
    c.is_whitespace() || "\"'`;&|(),".contains(c)
}

/// Where a value ends, which may stand in quotes.
fn end(value: &str) -> usize {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    match quote {
        Some(quote) => value[1..].find(quote).map_or(value.len(), |at| at + 2),
        None => value.find(is_between).unwrap_or(value.len()),
    }
}

fn without_passwords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, address) = rest.split_at(at + 3);
        shown.push_str(before);
        rest = address;
        let host = address.split(['/', ' ', '\t', '\n', '"', '\'']).next().unwrap_or_default();
        let Some((login, _)) = host.rsplit_once('@') else { continue };
        let Some((user, password)) = login.split_once(':') else { continue };
        if !user.is_empty() && is_value(password.as_bytes()) {
            shown.push_str(user);
            shown.push(':');
            shown.push_str(HIDDEN);
            rest = &address[login.len()..];
        }
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::{hidden, hidden_words};

    #[test]
    fn values_of_secrets_are_hidden_and_nothing_else() {
        for (text, shown) in [
            ("|2 A=1 NPM_TOKEN=abc /bin/sh -c npm ci", "|2 A=1 NPM_TOKEN=*** /bin/sh -c npm ci"),
            ("RUN API_KEY='a b' make && x=1", "RUN API_KEY=*** make && x=1"),
            (
                "RUN echo \"//r/:_authToken=abc\" > .npmrc",
                "RUN echo \"//r/:_authToken=***\" > .npmrc",
            ),
            ("RUN login --password=abc --user=me", "RUN login --password=*** --user=me"),
            ("RUN pip install -i https://me:abc@h/s x", "RUN pip install -i https://me:***@h/s x"),
            ("RUN TOKEN=$TOKEN make", "RUN TOKEN=$TOKEN make"),
            ("RUN TOKEN_FILE=/run/x make", "RUN TOKEN_FILE=/run/x make"),
            ("RUN --mount=type=secret,id=token make", "RUN --mount=type=secret,id=token make"),
            ("RUN git clone https://me@h/x a:b", "RUN git clone https://me@h/x a:b"),
            ("RUN login --password abc --user me", "RUN login --password *** --user me"),
            ("RUN login --api-token 'a b'; x", "RUN login --api-token ***; x"),
            ("RUN login --password-stdin < x", "RUN login --password-stdin < x"),
            ("RUN login --password --user me", "RUN login --password --user me"),
            ("RUN login --password $P -- --", "RUN login --password $P -- --"),
            ("TOKEN=\"ä", "TOKEN=***"),
            ("=://:@==", "=://:@=="),
        ] {
            assert_eq!(hidden(text), shown);
        }
    }

    #[test]
    fn words_are_hidden_as_lines_are() {
        let words = ["app", "--password", "abc", "--token=x1", "--secret", "--port", "80"];
        let words: Vec<String> = words.map(str::to_owned).into();
        assert_eq!(
            hidden_words(&words).join(" "),
            "app --password *** --token=*** --secret --port 80"
        );
    }
}
