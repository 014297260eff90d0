//! Auth files: Docker's `config.json` and podman's `auth.json`, which differ in their keys only.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use jettison_oci::Reference;
use jettison_oci::reference::DEFAULT_REGISTRY;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::source::registry::credential::{Credential, Secret};
use crate::source::registry::credential_helper;

/// The key under which Docker keeps Docker Hub's credentials, in files and helpers.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// An auth file. Real ones have a few rows.
const AUTH_FILE_MAX: u64 = 1 << 20;

/// Writers disagree on the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a helper is asked: its name and the server's, see [`credential_helper::get`].
type AskHelper<'a> = &'a dyn Fn(&str, &str) -> Result<Option<Secret>, String>;

/// The auth files there are, in the order in which they are looked through.
#[derive(Debug, Default)]
pub(super) struct AuthFiles {
    files: Vec<(PathBuf, AuthFile)>,
    searched: Vec<PathBuf>,
    /// Why some could not be opened: another user's, mostly, after a login as root.
    closed: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthFile {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    creds_store: Option<String>,
    cred_helpers: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    #[serde(alias = "identityToken")]
    identitytoken: Option<String>,
    #[serde(alias = "registryToken")]
    registrytoken: Option<String>,
}

/// Kept out of logs and panics.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry")
    }
}

impl AuthFiles {
    /// Reads those of `paths` that exist. One that may not be read is passed over, as Docker does:
    /// public images need no login.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self> {
        let (mut files, mut closed) = (Vec::new(), Vec::new());
        for path in paths {
            let mut bytes = Vec::new();
            match fs_err::File::open(path)
                .and_then(|file| file.take(AUTH_FILE_MAX + 1).read_to_end(&mut bytes))
            {
                Ok(_) => files.push((path.clone(), AuthFile::parse(path, &bytes)?)),
                Err(error)
                    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    closed.push(error.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { files, searched: paths.to_vec(), closed })
    }

    /// What was passed over, a sentence a file.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        self.closed.iter().map(|error| format!("an auth file was passed over: {error}"))
    }

    /// What the first file that knows the image's registry has for it. Helpers may be run, and may
    /// take their time.
    pub(super) fn find(&self, reference: &Reference) -> Result<Option<Credential>> {
        self.find_asking(reference, &credential_helper::get)
    }

    fn find_asking(&self, reference: &Reference, ask: AskHelper<'_>) -> Result<Option<Credential>> {
        for (path, file) in &self.files {
            if let Some(found) = file.find(path, reference, ask)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Where credentials were looked for, as part of a sentence.
    pub(super) fn searched(&self) -> String {
        match &self.searched[..] {
            [] => "there is no auth file to look in".to_owned(),
            paths => {
                let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
                let mut text = format!("none were found in {}", paths.join(", "));
                for error in &self.closed {
                    let _ = write!(text, " ({error})");
                }
                text
            }
        }
    }
}

impl AuthFile {
    fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let what = || format!("auth file {}", path.display());
        if bytes.len() as u64 > AUTH_FILE_MAX {
            return Err(Error::size_limit(what(), "a size", bytes.len() as u64, AUTH_FILE_MAX));
        }
        // podman makes an empty file before it writes the first row.
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        // The parser's own words may repeat a secret: only the place is told.
        serde_json::from_slice(bytes).map_err(|error| {
            let found = if error.is_data() { "a value of the wrong type" } else { "no valid JSON" };
            let (line, column) = (error.line(), error.column());
            Error::malformed(
                what(),
                format!("{found} at line {line}, column {column}: mend it, or log in again"),
            )
        })
    }

    /// A helper named for the registry is asked alone; the store for all registries before the
    /// file's own rows, as Docker does.
    fn find(
        &self,
        path: &Path,
        reference: &Reference,
        ask: AskHelper<'_>,
    ) -> Result<Option<Credential>> {
        let helpers = self.cred_helpers.iter().flatten();
        let named = longest(helpers.filter(|(_, name)| !name.is_empty()), reference);
        let helper = match (named, self.creds_store.as_deref()) {
            (Some((server, name)), _) => Some((name.as_str(), server)),
            (None, None | Some("")) => None,
            (None, Some(store)) if reference.registry() == DEFAULT_REGISTRY => {
                Some((store, HUB_KEY))
            }
            (None, Some(store)) => Some((store, reference.registry())),
        };
        if let Some((name, server)) = helper {
            let program = credential_helper::program(&jettison_oci::escape::line(name));
            let origin = format!("{program} (named in {})", path.display());
            let answer = ask(name, server).map_err(|because| Error::Remote {
                what: format!("credential helper {origin}"),
                because,
            })?;
            if let Some(secret) = answer {
                return Ok(Some(Credential { secret, origin }));
            }
        }
        let rows = self.auths.iter().flatten();
        let rows = rows.filter_map(|(key, entry)| Some((key, entry.as_ref()?)));
        let Some((key, entry)) = longest(rows.filter(|(_, entry)| entry.is_filled()), reference)
        else {
            return Ok(None);
        };
        let secret = entry.secret().ok_or_else(|| {
            Error::malformed(
                format!("auth file {}", path.display()),
                format!(
                    "the auth of {} is not the base64 of user:password: log in again",
                    jettison_oci::escape::line(key)
                ),
            )
        })?;
        Ok(Some(Credential { secret, origin: path.display().to_string() }))
    }
}

impl Entry {
    /// Whether the row holds a secret. With a store or helper, Docker leaves empty rows behind.
    fn is_filled(&self) -> bool {
        [&self.auth, &self.password, &self.identitytoken, &self.registrytoken]
            .into_iter()
            .any(|field| field.as_ref().is_some_and(|text| !text.is_empty()))
    }

    fn secret(&self) -> Option<Secret> {
        let filled = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        if let Some(token) = filled(&self.registrytoken) {
            return Some(Secret::RegistryToken(token));
        }
        if let Some(token) = filled(&self.identitytoken) {
            return Some(Secret::IdentityToken(token));
        }
        let Some(encoded) = filled(&self.auth) else {
            let (user, password) = (self.username.clone()?, self.password.clone()?);
            return Some(Secret::Password { user, password });
        };
        let decoded = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        // Docker once padded passwords with zero bytes.
        let password = password.trim_end_matches('\0');
        Some(Secret::Password { user: user.to_owned(), password: password.to_owned() })
    }
}

/// The row whose key names most of the reference: `registry/namespace/app` before
/// `registry/namespace` before `registry`.
fn longest<'a, T>(
    rows: impl Iterator<Item = (&'a String, T)>,
    reference: &Reference,
) -> Option<(&'a str, T)> {
    let name = reference.name();
    rows.filter_map(|(key, row)| {
        let place = place(key);
        let rest = name.strip_prefix(place.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then_some((place.len(), key.as_str(), row))
    })
    // Of two spellings of one place the first in the alphabet, so that the choice is stable.
    .max_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.cmp(a.1)))
    .map(|(_, key, row)| (key, row))
}

/// What a key names: a registry, or a registry and a path of it. Old keys are URLs of an API.
fn place(key: &str) -> String {
    let bare = ["https://", "http://"].into_iter().find_map(|scheme| key.strip_prefix(scheme));
    let place = if let Some(url) = bare {
        url.split('/').next().unwrap_or(url)
    } else {
        let key = key.trim_end_matches('/');
        ["/v1", "/v2"].into_iter().find_map(|api| key.strip_suffix(api)).unwrap_or(key)
    };
    let (host, path) = place.find('/').map_or((place, ""), |slash| place.split_at(slash));
    match host {
        "index.docker.io" | "registry-1.docker.io" => format!("{DEFAULT_REGISTRY}{path}"),
        _ => place.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of one text, in a directory that lives as long as it.
    fn files(texts: &[&str]) -> (tempfile::TempDir, Result<AuthFiles>) {
        let directory = tempfile::tempdir().unwrap();
        let mut paths = vec![directory.path().join("absent.json")];
        for (number, text) in texts.iter().enumerate() {
            paths.push(directory.path().join(format!("{number}.json")));
            fs_err::write(paths.last().unwrap(), text).unwrap();
        }
        (directory, AuthFiles::read(&paths))
    }

    fn encoded(user: &str, password: &str) -> String {
        BASE64.encode(format!("{user}:{password}"))
    }

    /// The user of the credentials found for `image`, without helpers.
    fn user(files: &AuthFiles, image: &str) -> Option<String> {
        let found = files
            .find_asking(&image.parse().unwrap(), &|_, _| unreachable!("no helper is named"))
            .unwrap()?;
        match found.secret {
            Secret::Password { user, .. } => Some(user),
            other => Some(format!("{other:?}")),
        }
    }

    #[test]
    fn the_longest_key_wins_and_the_first_file_before_the_second() {
        let auth = |user: &str| format!(r#"{{"auth":"{}"}}"#, encoded(user, "p"));
        let first = format!(
            r#"{{"auths":{{"registry.example":{},"registry.example/team":{},
                "registry.example/team/app":{},"registry.example:5000":{},"other.example":{{}}}}}}"#,
            auth("all"),
            auth("team"),
            auth("app"),
            auth("port")
        );
        let second =
            format!(r#"{{"auths":{{"registry.example":{0},"other.example":{0}}}}}"#, auth("2nd"));
        let (_directory, files) = files(&[&first, &second]);
        let files = files.unwrap();
        for (image, expected) in [
            ("registry.example/team/app:1", Some("app")),
            ("registry.example/team/other", Some("team")),
            ("registry.example/teams/app", Some("all")),
            ("registry.example:5000/team/app", Some("port")),
            ("other.example/app", Some("2nd")),
            ("debian", None),
        ] {
            assert_eq!(user(&files, image).as_deref(), expected, "{image}");
        }
    }

    #[test]
    fn all_names_of_docker_hub_are_one() {
        for key in
            [HUB_KEY, "index.docker.io", "docker.io", "registry-1.docker.io", "docker.io/library"]
        {
            let text = format!(r#"{{"auths":{{"{key}":{{"auth":"{}"}}}}}}"#, encoded("hub", "p"));
            let (_directory, files) = files(&[&text]);
            assert_eq!(user(&files.unwrap(), "debian").as_deref(), Some("hub"), "{key}");
        }
    }

    #[test]
    fn takes_every_kind_of_row() {
        let find = |row: &str| {
            let (_directory, files) = files(&[&format!(r#"{{"auths":{{"r.example":{row}}}}}"#)]);
            let found =
                files.unwrap().find_asking(&"r.example/a".parse().unwrap(), &|_, _| Ok(None));
            found.map(|found| found.map(|credential| credential.secret))
        };
        let password =
            |password: &str| Secret::Password { user: "u".into(), password: password.into() };
        let row = |auth: &str| format!(r#"{{"auth":"{auth}"}}"#);
        assert_eq!(find(&row(&encoded("u", "a:b\0\0"))).unwrap(), Some(password("a:b")));
        assert_eq!(
            find(&row(encoded("u", "pw").trim_end_matches('='))).unwrap(),
            Some(password("pw"))
        );
        assert_eq!(find(r#"{"username":"u","password":"p"}"#).unwrap(), Some(password("p")));
        let token = Secret::IdentityToken("t".into());
        assert_eq!(find(r#"{"auth":"dTo=","identitytoken":"t"}"#).unwrap(), Some(token));
        let token = Secret::RegistryToken("t".into());
        assert_eq!(find(r#"{"registrytoken":"t"}"#).unwrap(), Some(token));
        for empty in ["{}", "null", r#"{"auth":""}"#] {
            assert_eq!(find(empty).unwrap(), None, "{empty}");
        }
        for broken in ["%%%", "dXNlcg"] {
            let message = find(&row(broken)).unwrap_err().to_string();
            assert!(message.contains("0.json") && message.contains("r.example"), "{message}");
        }
    }

    #[test]
    fn helpers_go_before_rows_and_their_failure_names_them() {
        let text = format!(
            r#"{{"auths":{{"r.example":{{"auth":"{}"}}}},"credsStore":"store",
                "credHelpers":{{"h.example":"special","broken.example":"broken"}}}}"#,
            encoded("row", "p")
        );
        let (_directory, files) = files(&[&text]);
        let files = files.unwrap();
        let ask = |name: &str, server: &str| match (name, server) {
            ("store", "r.example") => Ok(None),
            ("store", HUB_KEY) => Ok(Some(Secret::IdentityToken("hub".into()))),
            ("special", "h.example") => Ok(Some(Secret::IdentityToken("special".into()))),
            _ => Err(format!("no such server {server}")),
        };
        let find = |image: &str| files.find_asking(&image.parse().unwrap(), &ask);
        let origin = find("h.example/a").unwrap().unwrap().to_string();
        assert!(
            origin.starts_with("the identity token from docker-credential-special"),
            "{origin}"
        );
        assert_eq!(find("debian").unwrap().unwrap().secret, Secret::IdentityToken("hub".into()));
        assert!(matches!(find("r.example/a").unwrap().unwrap().secret, Secret::Password { .. }));
        let message = find("broken.example/a").unwrap_err().to_string();
        assert!(message.starts_with("credential helper docker-credential-broken (named in "));
        assert!(message.ends_with("0.json): no such server broken.example"), "{message}");
    }

    #[test]
    fn a_malformed_file_is_named_and_its_secrets_are_not() {
        for text in
            ["{", r#"{"auths":"aHVudGVyMg=="}"#, r#"{"auths":{"r":{"auth":["aHVudGVyMg=="]}}}"#]
        {
            let (_directory, files) = files(&[text]);
            let message = files.unwrap_err().to_string();
            assert!(message.contains("0.json is malformed"), "{message}");
            assert!(!message.contains("aHVud"), "{message}");
        }
        let (_directory, files) = files(&["\n", "{}", r#"{"auths":null,"HttpHeaders":{}}"#]);
        assert_eq!(user(&files.unwrap(), "debian"), None);
    }

    #[test]
    fn says_where_it_looked() {
        assert_eq!(AuthFiles::default().searched(), "there is no auth file to look in");
        let files = AuthFiles::read(&["/nowhere/a.json".into(), "/nowhere/b.json".into()]).unwrap();
        assert_eq!(files.searched(), "none were found in /nowhere/a.json, /nowhere/b.json");
    }
}
