//! `docker://`: a real registry, with and without credentials, behind a front that counts requests
//! and lets them go wrong.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jettison_oci::Platform;
use jettison_testkit::image::{
    Compression, Format, Image, ImageBuilder, ImageFiles, IndexBuilder, LayerBuilder,
};
use jettison_testkit::process::run;
use jettison_testkit::registry::{Access, Credentials, Fault, Front, Registry};
use jettison_testkit::require::{self, Part, unless_skipped};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::jettison::{Run, User, account, entries, names};
use crate::shop;

fn compressed() -> Image {
    shop::builder().compression(Compression::default()).build()
}

/// A registry with the shop's image as `team/shop:1`, and a front before it.
fn registry(access: Access) -> Option<(Registry, Front)> {
    let registry = Registry::for_test()?;
    registry.push(compressed(), "team/shop", "1").unwrap();
    let front = Front::start(&registry, access).unwrap();
    Some((registry, front))
}

fn word(front: &Front) -> String {
    format!("docker://{}", front.reference("team/shop:1"))
}

/// What any other source says of the same image.
fn expected(user: &User) -> serde_json::Value {
    ImageFiles::oci_layout([compressed()]).write_directory(&user.path("layout")).unwrap();
    account(user.analyze_with("oci:layout", &["--no-cache"]))
}

/// Requests for layers so far.
fn layer_requests(front: &Front, image: &Image) -> usize {
    image.layers.iter().map(|layer| front.count(layer.digest.as_str())).sum()
}

#[test]
fn anybody_s_images_are_read_and_named() {
    let Some((_registry, front)) = registry(Access::Open) else { return };
    let user = User::new();
    let image = compressed();
    let expected = expected(&user);
    let by_digest =
        format!("docker://{}@{}", front.reference("team/shop"), image.manifest_digest());
    // A bare word that no engine knows is looked up at its registry.
    let bare = front.reference("team/shop:1");
    for asked in [&word(&front), &by_digest, &bare] {
        for more in [&["--no-cache"][..], &["--verify"], &["--jobs", "1", "--no-cache"]] {
            let read = user.analyze_with(asked, more);
            assert_eq!(read["image"]["manifestDigest"], image.manifest_digest().as_str());
            assert_eq!(read["image"]["transport"], "docker");
            let stored: u64 = image.layers.iter().map(|layer| layer.blob.len() as u64).sum();
            assert_eq!(read["size"]["compressed"], stored);
            let mut read = account(read);
            read["warnings"] = json!([]);
            assert_eq!(read, expected, "{asked} {more:?}");
        }
    }
    let text = user.run(&["analyze", &bare, "--quiet"]).text();
    assert_eq!(text.lines().next(), Some(&*word(&front)), "the one chosen is printed");
    let run = user.run(&["analyze", &bare]);
    assert!(run.stderr.contains("passed over: the engine at unix://"), "{}", run.stderr);
}

#[test]
fn an_auth_file_of_another_user_is_no_reason_to_fail() {
    if unless_skipped(Part::Root, require::root).is_none() {
        return;
    }
    let user = User::new();
    let config = user.path(".docker");
    fs_err::create_dir(&config).unwrap();
    // As a login with sudo leaves it.
    fs_err::write(config.join("config.json"), "{}").unwrap();
    let mode = |path: &Path, mode| {
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&config.join("config.json"), 0o600);
    let read_as_another = |word: &str| {
        let run = user.command(&["analyze", word]);
        let mut other = Command::new("setpriv");
        other.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]);
        other.arg(run.get_program()).args(run.get_args());
        // The working directory is closed to others.
        other.current_dir("/").env_clear().env("HOME", "/nonexistent");
        other.env("DOCKER_CONFIG", &config).stdin(Stdio::null());
        Run::of(other.stdout(Stdio::piped()).stderr(Stdio::piped()))
    };
    let mut above = config.parent();
    while let Some(directory) = above.filter(|path| *path != std::env::temp_dir()) {
        mode(directory, 0o711);
        above = directory.parent();
    }
    mode(&config, 0o711);
    let Some((_registry, front)) = registry(Access::Open) else { return };
    let run = read_as_another(&word(&front));
    assert!(run.stderr.contains("config.json"), "{}", run.stderr);
    assert!(run.stderr.contains("Permission denied"), "{}", run.stderr);
    assert!(run.text().contains("layers"));
    // Where a login is needed, that is said to be missing, and why.
    let credentials = Credentials::new("alice", "secret");
    let Some((_registry, front)) = registry(Access::Credentials(credentials)) else { return };
    read_as_another(&word(&front)).fails(3, &["401", "config.json", "Permission denied"]);
}

#[test]
fn a_second_run_and_a_shared_base_download_no_layer_again() {
    let Some((registry, front)) = registry(Access::Open) else { return };
    let user = User::new();
    let image = compressed();
    let print = |word: &str| user.run(&["analyze", word, "--format", "json"]).bytes();
    let first = print(&word(&front));
    assert_eq!(layer_requests(&front, &image), image.layers.len());
    front.forget_requests();
    assert!(print(&word(&front)) == first);
    assert_eq!(layer_requests(&front, &image), 0, "{:?}", front.requests());
    // Another image on the same layers, of which only the last is new.
    let other = shop::builder()
        .compression(Compression::default())
        .layer(LayerBuilder::new().file("more", "more"), "COPY more /")
        .build();
    registry.push(other.clone(), "team/other", "1").unwrap();
    front.forget_requests();
    user.analyze(&format!("docker://{}", front.reference("team/other:1")));
    assert_eq!(layer_requests(&front, &other), 1);
    assert_eq!(front.count(other.layers.last().unwrap().digest.as_str()), 1);
    front.forget_requests();
    user.analyze_with(&word(&front), &["--no-cache"]);
    assert_eq!(layer_requests(&front, &image), image.layers.len());
}

#[test]
fn layers_that_are_stored_plain_are_downloaded_once_too() {
    let Some(registry) = Registry::for_test() else { return };
    let image = shop::image();
    assert!(image.layers.iter().all(|layer| layer.digest == layer.diff_id), "plain");
    registry.push(image.clone(), "team/plain", "1").unwrap();
    let front = Front::start(&registry, Access::Open).unwrap();
    let user = User::new();
    let word = format!("docker://{}", front.reference("team/plain:1"));
    let print =
        |more: &[&str]| user.run(&[&["analyze", &word, "--format", "json"], more].concat()).bytes();
    let first = print(&[]);
    assert_eq!(layer_requests(&front, &image), image.layers.len());
    front.forget_requests();
    assert!(print(&[]) == first);
    assert_eq!(layer_requests(&front, &image), 0, "{:?}", front.requests());
    assert!(print(&["--no-cache"]) == first);
    // In a file, a plain layer is its headers away: no entry is made.
    let local = User::new();
    ImageFiles::oci_layout([image]).write_directory(&local.path("layout")).unwrap();
    local.analyze("oci:layout");
    assert_eq!(entries(&local.cache()), [] as [&str; 0]);
}

#[test]
fn platforms_are_chosen_from_an_index() {
    let Some(registry) = Registry::for_test() else { return };
    let image = |platform: &str| {
        ImageBuilder::new()
            .platform(platform.parse().unwrap())
            .format(Format::Docker)
            .layer(LayerBuilder::new().file("name", platform), "COPY name /")
            .build()
    };
    let (host, other) = (image(&Platform::host().to_string()), image("linux/s390x"));
    let index =
        IndexBuilder::new().format(Format::Docker).image(&other).image(&host).attestation(&host);
    registry.push(index.build(), "team/many", "1").unwrap();
    let user = User::new();
    let word = format!("docker://{}", registry.reference("team/many:1"));
    let digest = |more: &[&str]| user.analyze_with(&word, more)["image"]["manifestDigest"].clone();
    assert_eq!(digest(&[]), host.manifest_digest().as_str());
    assert_eq!(digest(&["--platform", "linux/s390x"]), other.manifest_digest().as_str());
    let run = user.run(&["analyze", &word, "--platform", "windows/amd64"]);
    let message = run.fails(3, &["windows/amd64", "linux/s390x"]);
    assert!(!message.contains("unknown/unknown"), "{message}");
}

#[test]
fn the_base_that_annotations_name_is_looked_up() {
    let Some(registry) = Registry::for_test() else { return };
    let base = ImageBuilder::new()
        .layer(shop::base(), "/bin/sh -c #(nop) ADD file:rootfs.tar.xz in / ")
        .build();
    registry.push(base.clone(), "team/base", "1").unwrap();
    let name = registry.reference("team/base:1");
    let annotated = shop::builder()
        .compression(Compression::default())
        .annotation("org.opencontainers.image.base.name", &name)
        .annotation("org.opencontainers.image.base.digest", base.manifest_digest().as_str())
        .build();
    registry.push(annotated, "team/shop", "1").unwrap();
    let user = User::new();
    let read = user.analyze(&format!("docker://{}", registry.reference("team/shop:1")));
    let base = json!({
        "source": "annotation", "reference": name, "layers": 1, "imageLayers": 1
    });
    assert_eq!(read["base"], base);
    assert_eq!(
        (&read["layers"][0]["base"], &read["layers"][1]["base"]),
        (&json!(true), &json!(false))
    );
}

fn ann() -> Credentials {
    Credentials::new("ann", "secret")
}

/// A file with credentials for `registry`, as Docker and podman write it.
fn auth_file(path: &Path, registry: &str, credentials: &Credentials) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    let auth = credentials.basic().strip_prefix("Basic ").unwrap().to_owned();
    fs_err::write(path, json!({ "auths": { registry: { "auth": auth } } }).to_string()).unwrap();
}

/// Reads `word` with credentials in every place where they are looked for.
fn logs_in(word: &str, registry: &str) {
    for (variable, place, file) in [
        ("HOME", "home", "home/.docker/config.json"),
        ("HOME", "home", "home/.config/containers/auth.json"),
        ("DOCKER_CONFIG", "docker", "docker/config.json"),
        ("REGISTRY_AUTH_FILE", "auth.json", "auth.json"),
        ("XDG_RUNTIME_DIR", "run", "run/containers/auth.json"),
        ("XDG_CONFIG_HOME", "config", "config/containers/auth.json"),
    ] {
        let user = User::new();
        let analyze = || {
            let mut command = user.command(&["analyze", word, "--no-cache"]);
            Run::of(command.env(variable, user.path(place)))
        };
        auth_file(&user.path(file), "other.example", &ann());
        analyze().fails(3, &[word, "401", "no credentials", &format!("docker login {registry}")]);
        auth_file(&user.path(file), registry, &Credentials::new("ann", "wrong"));
        let message = analyze().fails(3, &["401", "ann", "login"]);
        assert!(!message.contains("wrong"), "the password is repeated: {message}");
        auth_file(&user.path(file), registry, &ann());
        assert!(analyze().text().starts_with(word), "{file}");
    }
}

#[test]
fn basic_authentication_takes_credentials_from_auth_files() {
    let start = || Registry::start_with_basic(ann());
    let Some(registry) = unless_skipped(Part::Registry, start) else { return };
    registry.push(compressed(), "team/shop", "1").unwrap();
    let reference = registry.reference("team/shop:1");
    logs_in(&format!("docker://{reference}"), &registry.address().to_string());
}

#[test]
fn tokens_are_fetched_with_and_without_credentials() {
    let Some((registry, anonymous)) = registry(Access::Anonymous) else { return };
    let user = User::new();
    assert_eq!(account(user.analyze(&word(&anonymous))), expected(&user));
    assert!(anonymous.count("/token?") >= 1);
    let named = Front::start(&registry, Access::Credentials(ann())).unwrap();
    logs_in(&word(&named), &named.address().to_string());
}

#[test]
fn credential_helpers_on_the_path_are_asked() {
    let start = || Registry::start_with_basic(ann());
    let Some(registry) = unless_skipped(Part::Registry, start) else { return };
    registry.push(compressed(), "team/shop", "1").unwrap();
    let address = registry.address().to_string();
    let word = format!("docker://{}", registry.reference("team/shop:1"));
    let user = User::new();
    fs_err::create_dir(user.path("bin")).unwrap();
    let helper = |script: &str| {
        let source = user.path("helper.sh");
        fs_err::write(&source, format!("#!/bin/sh\n{script}\n")).unwrap();
        let target = user.path("bin/docker-credential-shop");
        // Written by another process: one of ours that is about to start a program of its own
        // would hold the file open, and it could not be run.
        run(Command::new("install").args(["-m", "755"]).arg(source).arg(target)).unwrap();
    };
    let analyze = || {
        let path = format!("{}:{}", user.path("bin").display(), std::env::var("PATH").unwrap());
        let mut command = user.command(&["analyze", &word, "--no-cache"]);
        Run::of(command.env("PATH", path).env("DOCKER_CONFIG", user.path("docker")))
    };
    fs_err::create_dir(user.path("docker")).unwrap();
    let answer = format!(
        "test \"$1\" = get && test \"$(cat)\" = {address} &&
         echo '{{\"ServerURL\":\"{address}\",\"Username\":\"ann\",\"Secret\":\"secret\"}}'"
    );
    for config in [json!({ "credsStore": "shop" }), json!({ "credHelpers": { &address: "shop" } })]
    {
        fs_err::write(user.path("docker/config.json"), config.to_string()).unwrap();
        helper(&answer);
        assert!(analyze().text().starts_with(&word), "{config}");
        helper("echo the keychain is locked; exit 1");
        analyze().fails(3, &["docker-credential-shop", "the keychain is locked"]);
        helper("echo credentials not found in native keychain; exit 1");
        analyze().fails(3, &["401", "no credentials"]);
        fs_err::remove_file(user.path("bin/docker-credential-shop")).unwrap();
        analyze().fails(3, &["docker-credential-shop", "PATH"]);
    }
    fs_err::write(user.path("docker/config.json"), "{ not JSON").unwrap();
    analyze().fails(3, &["docker/config.json"]);
}

#[test]
fn a_registry_that_is_busy_or_breaks_off_is_asked_again() {
    let Some((_registry, front)) = registry(Access::Open) else { return };
    let user = User::new();
    let expected = expected(&user);
    let layer = compressed().layers[2].digest.to_string();
    for (part, times, fault) in [
        ("/manifests/", 1, Fault::RetryAfter(429, 1)),
        ("/manifests/", 2, Fault::Status(503)),
        ("/manifests/", 1, Fault::HangUp),
        ("/blobs/", 2, Fault::Status(500)),
        (&*layer, 1, Fault::RetryAfter(429, 0)),
        (&layer, 1, Fault::Truncated(100)),
        (&layer, 1, Fault::HangUp),
        (&layer, 1, Fault::Stalled(Duration::from_millis(100))),
    ] {
        front.forget_requests();
        front.fault(part, times, fault.clone());
        let read = user.analyze_with(&word(&front), &["--no-cache"]);
        assert_eq!(account(read), expected, "{part} {fault:?}");
        if !matches!(fault, Fault::Stalled(_)) {
            assert!(front.count(part) > times, "{fault:?}: it was asked again");
        }
        front.clear_faults();
    }
}

#[test]
fn what_a_registry_refuses_is_told_as_it_is() {
    let Some((registry, front)) = registry(Access::Open) else { return };
    let user = User::new();
    let layer = compressed().layers[2].digest.to_string();
    let fails = |part: &str, fault: Fault, words: &[&str]| {
        front.clear_faults();
        front.fault(part, usize::MAX, fault);
        let arguments = ["analyze", &word(&front), "--output", "json=report.json"];
        let message = user.run(&arguments).fails(3, words);
        assert!(!user.path("report.json").exists());
        assert_eq!(names(&user.work()), [] as [&str; 0]);
        let cached = entries(&user.cache());
        assert!(cached.iter().all(|name| !name.contains(&layer[7..])), "{message}");
    };
    let address = front.address().to_string();
    for part in ["/manifests/", "/blobs/", &layer] {
        fails(part, Fault::Status(401), &[&address, "401"]);
        fails(part, Fault::Status(403), &[&address, "403"]);
        fails(part, Fault::RetryAfter(429, 7200), &[&address, "429", "Wait 7200 s"]);
    }
    fails("/manifests/", Fault::Status(404), &["404", "team/shop", "MANIFEST_UNKNOWN"]);
    fails(&layer, Fault::Status(404), &[&layer, "missing"]);
    fails("/manifests/", Fault::Status(500), &["500", "asked 5 times"]);
    fails(&layer, Fault::Status(503), &["503", "asked 5 times"]);
    fails("/manifests/", Fault::HangUp, &[&address]);
    fails("/manifests/", Fault::Endless, &["limit"]);
    fails("/manifests/", Fault::Replaced("text/html".into(), b"<html>".to_vec()), &["team/shop"]);
    fails(&layer, Fault::Truncated(100), &["layer", &layer]);
    fails(&layer, Fault::Corrupted, &["layer 2", &layer, "corrupt"]);
    fails(&layer, Fault::Replaced("x/y".into(), b"other".to_vec()), &["layer", &layer]);
    front.clear_faults();
    for absent in ["team/shop:2", "team/nothing:1"] {
        let word = format!("docker://{}", registry.reference(absent));
        let (name, tag) = absent.split_once(':').unwrap();
        user.run(&["analyze", &word]).fails(3, &[&word, "404", name, tag]);
    }
    // Nobody there at all.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let word = format!("docker://{port}/team/shop:1");
    user.run(&["analyze", &word]).fails(3, &[&word, "refused"]);
}

#[test]
fn an_interrupted_download_leaves_nothing_in_the_cache() {
    let Some((_registry, front)) = registry(Access::Open) else { return };
    let user = User::new();
    let layer = compressed().layers[2].digest.to_string();
    front.fault(&layer, 1, Fault::Stalled(Duration::from_mins(10)));
    let word = word(&front);
    let child = user.command(&["analyze", &word, "--output", "text=report"]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while front.count(&layer) == 0 && Instant::now() < deadline {
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::wait(child);
    assert_eq!((run.code(), run.stdout.as_slice()), (130, &b""[..]));
    assert_eq!(names(&user.work()), [] as [&str; 0]);
    assert!(entries(&user.cache()).iter().all(|name| !name.contains(&layer[7..])));
}
