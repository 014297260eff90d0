//! Whose files are: the package databases and what programs and archives say of themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use jettison_testkit::image::{Compression, ImageBuilder, ImageFiles, LayerBuilder, Meta, Wrap};
use jettison_testkit::process;
use serde_json::{Value, json};

use crate::jettison::{User, binary};
use crate::shop::content;

/// Writes an image of one layer whose command is `command`; gives its word.
pub(crate) fn write(user: &User, name: &str, layer: LayerBuilder, command: &str) -> String {
    let image = ImageBuilder::new()
        .layer(layer, "COPY . / # buildkit")
        .entrypoint(&[command])
        .tag("example.test/owners:1")
        .build();
    ImageFiles::docker_archive(&[image]).write_archive(&user.path(name), Wrap::None).unwrap();
    format!("docker-archive:{name}")
}

pub(crate) fn why(user: &User, word: &str, path: &str) -> Value {
    user.run(&["why", "--format", "json", word, path]).json()
}

pub(crate) fn package(document: &Value, name: &str) -> Value {
    let packages = document["packages"].as_array().unwrap();
    packages.iter().find(|package| package["name"] == name).unwrap().clone()
}

/// A file that may be executed.
pub(crate) fn executable(
    layer: LayerBuilder,
    path: &str,
    content: impl AsRef<[u8]>,
) -> LayerBuilder {
    layer.file_with(path, content.as_ref(), Meta::mode(0o755))
}

const SPEC: &str = "Name: NAME\nVersion: 1.2\nRelease: 3\nSummary: s\nLicense: MIT\n\
    BuildArch: noarch\nAutoReqProv: no\nMORE\n%description\nd\n%install\n\
    mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/share/NAME\n\
    printf NAME > %{buildroot}/usr/bin/NAME\n\
    printf 'data of NAME' > %{buildroot}/usr/share/NAME/data\n\
    %files\n/usr/bin/NAME\n/usr/share/NAME\n";

/// Builds a package below a directory; `more` are lines of its specification.
fn rpmbuild(work: &Path, name: &str, more: &str) {
    let top = format!("--define=_topdir {}", work.join("build").display());
    let spec = work.join(format!("{name}.spec"));
    fs_err::write(&spec, SPEC.replace("NAME", name).replace("MORE", more)).unwrap();
    process::run(Command::new("rpmbuild").args(["-bb", "--quiet", &top]).arg(spec)).unwrap();
}

/// What rpm writes of packages that it installs; the files themselves are in the layer.
fn rpm_database(work: &Path) -> PathBuf {
    let database = format!("--define=_dbpath {}", work.join("rpm").display());
    for (name, more) in [
        (
            "shop",
            "Epoch: 2\nRequires: /usr/bin/helper\nRequires: (engine >= 1 if helper)\nRecommends: spare",
        ),
        ("helper", ""),
        ("motor", "Provides: engine = 7"),
        ("spare", ""),
    ] {
        rpmbuild(work, name, more);
        let built = work.join(format!("build/RPMS/noarch/{name}-1.2-3.noarch.rpm"));
        process::run(
            Command::new("rpm")
                .args(["-i", "--justdb", "--nodeps", "--ignoreos", "--ignorearch", &database])
                .arg(built),
        )
        .unwrap();
    }
    work.join("rpm/rpmdb.sqlite")
}

/// The same records in the form of older systems: what `BerkeleyDB`'s own loader writes.
fn berkeley(sqlite: &Path) -> PathBuf {
    const DUMP: &str = "import sqlite3, sys\n\
        print('VERSION=3\\nformat=bytevalue\\ntype=hash\\nHEADER=END\\n 00000000\\n 04000000')\n\
        for at, blob in sqlite3.connect(sys.argv[1]).execute('SELECT hnum, blob FROM Packages'):\n\
        \x20   print('', at.to_bytes(4, 'little').hex() + '\\n', blob.hex())\n\
        print('DATA=END')";
    let dump = process::run(Command::new("python3").args(["-c", DUMP]).arg(sqlite)).unwrap();
    let (text, made) = (sqlite.with_file_name("dump"), sqlite.with_file_name("Packages"));
    fs_err::write(&text, dump).unwrap();
    process::run(Command::new("db5.3_load").arg("-f").arg(text).arg(&made)).unwrap();
    made
}

/// What rpm and dnf record where dnf installs a package with what it depends on and recommends.
fn installed_by_dnf(work: &Path) -> (Vec<u8>, Vec<u8>) {
    for (name, more) in [
        ("shop", "Requires: helper\nRecommends: extra"),
        ("helper", ""),
        ("extra", "Requires: motor"),
        ("motor", ""),
        ("left", ""),
    ] {
        rpmbuild(work, name, more);
    }
    let packages = work.join("build/RPMS");
    process::run(Command::new("createrepo_c").arg("-q").arg(&packages)).unwrap();
    let settings = format!(
        "[main]\ngpgcheck=0\ncachedir={0}/cache\nlogdir={0}\n[local]\nname=local\nbaseurl=file://{1}\n",
        work.display(),
        packages.display()
    );
    fs_err::write(work.join("dnf.conf"), settings).unwrap();
    let root = work.join("root");
    let dnf = |words: &[&str]| {
        let mut dnf = Command::new("dnf");
        dnf.args(["-q", "-y", "--releasever=1", "--setopt=reposdir=/none", "--config"]);
        dnf.arg(work.join("dnf.conf")).arg("--installroot").arg(&root);
        process::run(dnf.args(words)).unwrap();
    };
    dnf(&["install", "shop", "left"]);
    // Nobody asks for it any more.
    dnf(&["mark", "remove", "left"]);
    // Where Debian's build of rpm keeps it.
    let database = fs_err::read(root.join("root/.rpmdb/rpmdb.sqlite")).unwrap();
    (database, fs_err::read(root.join("var/lib/dnf/history.sqlite")).unwrap())
}

#[test]
fn what_installed_rpm_s_packages_says_why_they_are_there() {
    const DNF: &str = "var/lib/dnf/history.sqlite";
    const DNF5: &str = "usr/lib/sysimage/libdnf5/packages.toml";
    let user = User::new();
    let (database, history) = installed_by_dnf(&user.work());
    let reasons = |record: Option<(&str, Vec<u8>)>| {
        let layer = LayerBuilder::new().file("var/lib/rpm/rpmdb.sqlite", database.clone());
        let layer = match record {
            Some((path, record)) => layer.file(path, record),
            None => layer,
        };
        let word = write(&user, "dnf.tar", executable(layer, "usr/bin/shop", "x"), "/usr/bin/shop");
        let run = user.run(&["analyze", "--unused", "--format", "json", &word]);
        let warnings = run.stderr.clone();
        let document = run.json();
        let of = |name| package(&document, name)["reason"].as_str().unwrap().to_owned();
        let all = ["shop", "helper", "extra", "motor", "left"].map(of).join(" ");
        (all, warnings)
    };
    let told = "asked dependency recommended recommended orphan";
    assert_eq!(reasons(Some((DNF, history.clone()))).0, told);
    let table = r#"version = "1.0"
        [packages]
        "shop.noarch" = { reason = "User" }
        "helper.noarch" = { reason = "Dependency" }
        "extra.noarch" = { reason = "Weak Dependency" }
        "motor.noarch" = { reason = "Dependency" }
        [packages."left.noarch"]
        reason = "Dependency""#;
    assert_eq!(reasons(Some((DNF5, table.as_bytes().to_vec()))).0, told);
    let list = b"# by zypper\nhelper\nextra\nmotor\nleft\n";
    assert_eq!(reasons(Some(("var/lib/zypp/AutoInstalled", list.to_vec()))).0, told);
    // Without a record, what others depend on is told.
    let guessed = "asked dependency asked dependency asked";
    assert_eq!(reasons(None).0, guessed);
    for (path, damaged) in [(DNF, history[..9_000].to_vec()), (DNF5, b"[".to_vec())] {
        let (reasons, warnings) = reasons(Some((path, damaged)));
        assert_eq!(reasons, guessed);
        assert!(warnings.contains(&format!("/{path}: ")), "{warnings}");
    }
}

#[test]
fn rpm_says_whose_files_are() {
    let user = User::new();
    let sqlite = rpm_database(&user.work());
    let old = fs_err::read(berkeley(&sqlite)).unwrap();
    let database = fs_err::read(sqlite).unwrap();
    let files = |layer: LayerBuilder| {
        let layer = ["shop", "helper", "motor", "spare"].iter().fold(layer, |layer, name| {
            executable(layer, &format!("usr/bin/{name}"), content(name, 700))
                .file(format!("usr/share/{name}/data"), content(name, 300))
        });
        layer.symlink("bin", "usr/bin").file("usr/share/other", content("other", 50))
    };
    for (path, database) in [
        ("var/lib/rpm/rpmdb.sqlite", &database),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite", &database),
        ("var/lib/rpm/Packages", &old),
    ] {
        let layer =
            files(LayerBuilder::new()).file(path, database.clone()).file(format!("{path}-wal"), "");
        let word = write(&user, "rpm.tar", layer, "/bin/shop");
        for (path, owner) in [
            ("/usr/bin/shop", json!("shop")),
            ("/usr/share/motor/data", json!("motor")),
            ("/usr/share/other", Value::Null),
        ] {
            assert_eq!(why(&user, &word, path)["owner"], owner, "{path}");
        }
        let document = user.analyze_with(&word, &["--unused"]);
        let shop = package(&document, "shop");
        assert_eq!(
            (&shop["ecosystem"], &shop["version"], &shop["bytes"], &shop["installedSize"]),
            (&json!("rpm"), &json!("2:1.2-3"), &json!(1000), &json!(4 + 12))
        );
        for (name, dependants) in
            [("helper", json!(["shop"])), ("motor", json!(["shop"])), ("spare", json!([]))]
        {
            let package = package(&document, name);
            assert_eq!(package["dependants"], dependants, "{package}");
        }
        assert_eq!(package(&document, "helper")["reason"], "dependency");
    }
}

#[test]
fn databases_that_cannot_be_read_are_named() {
    let user = User::new();
    let mut berkeley = vec![0; 4096];
    berkeley[12..16].copy_from_slice(&[0x61, 0x15, 6, 0]);
    let layer = LayerBuilder::new()
        .file("var/lib/rpm/Packages", berkeley)
        .file("usr/lib/sysimage/rpm/rpmdb.sqlite", "SQLite format 3\0 no more")
        .file("opt/broken.jar", "PK\x03\x04 no more")
        .file("usr/bin/x", "x");
    let word = write(&user, "odd.tar", layer, "/usr/bin/x");
    let run = user.run(&["analyze", "--unused", &word]);
    for said in [
        "/var/lib/rpm/Packages: it is damaged; files of it count as unowned",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite: SQLite says",
        "/opt/broken.jar: it is no whole archive",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    run.text();
}

const STATUS: &str = "Package: asked\nStatus: install ok installed\nArchitecture: amd64\n\
    Version: 1:2\nInstalled-Size: 9\nDepends: needed\nRecommends: liked\n\n\
    Package: needed\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\
    Maintainer: J\u{f6}rg \n\n\
    Package: liked\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n\
    Package: left\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n\
    Package: base\nEssential: yes\nStatus: install ok installed\nVersion: 1\n\n";

/// Debian's parts: lists, diversions, alternatives, aliases, and what apt noted.
fn debian() -> LayerBuilder {
    let states = ["needed", "liked", "left", "base"]
        .map(|name| format!("Package: {name}\nArchitecture: amd64\nAuto-Installed: 1\n\n"));
    // A name in another encoding, as old packages have it, does not spoil the rest.
    let text = STATUS.replace('\u{f6}', "X").into_bytes();
    let text: Vec<u8> = text.into_iter().map(|b| if b == b'X' { 0xf6 } else { b }).collect();
    let layer = LayerBuilder::new()
        .symlink("bin", "usr/bin")
        .file("var/lib/dpkg/status", text)
        .file("var/lib/dpkg/diversions", "/bin/tool\n/bin/tool.distrib\nneeded\n")
        .file("var/lib/dpkg/info/asked.list", "/.\n/bin\n/bin/asked\n/bin/tool\n")
        .file("var/lib/dpkg/info/needed:amd64.list", "/bin/tool\n/usr/bin/needed.basic\n")
        .file("var/lib/dpkg/info/base.list", "/.\n")
        .file("var/lib/dpkg/info/liked.list", "/usr/bin/liked\n")
        .file("var/lib/dpkg/info/left.list", "/usr/bin/left\n/usr/share/doc/left/README\n")
        .file("var/lib/apt/extended_states", states.concat())
        .symlink("usr/bin/editor", "/etc/alternatives/editor")
        .symlink("etc/alternatives/editor", "/usr/bin/needed.basic")
        .symlink("usr/bin/vi", "editor")
        .file("usr/share/doc/left/README", content("readme", 400));
    ["asked", "tool", "tool.distrib", "needed.basic", "liked", "left"]
        .iter()
        .fold(layer, |layer, name| {
            executable(layer, &format!("usr/bin/{name}"), content(name, 100))
        })
}

#[test]
fn debian_says_whose_files_are_and_why_packages_are_there() {
    let user = User::new();
    let word = write(&user, "debian.tar", debian(), "/usr/bin/asked");
    for (path, owner) in [
        ("/usr/bin/asked", json!("asked")),
        ("/usr/bin/tool", json!("needed")),
        ("/usr/bin/tool.distrib", json!("asked")),
        ("/usr/bin/editor", json!("needed")),
        ("/etc/alternatives/editor", json!("needed")),
        // Somebody's own link is nobody's.
        ("/usr/bin/vi", Value::Null),
    ] {
        assert_eq!(why(&user, &word, path)["owner"], owner, "{path}");
    }
    let editor = why(&user, &word, "/usr/bin/editor");
    assert_eq!(
        editor["package"],
        json!({"name": "needed", "ecosystem": "dpkg", "version": "1", "reason": "dependency",
               "dependantCount": 1, "alternative": true})
    );
    let document = user.analyze_with(&word, &["--unused"]);
    for (name, reason) in
        [("asked", "asked"), ("needed", "dependency"), ("liked", "recommended"), ("left", "orphan")]
    {
        assert_eq!(package(&document, name)["reason"], reason);
    }
    assert_eq!(package(&document, "asked")["installedSize"], 9 * 1024);
    assert_eq!(package(&document, "left")["unused"], 500);
    let groups = document["unused"]["groups"].as_array().unwrap();
    let needed = groups.iter().find(|group| group["package"] == "needed").unwrap();
    assert_eq!(
        (&needed["ecosystem"], &needed["version"], &needed["reason"], &needed["dependants"]),
        (&json!("dpkg"), &json!("1"), &json!("dependency"), &json!(["asked"]))
    );
    let text = user.run(&["analyze", "--unused", &word]).text();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("liked: 1 file: no file of it is reached; others only recommend it"),
        "{text}"
    );
    let text = user.run(&["why", &word, "/usr/bin/editor"]).text();
    assert!(text.contains("needed 1 (dpkg), by its alternatives; 1 package depends on"), "{text}");
}

#[test]
fn the_document_of_a_path_has_its_evidence_at_the_top() {
    let user = User::new();
    let layer = debian().hard_link("usr/bin/zz-left", "usr/bin/left");
    let word = write(&user, "why.tar", layer, "/usr/bin/asked");
    let of = why(&user, &word, "/usr/bin/asked");
    assert_eq!(
        (&of["state"], &of["evidence"], &of["confidence"], &of["layer"], &of["bytes"]),
        (&json!("live"), &json!("needed"), &Value::Null, &json!(0), &json!(100))
    );
    assert_eq!(of["chain"], json!([{"path": "/usr/bin/asked", "how": "ENTRYPOINT"}]));
    // The second name of a file is as unused as the first, which alone is in the list.
    for path in ["/usr/bin/left", "/usr/bin/zz-left"] {
        let unused = why(&user, &word, path);
        assert_eq!(
            (&unused["evidence"], &unused["confidence"], &unused["chain"]),
            (&json!("none"), &json!("medium"), &json!([])),
            "{path}"
        );
    }
    let absent = why(&user, &word, "/no/such/path");
    assert_eq!((&absent["state"], &absent["evidence"]), (&json!("absent"), &Value::Null));
    // Every key is there, for what nothing can lead to as well.
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&absent), keys(&of));
    assert_eq!((&absent["owner"], &absent["chain"]), (&Value::Null, &Value::Null));
}

#[test]
fn alpine_says_why_packages_are_there() {
    let user = User::new();
    let installed = "P:app\nV:1-r0\nI:4096\nD:so:libx.so.1 cmd:sh\nF:usr/bin\nR:app\n\n\
        P:libx\nV:2-r1\np:so:libx.so.1=1.2\nF:usr/lib\nR:libx.so.1\n\n\
        P:left\nV:3-r0\nF:usr/bin\nR:left\n\n\
        P:app-libx\nV:4-r0\ni:app=1-r0 libx\n\n\
        P:left-docs\nV:5-r0\ni:docs left\n\n\
        P:named\nV:6-r0\np:cmd:tool=1 cmd:other=1\n\n";
    let layer = LayerBuilder::new()
        .file("lib/apk/db/installed", installed)
        .file("etc/apk/world", "app=1-r0\ncmd:tool\n!left\n")
        .file("usr/lib/libx.so.1", content("libx", 500));
    let layer = executable(layer, "usr/bin/app", content("app", 300));
    let word =
        write(&user, "alpine.tar", executable(layer, "usr/bin/left", "left"), "/usr/bin/app");
    let document = user.analyze_with(&word, &["--unused"]);
    for (name, version, reason) in [
        ("app", "1-r0", "asked"),
        ("libx", "2-r1", "dependency"),
        ("left", "3-r0", "orphan"),
        // What brings it is there, as a whole or in part.
        ("app-libx", "4-r0", "recommended"),
        ("left-docs", "5-r0", "orphan"),
        ("named", "6-r0", "asked"),
    ] {
        let package = package(&document, name);
        assert_eq!((&package["version"], &package["reason"]), (&json!(version), &json!(reason)));
    }
    assert_eq!(package(&document, "app")["installedSize"], 4096);
}

#[test]
fn programs_say_what_they_were_built_from() {
    let user = User::new();
    let own = fs_err::read(binary()).unwrap();
    let mut layer = LayerBuilder::new()
        .file("var/lib/dpkg/status", "Package: tool\nStatus: install ok installed\nVersion: 1\n")
        .file("var/lib/dpkg/info/tool.list", "/usr/bin/tool\n");
    layer = executable(layer, "usr/bin/tool", own.clone());
    layer = executable(layer, "usr/local/bin/jettison", own)
        .hard_link("usr/local/bin/again", "usr/local/bin/jettison");
    // runc is written in Go, and tests of containers install it.
    let runc = ["/usr/sbin/runc", "/usr/bin/runc"].iter().find(|path| Path::new(path).exists());
    if let Some(runc) = runc {
        layer = executable(layer, "usr/local/sbin/runc", fs_err::read(runc).unwrap());
    }
    let word = write(&user, "programs.tar", layer, "/usr/bin/tool");
    for path in ["/usr/local/bin/jettison", "/usr/local/bin/again"] {
        let of = why(&user, &word, path);
        assert_eq!(of["package"]["ecosystem"], "rust", "{of}");
    }
    // What a distribution brought is its own, whatever it was built from.
    assert_eq!(why(&user, &word, "/usr/bin/tool")["package"]["ecosystem"], "dpkg");
    let document = user.analyze_with(&word, &["--unused"]);
    let packages = document["packages"].as_array().unwrap();
    let rust: Vec<&Value> = packages.iter().filter(|p| p["ecosystem"] == "rust").collect();
    assert_eq!(rust.len(), 1, "{rust:?}");
    let contains = rust[0]["contains"].as_array().unwrap();
    let has = |name: &str| contains.iter().any(|c| c.as_str().unwrap().starts_with(name));
    assert!(has("memchr 2."), "{contains:?}");
    if runc.is_some() {
        let of = why(&user, &word, "/usr/local/sbin/runc");
        assert_eq!(of["package"]["ecosystem"], "go");
        assert_eq!(of["owner"], "github.com/opencontainers/runc");
    }
}

/// Jars as Python's `zipfile` writes them: one library, and one program with it inside.
const JARS: &str = r"
import io, sys, zipfile
def jar(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        for name, content, how in files:
            z.writestr(name, content, how)
    return out.getvalue()
S, D = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
pom = 'version=3.12.0\ngroupId=org.example\nartifactId=parts\n'
parts = jar([('META-INF/MANIFEST.MF', 'Manifest-Version: 1.0\r\n\r\n', D),
             ('META-INF/maven/org.example/parts/pom.properties', pom, D)])
manifest = 'Manifest-Version: 1.0\r\nImplementation-Title: shop\r\nImplementation-Version: 4.2\r\n'
app = jar([('META-INF/MANIFEST.MF', manifest, D), ('BOOT-INF/lib/parts-3.12.0.jar', parts, S)])
open(sys.argv[1] + '/parts.jar', 'wb').write(parts)
open(sys.argv[1] + '/app.jar', 'wb').write(b'#!/bin/sh\nexec java -jar $0\n' + app)
";

#[test]
fn archives_are_named_by_what_they_say() {
    let user = User::new();
    process::run(Command::new("python3").args(["-c", JARS]).arg(user.work())).unwrap();
    let jar = |name: &str| fs_err::read(user.path(name)).unwrap();
    let layer = LayerBuilder::new()
        .file_with("app/app.jar", jar("app.jar"), Meta::mode(0o755))
        .file("app/lib/parts.jar", jar("parts.jar"));
    let word = write(&user, "java.tar", layer.clone(), "/app/app.jar");
    let document = user.analyze_with(&word, &["--unused"]);
    let shop = package(&document, "shop");
    assert_eq!((&shop["ecosystem"], &shop["version"]), (&json!("java"), &json!("4.2")));
    assert_eq!(shop["contains"], json!(["org.example:parts 3.12.0"]));
    assert_eq!(package(&document, "org.example:parts")["version"], "3.12.0");
    // As it passes by, out of the cache, and in place: the same.
    let image = ImageBuilder::new()
        .compression(Compression::Gzip { level: 1 })
        .layer(layer, "COPY . / # buildkit")
        .entrypoint(&["/app/app.jar"])
        .build();
    ImageFiles::oci_layout([image]).write_directory(&user.path("layout")).unwrap();
    for run in ["gathered", "cached"] {
        let found = user.analyze_with("oci:layout", &["--unused"]);
        assert_eq!(found["packages"], document["packages"], "{run}");
    }
}
