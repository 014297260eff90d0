//! Secrets: in files of any layer, in variables, in build arguments; and that what they are is never
//! shown.

use jettison_testkit::image::{Compression, ImageBuilder, ImageFiles, LayerBuilder};
use serde_json::Value;

use super::case::{Case, Found, base, image, of_rule, write};
use super::databases::Dpkg;
use crate::jettison::User;
use crate::shop::content;

/// No report may have this, whatever it is part of.
const SECRET: &str = "hunter2x9z";

/// A private key, each of its own.
fn key(name: &str) -> String {
    format!(
        "{name}\n-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----\n"
    )
}

fn token() -> String {
    format!("//npm.example/:_authToken={SECRET}\n")
}

pub(super) fn cases() -> Vec<Case> {
    vec![files(), deleted(), variables()]
}

fn files() -> Case {
    let database = Dpkg::new().asked("tls-tests", &[("usr/share/tls/other", 300)]);
    let list = "/usr/share/tls/test.pem\n/usr/share/tls/other\n";
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let layer = database
        .layer()
        .file("root/.ssh/id_ed25519", key("0"))
        .file("app/tls/server.key", key("1").replace("OPENSSH ", ""))
        .file("root/.npmrc", token())
        .file("root/.aws/credentials", format!("aws_secret_access_key = {SECRET}\n"))
        .file("root/.docker/config.json", format!("{{\n\"auth\": \"{SECRET}\"\n}}\n"))
        .file("root/.netrc", format!("machine a login b password {SECRET}\n"))
        .file("etc/pip.conf", format!("[global]\nindex-url = https://me:{SECRET}@pip.example/\n"))
        .file(
            "etc/apt/auth.conf.d/mirror.conf",
            format!("machine mirror.example login b password {SECRET}\n"),
        )
        .file("app/.env", format!("PORT=80\nDB_PASSWORD={SECRET}\n"))
        .file("app/store.p12", format!("\x30\x42{SECRET}"))
        // None of these is one.
        .file("etc/ssl/certs/ca.pem", format!("ca\n{certificate}"))
        .file("app/tls/server.pem", certificate)
        .file("root/.ssh/id_ed25519.pub", "ssh-ed25519 AAAA\n")
        .file("srv/.npmrc", "//npm.example/:_authToken=${NPM_TOKEN}\n")
        .file("srv/.env", "DB_PASSWORD_FILE=/run/secrets/db\nDB_PASSWORD=\n")
        .file("srv/.env.example", "DB_PASSWORD=changeme\n")
        .file("srv/.netrc", "machine a login b\n")
        // What is published is none: of packages, and of their tests.
        .file("app/node_modules/x/test/server.key", key("2"))
        .file("usr/share/tls/test.pem", key("3"))
        .file("var/lib/dpkg/info/tls-tests.list", list);
    let sure = [
        ("root/.ssh/id_ed25519", 0),
        ("app/tls/server.key", 0),
        ("root/.npmrc", 0),
        ("root/.aws/credentials", 0),
        ("root/.docker/config.json", 0),
        ("root/.netrc", 0),
        ("etc/pip.conf", 0),
        ("etc/apt/auth.conf.d/mirror.conf", 0),
    ];
    let found = [
        Found::files("high", &sure),
        Found::files("medium", &[("app/.env", 0), ("app/store.p12", 0)]),
    ];
    // The list is brought twice.
    Case::new("secrets", image(layer), &found).beside(&["overwritten-later"])
}

/// Whoever has the image has the lower layer.
fn deleted() -> Case {
    let image = base()
        .layer(LayerBuilder::new().file("root/.npmrc", token()), "COPY .npmrc /root # buildkit")
        .layer(
            LayerBuilder::new().whiteout("root/.npmrc"),
            "RUN /bin/sh -c rm /root/.npmrc # buildkit",
        );
    let found = Found::files("high", &[("root/.npmrc", 0)]);
    Case::new("secrets", image, &[found]).beside(&["removed-later"])
}

fn variables() -> Case {
    let layer = LayerBuilder::new().file("app/x", content("x", 10));
    let run = format!(
        "RUN |4 COMMENT=two words NPM_TOKEN={SECRET} VERSION=3 EMPTY_TOKEN= /bin/sh -c npm ci # buildkit"
    );
    let old = format!("|1 API_KEY={SECRET} /bin/sh -c make");
    let image = base()
        .layer(layer.clone(), &run)
        .layer(layer.file("app/y", content("y", 10)), &old)
        .env("DATABASE_PASSWORD", SECRET)
        .env("PASSWORD_FILE", "/run/secrets/x")
        .env("SECRET_FROM", "${ELSEWHERE}")
        .env("TOKENIZERS_PARALLELISM", "false")
        .env("PATH", "/usr/bin");
    let found = Found::places("medium", &["ENV DATABASE_PASSWORD", "ARG API_KEY", "ARG NPM_TOKEN"]);
    Case::new("secrets", image, &[found]).beside(&["metadata-only-rewrite"])
}

#[test]
fn secrets_are_found_where_they_are_and_where_they_were() {
    let user = User::new();
    for case in cases() {
        let document = case.check(&user);
        for finding in of_rule(&document, "secrets") {
            assert_eq!((&finding["severity"], &finding["bytes"]), (&"high".into(), &0.into()));
        }
    }
    let document = deleted().check(&user);
    let evidence = of_rule(&document, "secrets")[0]["evidence"].as_str().unwrap();
    assert_eq!(evidence, "a token; layer #2 hides it, and everybody can read it still");
}

/// Everything that jettison says of the image, however it is asked.
fn reports(user: &User, word: &str) -> Vec<(String, String)> {
    let asked: [&[&str]; 12] = [
        &["analyze", word],
        &["analyze", word, "--advice", "full", "--top", "100", "--min-bytes", "0"],
        &["analyze", word, "--advice", "off"],
        &["analyze", word, "--unused", "--min-bytes", "0"],
        &["analyze", word, "--format", "json", "--unused", "--top", "1000", "--min-bytes", "0"],
        &["analyze", word, "--advice", "full", "--verbose"],
        &["why", word, "/root/.npmrc"],
        &["why", word, "/root/.npmrc", "--format", "json"],
        &["why", word, "/", "--format", "json"],
        &["diff", word, word],
        &["diff", word, word, "--format", "json"],
        &["analyze", word, "--color", "always"],
    ];
    let mut reports = Vec::new();
    for arguments in asked {
        let run = user.run(arguments);
        assert_eq!(run.code(), 0, "{arguments:?}: {}", run.stderr);
        let text = String::from_utf8_lossy(&run.stdout).into_owned() + &run.stderr;
        reports.push((arguments.join(" "), text));
    }
    reports
}

#[test]
fn what_a_secret_is_is_never_shown() {
    for (number, case) in cases().into_iter().enumerate() {
        let user = User::new();
        let gzip = case.image.clone().compression(Compression::Gzip { level: 1 }).build();
        ImageFiles::oci_layout([gzip]).write_directory(&user.path("layout")).unwrap();
        for word in [write(&user, "case.tar", case.image), "oci:layout".to_owned()] {
            for (asked, text) in reports(&user, &word) {
                assert!(!text.contains(SECRET), "case {number}: jettison {asked}:\n{text}");
            }
        }
        // Nor is it kept beside the image.
        for name in crate::jettison::entries(&user.cache()) {
            let kept = fs_err::read(user.cache().join(&name)).unwrap();
            let found = kept.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
            assert!(!found, "case {number}: the cache has it in {name}");
        }
    }
}

#[test]
fn secrets_are_found_in_whatever_form_the_image_comes() {
    let user = User::new();
    for case in [files(), deleted(), variables()] {
        let word = write(&user, "case.tar", case.image.clone());
        let told = |document: &Value| -> Vec<Value> {
            of_rule(document, "secrets").into_iter().cloned().collect()
        };
        let expected = told(&super::case::findings(&user, &word));
        assert!(!expected.is_empty());
        let gzip = case.image.compression(Compression::Gzip { level: 1 }).build();
        ImageFiles::oci_layout([gzip.clone()]).write_directory(&user.path("layout")).unwrap();
        for run in ["the first time", "from the cache"] {
            let found = told(&super::case::findings(&user, "oci:layout"));
            assert_eq!(found, expected, "{run}");
        }
        fs_err::remove_dir_all(user.path("layout")).unwrap();
        let archive = ImageFiles::docker_archive(&[gzip]).tar();
        let arguments = ["analyze", "-", "--format", "json", "--top", "100000", "--min-bytes", "0"];
        let piped = user.run_with_input(&arguments, &archive).json();
        assert_eq!(told(&piped), expected, "from a pipe");
    }
}

#[test]
fn a_history_alone_has_arguments() {
    // Instructions without files are rows, too.
    let image: ImageBuilder =
        base().empty(&format!("RUN |1 DEPLOY_TOKEN={SECRET} /bin/sh -c true"));
    let found = Found::places("medium", &["ARG DEPLOY_TOKEN"]);
    Case::new("secrets", image, &[found]).check(&User::new());
}
