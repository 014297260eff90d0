use std::collections::{BTreeMap, BTreeSet};

use jettison_oci::Bytes;

use super::*;
use crate::advice::base::candidate::{Provided, Size};
use crate::advice::base::catalogue::Catalogue;
use crate::advice::base::needs::{Data, Installed, Library, Newest};

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

/// A candidate of the real table.
fn candidate(name: &str) -> Candidate {
    let all = Catalogue::builtin().candidates;
    all.into_iter().find(|row| row.is_called(name)).unwrap()
}

fn debian() -> Needs {
    Needs { distribution: Some(("debian".to_owned(), "12".to_owned())), ..Needs::default() }
}

/// A program linked against glibc.
fn glibc(needed: &str, sonames: &[&str]) -> Needs {
    Needs {
        linked: [(Libc::Glibc, Proof::of("/app/server"))].into(),
        glibc: Some(Newest { version: version(needed), proof: Proof::of("/app/server") }),
        sonames: sonames
            .iter()
            .map(|name| ((*name).to_owned(), Proof::of("/app/server")))
            .collect(),
        libraries: sonames.iter().map(|name| ((*name).to_owned(), library(name, 1000))).collect(),
        ..debian()
    }
}

fn library(name: &str, bytes: u64) -> Library {
    Library {
        path: format!("/usr/lib/x86_64-linux-gnu/{name}"),
        bytes: Bytes(bytes),
        package: Some(format!("package-of-{name}")),
        glibc: Some(version("2.17")),
        glibcxx: None,
        needed: vec!["libc.so.6".to_owned()],
    }
}

fn interpreter(language: Language, version: &str, path: &str) -> Interpreter {
    Interpreter {
        language,
        version: Version::parse(version),
        path: path.to_owned(),
        packages: BTreeSet::new(),
        modules: Proof::default(),
        natives: Proof::default(),
        abi: None,
        proof: Proof::of("/app/main"),
    }
}

fn with(interpreter: Interpreter) -> Needs {
    Needs { interpreters: vec![interpreter], ..debian() }
}

#[track_caller]
fn fits(needs: &Needs, name: &str) -> Verdict {
    let verdict = check(needs, &candidate(name));
    assert!(verdict.fits, "{name}: {:?}", verdict.reasons);
    verdict
}

#[track_caller]
fn fails(needs: &Needs, name: &str, because: &str) {
    let verdict = check(needs, &candidate(name));
    assert!(!verdict.fits, "{name} fits");
    let all = verdict.reasons.join("; ");
    assert!(all.contains(because), "{all:?} does not say {because:?}");
    assert!(verdict.brings.is_empty());
}

#[test]
fn a_static_program_needs_nothing() {
    let needs = Needs { linked: [(Libc::None, Proof::of("/app/server"))].into(), ..debian() };
    assert!(needs.is_static());
    for name in
        ["scratch", "gcr.io/distroless/static-debian12", "alpine:3.22", "debian:trixie-slim"]
    {
        assert!(fits(&needs, name).brings.is_empty());
    }
}

#[test]
fn musl_and_glibc_are_never_mixed() {
    let needs = glibc("2.17", &["libc.so.6"]);
    fails(&needs, "alpine:3.22", "/app/server is linked against glibc, and the base has musl");
    fails(&needs, "scratch", "the base has no C library");
    fits(&needs, "gcr.io/distroless/base-nossl-debian12");
    let needs = Needs {
        linked: [(Libc::Musl, Proof::of("/app/server"))].into(),
        sonames: [("libc.musl-x86_64.so.1".to_owned(), Proof::of("/app/server"))].into(),
        ..Needs::default()
    };
    fails(&needs, "debian:bookworm-slim", "is linked against musl, and the base has glibc");
    fails(&needs, "gcr.io/distroless/static-debian12", "no C library");
    fits(&needs, "alpine:3.20");
    // Static programs beside it do not change that.
    let mut needs = glibc("2.17", &[]);
    needs.linked.insert(Libc::None, Proof::of("/app/tool"));
    fails(&needs, "scratch", "/app/server");
}

#[test]
fn glibc_must_be_as_new_as_its_symbols() {
    let needs = glibc("2.36", &["libc.so.6"]);
    fails(&needs, "debian:bullseye-slim", "needs GLIBC_2.36, and the base has glibc 2.31");
    fails(&needs, "registry.access.redhat.com/ubi9/ubi-micro", "glibc 2.34");
    fits(&needs, "debian:bookworm-slim");
    fits(&needs, "debian:trixie-slim");
    // 2.4 is older than 2.31.
    fits(&glibc("2.4", &[]), "debian:bullseye-slim");
}

#[test]
fn the_cxx_library_is_there_new_enough_or_brought_along() {
    let mut needs = glibc("2.17", &["libc.so.6", "libstdc++.so.6", "libgcc_s.so.1"]);
    needs.glibcxx = Some(Newest { version: version("3.4.30"), proof: Proof::of("/app/server") });
    assert!(fits(&needs, "gcr.io/distroless/cc-debian12").brings.is_empty());
    // Without one, today's is copied.
    let verdict = fits(&needs, "gcr.io/distroless/base-debian12");
    let names: Vec<&str> = verdict.brings.libraries.keys().map(String::as_str).collect();
    assert_eq!(names, ["libgcc_s.so.1", "libstdc++.so.6"]);
    assert_eq!(verdict.brings.bytes, Bytes(2000));
    // An older one is replaced by today's, as long as that runs there.
    let verdict = fits(&needs, "debian:bullseye-slim");
    assert!(verdict.brings.libraries.contains_key("libstdc++.so.6"));
    assert!(verdict.reasons[0].contains("GLIBCXX_3.4.30"), "{:?}", verdict.reasons);
    if let Some(library) = needs.libraries.get_mut("libstdc++.so.6") {
        library.glibc = Some(version("2.36"));
    }
    fails(&needs, "debian:bullseye-slim", "libstdc++.so.6 needs GLIBC_2.36");
    needs.libraries.clear();
    fails(&needs, "debian:bullseye-slim", "needs GLIBCXX_3.4.30");
}

#[test]
fn libraries_bring_what_they_need() {
    let mut needs = glibc("2.17", &["libpq.so.5", "libc.so.6"]);
    needs.libraries.insert(
        "libpq.so.5".to_owned(),
        Library {
            needed: ["libssl.so.3", "libldap.so.2", "libgone.so.1"].map(str::to_owned).to_vec(),
            ..library("libpq.so.5", 300)
        },
    );
    needs.libraries.insert("libssl.so.3".to_owned(), library("libssl.so.3", 600));
    needs.libraries.insert("libldap.so.2".to_owned(), library("libldap.so.2", 50));
    needs.installed = ["libpq.so.5", "libldap.so.2", "libssl.so.3"]
        .map(|name| {
            let bytes = Bytes(10_000);
            (format!("package-of-{name}"), Installed { bytes, ..Installed::default() })
        })
        .into();
    needs
        .installed
        .get_mut("package-of-libpq.so.5")
        .unwrap()
        .depends
        .push("package-of-libldap.so.2".to_owned());
    // base has OpenSSL; what is copied is the closure without it.
    let verdict = fits(&needs, "gcr.io/distroless/base-debian12");
    let names: Vec<&str> = verdict.brings.libraries.keys().map(String::as_str).collect();
    assert_eq!(names, ["libldap.so.2", "libpq.so.5"]);
    assert_eq!(verdict.brings.bytes, Bytes(350));
    // With a package manager of the same release, packages are installed, with what they need.
    let verdict = fits(&needs, "debian:bookworm-slim");
    assert!(verdict.brings.libraries.is_empty());
    assert!(verdict.brings.packages.contains("package-of-libpq.so.5"));
    assert_eq!(verdict.brings.bytes, Bytes(30_000));
    // Another release names its packages in its own way: today's files are copied.
    let verdict = fits(&needs, "debian:trixie-slim");
    assert!(verdict.brings.packages.is_empty() && verdict.brings.libraries.len() == 2);
    // A library that goes with the application is brought by it.
    needs.libraries.get_mut("libldap.so.2").unwrap().package = None;
    let verdict = fits(&needs, "gcr.io/distroless/base-debian12");
    assert_eq!(verdict.brings.bytes, Bytes(300));
    // One that needs a newer C library cannot be.
    needs.libraries.get_mut("libpq.so.5").unwrap().glibc = Some(version("2.38"));
    fails(&needs, "gcr.io/distroless/base-debian12", "libpq.so.5 needs GLIBC_2.38");
}

#[test]
fn a_c_library_is_not_copied() {
    // Nothing is linked to it by name, yet it is needed.
    let mut needs = glibc("2.17", &["libm.so.6"]);
    needs.linked.clear();
    needs.glibc = None;
    fails(&needs, "scratch", "/app/server needs libm.so.6, and the base has no C library");
    fits(&needs, "gcr.io/distroless/base-nossl-debian12");
}

#[test]
fn python_modules_fit_one_version() {
    let python = || interpreter(Language::Python, "3.11", "/usr/local/bin/python3.11");
    let natives = Proof::of("/app/x.cpython-311-x86_64-linux-gnu.so");
    let abi = Some("cpython-311".to_owned());
    let needs = with(Interpreter { natives, abi, ..python() });
    fails(
        &needs,
        "python:3.12-slim-bookworm",
        "is built for Python 3.11 (cpython-311), and the base has 3.12 (cpython-312)",
    );
    assert!(fits(&needs, "python:3.11-slim-bookworm").caveats.is_empty());
    // It stands elsewhere in distroless images.
    let verdict = fits(&needs, "gcr.io/distroless/python3-debian12");
    assert!(verdict.caveats[0].contains("/usr/bin/python3.11"), "{:?}", verdict.caveats);
    let modules = Proof::of("/venv/lib/python3.11/site-packages/flask/app.py");
    let needs = with(Interpreter { modules, ..python() });
    fails(&needs, "python:3.13-slim-trixie", "is installed for Python 3.11");
    fits(&needs, "python:3.11-slim-trixie");
    // A script alone runs on a newer one, with a look at it; on an older one it may not.
    assert!(!fits(&with(python()), "python:3.12-slim-bookworm").caveats.is_empty());
    fails(&with(python()), "python:3.10-slim-bookworm", "the base has only 3.10");
    fails(&with(python()), "debian:bookworm-slim", "needs Python, and the base does not have it");
    let unknown = with(Interpreter { version: None, ..python() });
    fails(
        &unknown,
        "python:3.11-slim-bookworm",
        "which version of Python the image has is not known",
    );
}

#[test]
fn node_addons_fit_one_version_of_modules() {
    let node = || interpreter(Language::Node, "20", "/usr/local/bin/node");
    let natives = Proof::of("/app/node_modules/x/build/Release/x.node");
    let abi = Some("115".to_owned());
    let needs = with(Interpreter { natives, abi, ..node() });
    fails(&needs, "node:22-bookworm-slim", "is built for Node 20 (115), and the base has 22 (127)");
    assert!(fits(&needs, "node:20-bookworm-slim").caveats.is_empty());
    fits(&needs, "gcr.io/distroless/nodejs20-debian12");
    // Without addons a newer one will do, with a look at it.
    let verdict = fits(&with(node()), "node:22-bookworm-slim");
    assert!(verdict.caveats[0].contains("Node 22 instead of 20"), "{:?}", verdict.caveats);
    fails(&with(node()), "node:18-bookworm-slim", "the base has only 18");
    // An addon for glibc keeps Alpine away, whatever its version.
    let mut needs = with(node());
    needs.linked.insert(Libc::Glibc, Proof::of("/app/node_modules/x/x.node"));
    fails(&needs, "node:20-alpine", "linked against glibc, and the base has musl");
}

#[test]
fn java_runs_on_newer_machines() {
    let java = with(interpreter(Language::Java, "17", "/opt/java/openjdk/bin/java"));
    assert!(fits(&java, "eclipse-temurin:17-jre-noble").caveats.is_empty());
    assert!(!fits(&java, "eclipse-temurin:21-jre-noble").caveats.is_empty());
    let newer = with(interpreter(Language::Java, "21", "/opt/java/openjdk/bin/java"));
    fails(&newer, "gcr.io/distroless/java17-debian12", "the base has only 17");
    // Its name stands for another one tomorrow.
    assert!(fits(&newer, "cgr.dev/chainguard/jre").caveats.iter().any(|c| c.contains("newer")));
}

#[test]
fn interpreters_of_the_distribution_are_installed() {
    let package = |name: &str| Interpreter {
        packages: [name.to_owned()].into(),
        ..interpreter(Language::Perl, "5.36", "/usr/bin/perl")
    };
    fits(&with(package("perl-base")), "debian:bookworm-slim");
    fails(&with(package("perl-base")), "gcr.io/distroless/base-debian12", "needs Perl");
    let mut python = with(Interpreter {
        packages: ["python3.11-minimal", "libpython3.11-stdlib"].map(str::to_owned).into(),
        ..interpreter(Language::Python, "3.11", "/usr/bin/python3.11")
    });
    fails(&python, "debian:bookworm-slim", "needs Python");
    python.installed.insert("python3.11-minimal".to_owned(), Installed::default());
    fails(&python, "debian:bookworm-slim", "needs Python");
    python.installed.insert("libpython3.11-stdlib".to_owned(), Installed::default());
    let verdict = fits(&python, "debian:bookworm-slim");
    assert_eq!(verdict.brings.packages.len(), 2);
    assert!(verdict.reasons[0].contains("has to be installed"), "{:?}", verdict.reasons);
    assert!(fits(&python, "gcr.io/distroless/python3-debian12").caveats.is_empty());
}

#[test]
fn scripts_need_their_shell() {
    let needs = |shell: &str| Needs {
        shells: [(shell.to_owned(), Proof::of("/app/start.sh"))].into(),
        shell_packages: [(shell.to_owned(), shell.to_owned())].into(),
        ..debian()
    };
    fails(
        &needs("sh"),
        "gcr.io/distroless/base-debian12",
        "/app/start.sh needs the shell sh, and the base has none",
    );
    fits(&needs("sh"), "alpine:3.22");
    fits(&needs("dash"), "alpine:3.22");
    fails(&needs("bash"), "alpine:3.22", "needs the shell bash, and the base has another one");
    fits(&needs("bash"), "debian:bookworm-slim");
    // Where it can be installed, it is.
    let mut zsh = needs("zsh");
    fails(&zsh, "debian:bookworm-slim", "zsh");
    zsh.installed.insert("zsh".to_owned(), Installed { bytes: Bytes(7), ..Installed::default() });
    assert_eq!(fits(&zsh, "debian:bookworm-slim").brings.bytes, Bytes(7));
    fails(&zsh, "debian:trixie-slim", "zsh");
}

#[test]
fn programs_come_with_the_base_or_its_packages() {
    let command = |name: &str, package: &str| Needs {
        commands: vec![Command {
            name: name.to_owned(),
            package: package.to_owned(),
            proof: Proof::of("/app/start.sh"),
        }],
        installed: [("curl".to_owned(), Installed { bytes: Bytes(5), ..Installed::default() })]
            .into(),
        ..debian()
    };
    fits(&command("sed", "sed"), "alpine:3.22");
    fits(&command("nproc", "coreutils"), "debian:trixie-slim");
    fails(&command("sed", "sed"), "gcr.io/distroless/cc-debian12", "starts sed of the package sed");
    fails(&command("curl", "curl"), "gcr.io/distroless/cc-debian12", "starts curl");
    let verdict = fits(&command("curl", "curl"), "debian:bookworm-slim");
    assert_eq!(verdict.brings.packages, BTreeSet::from(["curl".to_owned()]));
}

#[test]
fn package_managers_are_of_the_same_distribution() {
    let needs = |manager: &str| Needs {
        package_managers: [(manager.to_owned(), Proof::of("/app/start.sh"))].into(),
        ..debian()
    };
    fits(&needs("apt"), "debian:bookworm-slim");
    fits(&needs("apt"), "debian:trixie-slim");
    fails(&needs("apt"), "ubuntu:24.04", "uses apt while it runs");
    fails(&needs("apt"), "alpine:3.22", "uses apt while it runs");
    fails(&needs("apt"), "gcr.io/distroless/base-debian12", "uses apt while it runs");
    fits(&needs("pip"), "python:3.12-slim-bookworm");
    fails(&needs("pip"), "gcr.io/distroless/python3-debian12", "uses pip while it runs");
}

#[test]
fn certificates_zones_users_and_data_are_brought_along() {
    let needs = Needs {
        ca_certificates: Proof::of("/app/server"),
        time_zones: Proof::of("/app/server"),
        user: Some("nonroot".to_owned()),
        ..debian()
    };
    assert!(fits(&needs, "gcr.io/distroless/static-debian12").brings.is_empty());
    let verdict = fits(&needs, "scratch");
    let files: Vec<&str> = verdict.brings.files.iter().map(String::as_str).collect();
    assert_eq!(
        files,
        ["/etc/group", "/etc/passwd", "/etc/ssl/certs/ca-certificates.crt", "/usr/share/zoneinfo"]
    );
    // Where their packages can be installed, they are.
    let mut installs = needs.clone();
    installs.installed.insert("ca-certificates".to_owned(), Installed::default());
    let verdict = fits(&installs, "debian:bookworm-slim");
    assert!(verdict.brings.packages.contains("ca-certificates"));
    let data = Data { paths: vec!["/usr/share/mime/x".to_owned()], bytes: Bytes(9) };
    let needs = Needs { data: [("mime".to_owned(), data)].into(), ..debian() };
    let verdict = fits(&needs, "scratch");
    assert_eq!(verdict.brings.bytes, Bytes(9));
    assert!(verdict.brings.files.contains("/usr/share/mime/x"));
}

#[test]
fn a_handmade_candidate_is_checked_like_those_of_the_table() {
    let nothing = Candidate {
        reference: "registry.example/empty:1".to_owned(),
        aliases: Vec::new(),
        family: String::new(),
        release: String::new(),
        libc: Libc::None,
        libc_version: None,
        glibcxx: None,
        sonames: BTreeSet::new(),
        packages: BTreeSet::new(),
        shells: BTreeSet::new(),
        commands: BTreeSet::new(),
        package_managers: BTreeSet::new(),
        has_ca_certificates: false,
        has_time_zones: false,
        users: Vec::new(),
        library_directory: None,
        interpreter: Some(Provided {
            language: Language::Php,
            version: version("8.3"),
            abi: Some("20230831".to_owned()),
            path: "/usr/local/bin/php".to_owned(),
        }),
        is_rolling: false,
        entrypoint: None,
        size: Size {
            files: Bytes(1),
            compressed: None,
            is_approximate: false,
            source: "a test".to_owned(),
            date: "2026-01-01".to_owned(),
        },
    };
    let php = |abi: &str| Interpreter {
        natives: Proof::of("/usr/local/lib/php/extensions/x/gd.so"),
        abi: Some(abi.to_owned()),
        ..interpreter(Language::Php, "8.3", "/usr/local/bin/php")
    };
    assert!(check(&with(php("20230831")), &nothing).fits);
    assert!(!check(&with(php("20220829")), &nothing).fits);
    assert_eq!(
        BTreeMap::<String, Bytes>::new(),
        Needs::default().with_dependencies(&BTreeSet::new(), &BTreeSet::new())
    );
}
