//! Whether a file holds a secret. What the secret is, is neither kept nor shown.

mod hidden;

use serde::{Deserialize, Serialize};

pub use hidden::{hidden, hidden_words};

/// What kind of secret a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Secret {
    /// A private key.
    PrivateKey,
    /// A file that keeps keys, behind a password or not.
    KeyStore,
    /// A user's name with a password.
    Login,
    /// A token that stands for a user.
    Token,
    /// A setting whose name says that its value is one.
    Setting,
}

impl Secret {
    /// The words in reports.
    pub const fn words(self) -> &'static str {
        match self {
            Self::PrivateKey => "a private key",
            Self::KeyStore => "a key store",
            Self::Login => "a login with its password",
            Self::Token => "a token",
            Self::Setting => "a setting that is named as a secret",
        }
    }
}

/// How much of a file is looked at: keys and logins are small.
pub(super) const SECRET_MAX: u64 = 64 << 10;

/// Names of files that hold secrets for programs.
const NAMES: [&[u8]; 24] = [
    b"id_rsa",
    b"id_dsa",
    b"id_ecdsa",
    b"id_ed25519",
    b".netrc",
    b"_netrc",
    b".npmrc",
    b".yarnrc",
    b".yarnrc.yml",
    b".pypirc",
    b".git-credentials",
    b".dockercfg",
    b".s3cfg",
    b".boto",
    b".env",
    b".pgpass",
    b".my.cnf",
    b".vault-token",
    b"credentials",
    b"credentials.json",
    b"credentials.toml",
    b"application_default_credentials.json",
    b"terraform.tfstate",
    b".htpasswd",
];

/// The same, by the end of the name.
const ENDS: [&[u8]; 7] = [b".pem", b".key", b".ppk", b".p12", b".pfx", b".jks", b".kdbx"];

/// The same, by the end of the path.
const PATHS: [&[u8]; 7] = [
    b".docker/config.json",
    b".kube/config",
    b".m2/settings.xml",
    b".config/gh/hosts.yml",
    b".config/pip/pip.conf",
    b".pip/pip.conf",
    b"etc/pip.conf",
];

/// Whether it has apt's logins, in the form of `.netrc`.
fn is_of_apt(path: &[u8]) -> bool {
    path == b"etc/apt/auth.conf" || path.starts_with(b"etc/apt/auth.conf.d/")
}

/// Whether the file at `path` (without a leading slash) is one that may hold a secret.
pub fn is_candidate(path: &[u8], size: u64) -> bool {
    let name = crate::entry::split(path).1;
    size > 0
        && size <= SECRET_MAX
        && (NAMES.contains(&name)
            || name.starts_with(b".env.")
            || ENDS.iter().any(|end| name.ends_with(end))
            || PATHS.iter().any(|end| path.ends_with(end))
            || is_of_apt(path))
}

/// The secret in a candidate's content; `None` where there is none.
pub fn look(path: &[u8], text: &[u8]) -> Option<Secret> {
    let name = crate::entry::split(path).1;
    let ends = |ends: &[&[u8]]| ends.iter().any(|end| name.ends_with(end));
    if ends(&[b".p12", b".pfx", b".jks", b".kdbx"]) {
        // Java's certificates of authorities come in such files, too, and are larger.
        return Some(Secret::KeyStore);
    }
    let has = |part: &[u8]| memchr::memmem::find(text, part).is_some();
    if has(b"PRIVATE KEY-----") && has(b"-----BEGIN ") || text.starts_with(b"PuTTY-User-Key-File") {
        return Some(Secret::PrivateKey);
    }
    if ends(&[b".pem", b".key", b".ppk"]) || name.starts_with(b"id_") {
        return None;
    }
    let name = if is_of_apt(path) { &b".netrc"[..] } else { name };
    text.split(|b| *b == b'\n').find_map(|line| of_line(name, line.trim_ascii()))
}

/// The secret in one line of a file that is called `name`.
fn of_line(name: &[u8], line: &[u8]) -> Option<Secret> {
    if line.is_empty() || line.starts_with(b"#") || line.starts_with(b";") {
        return None;
    }
    if has_login_url(line) {
        return Some(Secret::Login);
    }
    if matches!(name, b".netrc" | b"_netrc") {
        let mut words = line.split(u8::is_ascii_whitespace);
        let is_told = words.any(|word| word == b"password") && words.any(is_value);
        return is_told.then_some(Secret::Login);
    }
    if matches!(name, b".pgpass" | b".htpasswd") {
        return line
            .split(|b| *b == b':')
            .next_back()
            .filter(|v| is_value(v))
            .map(|_| Secret::Login);
    }
    if name == b".vault-token" {
        return Some(Secret::Token);
    }
    if let Some(at) = memchr::memmem::find(line, b"<password>") {
        let value = &line[at + b"<password>".len()..];
        let value = value.split(|b| *b == b'<').next().unwrap_or_default();
        return (is_value(value) && !value.starts_with(b"{")).then_some(Secret::Login);
    }
    let at = line.iter().position(|b| matches!(b, b'=' | b':'))?;
    let (key, value) = (line[..at].trim_ascii(), &line[at + 1..]);
    let key: Vec<u8> =
        key.iter().filter(|b| !b"\"'".contains(b)).map(u8::to_ascii_lowercase).collect();
    // In `.npmrc` the registry stands before the key: `//host/:_authToken=…`.
    let whole: Vec<u8> = line.to_ascii_lowercase();
    let ends =
        |part: &[u8]| whole.split(|b| *b == b'=').next().is_some_and(|key| key.ends_with(part));
    let after = |line: &[u8]| line.split(|b| *b == b'=').nth(1).is_some_and(is_value);
    if ends(b":_authtoken") || ends(b":_auth") || ends(b":_password") {
        return after(line).then_some(Secret::Token);
    }
    if !is_value(value) {
        return None;
    }
    match &key[..] {
        b"auth" | b"identitytoken" | b"npmauthtoken" | b"_authtoken" | b"_auth" | b"token"
        | b"oauth_token" | b"refresh_token" | b"client_secret" => Some(Secret::Token),
        b"aws_secret_access_key" | b"secret_key" | b"gs_secret_access_key" | b"client-key-data" => {
            Some(Secret::Token)
        }
        b"password" | b"passwd" => Some(Secret::Login),
        key if is_env(name) && names_secret(key) => Some(Secret::Setting),
        _ => None,
    }
}

fn is_env(name: &[u8]) -> bool {
    name == b".env" || name.starts_with(b".env.")
}

/// Whether a variable's name, in small letters, says that its value is a secret.
pub fn names_secret(name: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] = [
        b"secret",
        b"token",
        b"password",
        b"passwd",
        b"api_key",
        b"apikey",
        b"private_key",
        b"access_key",
    ];
    // `TOKEN_FILE` and the like say where the secret is.
    const ELSEWHERE: [&[u8]; 5] = [b"_file", b"_path", b"_dir", b"_url", b"_name"];
    WORDS.iter().any(|word| memchr::memmem::find(name, word).is_some())
        && !ELSEWHERE.iter().any(|end| name.ends_with(end))
}

/// Whether a value is one, rather than empty, a variable or something to fill in.
pub fn is_value(value: &[u8]) -> bool {
    const PLACEHOLDERS: [&[u8]; 10] = [
        b"changeme",
        b"change_me",
        b"change-me",
        b"example",
        b"placeholder",
        b"your",
        b"xxx",
        b"todo",
        b"none",
        b"null",
    ];
    let value: Vec<u8> = value
        .trim_ascii()
        .iter()
        .filter(|b| !b"\"',".contains(b))
        .map(u8::to_ascii_lowercase)
        .collect();
    !value.is_empty()
        && !b"$<{[*".contains(&value[0])
        && !PLACEHOLDERS.iter().any(|word| value.starts_with(word))
        && !matches!(&value[..], b"true" | b"false" | b"0" | b"1")
}

/// `https://user:password@host`.
fn has_login_url(line: &[u8]) -> bool {
    let mut rest = line;
    while let Some(at) = memchr::memmem::find(rest, b"://") {
        rest = &rest[at + 3..];
        let end = rest.iter().position(|b| b"/ \t\"'".contains(b)).unwrap_or(rest.len());
        let Some(login) = rest[..end].iter().rposition(|b| *b == b'@').map(|at| &rest[..at]) else {
            continue;
        };
        if let Some(colon) = login.iter().position(|b| *b == b':')
            && colon > 0
            && is_value(&login[colon + 1..])
        {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_form() {
        for (path, text, secret) in [
            ("root/.ssh/id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\n", Some(Secret::PrivateKey)),
            ("app/tls.pem", "-----BEGIN CERTIFICATE-----\n", None),
            ("app/tls.pem", "-----BEGIN EC PRIVATE KEY-----\n", Some(Secret::PrivateKey)),
            ("app/store.p12", "\x30\x42", Some(Secret::KeyStore)),
            ("root/.npmrc", "//npm.example/:_authToken=abc\n", Some(Secret::Token)),
            ("root/.npmrc", "//npm.example/:_authToken=${NPM_TOKEN}\n", None),
            ("root/.npmrc", "registry=https://npm.example/\n", None),
            ("root/.netrc", "machine a login b password c\n", Some(Secret::Login)),
            ("root/.netrc", "machine a login b\n", None),
            ("etc/apt/auth.conf.d/a.conf", "machine a login b password c\n", Some(Secret::Login)),
            ("etc/pip.conf", "[global]\nindex-url = https://a:b@c/\n", Some(Secret::Login)),
            ("root/.docker/config.json", "{\n \"auth\": \"YTpi\"\n}", Some(Secret::Token)),
            ("root/.docker/config.json", "{\"credsStore\": \"pass\"}", None),
            ("root/.git-credentials", "https://me:word@git.example\n", Some(Secret::Login)),
            ("root/.aws/credentials", "aws_secret_access_key = abc\n", Some(Secret::Token)),
            ("app/.env", "DB_PASSWORD=hunter2\n", Some(Secret::Setting)),
            ("app/.env", "DB_PASSWORD=\nDB_PASSWORD_FILE=/run/x\nPORT=80\n", None),
            ("app/.env.example", "DB_PASSWORD=changeme\n", None),
            ("root/.m2/settings.xml", " <password>abc</password>\n", Some(Secret::Login)),
            ("root/.m2/settings.xml", " <password>${env.P}</password>\n", None),
            (
                "root/.config/pip/pip.conf",
                "index-url = https://a:b@pip.example/\n",
                Some(Secret::Login),
            ),
        ] {
            assert!(is_candidate(path.as_bytes(), text.len() as u64), "{path}");
            assert_eq!(look(path.as_bytes(), text.as_bytes()), secret, "{path}: {text}");
        }
        assert!(!is_candidate(b"app/main.py", 10));
        assert!(!is_candidate(b"app/x.pem", SECRET_MAX + 1));
    }

    #[test]
    fn any_bytes_are_looked_at() {
        for text in [&b"\xff=\xfe"[..], b"://:@", b"://a:@", b":", b"=", b"<password>", b"a: b"] {
            for name in [&b".env"[..], b".netrc", b".npmrc", b".pgpass"] {
                let _ = look(name, text);
            }
        }
    }
}
