//! The cache of layer indexes: the same bytes with and without it, whatever happens to it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jettison_testkit::image::{Compression, Image, ImageFiles, LayerBuilder};

use crate::jettison::{Run, User, names};
use crate::shop;

fn image() -> Image {
    shop::builder().compression(Compression::default()).build()
}

/// The shop's image with one more layer.
fn extended() -> Image {
    let more = LayerBuilder::new().file("more", shop::content("more", 3000));
    shop::builder().compression(Compression::default()).layer(more, "COPY more /").build()
}

fn write(user: &User, name: &str, image: &Image) {
    ImageFiles::oci_layout([image.clone()]).write_directory(&user.path(name)).unwrap();
}

/// A user with the image as `oci:layout`.
fn user() -> User {
    let user = User::new();
    write(&user, "layout", &image());
    user
}

fn print(user: &User, word: &str, more: &[&str]) -> Vec<u8> {
    let run = user.run(&[&["analyze", word, "--format", "json"], more].concat());
    assert_eq!(run.stderr, "", "{more:?}");
    run.bytes()
}

/// Spoils blobs without changing their size: who reads them fails.
fn spoil(user: &User, layout: &str, layers: &[jettison_testkit::image::Layer]) {
    for layer in layers {
        let path = user.path(layout).join("blobs/sha256").join(layer.digest.hex());
        fs_err::write(path, vec![0xAA; layer.blob.len()]).unwrap();
    }
}

/// The entries and what is in them.
fn entries(user: &User) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = names(&user.cache()).into_iter().map(|name| user.cache().join(name));
    paths.map(|path| (path.clone(), fs_err::read(path).unwrap())).collect()
}

fn bytes(user: &User) -> u64 {
    entries(user).values().map(|entry| entry.len() as u64).sum()
}

#[test]
fn a_second_run_reads_no_layer_and_prints_the_same() {
    let user = user();
    let first = print(&user, "oci:layout", &[]);
    // What leads to a path takes the contents of files, which the account alone does not keep.
    let why = ["why", "oci:layout", "/usr/bin/tool"];
    let explained = user.run(&why).text();
    assert!(explained.contains("#1"));
    let stored = entries(&user);
    assert_eq!(stored.len(), image().layers.len());
    spoil(&user, "layout", &image().layers);
    assert!(print(&user, "oci:layout", &[]) == first);
    assert!(print(&user, "oci:layout", &["--jobs", "1"]) == first);
    assert_eq!(entries(&user), stored);
    let diff = user.run(&["diff", "oci:layout", "oci:layout"]).text();
    assert!(diff.contains("no file differs"));
    assert_eq!(user.run(&why).text(), explained);
    // Who does not trust it, or does without, reads the layers and finds out.
    for more in ["--no-cache", "--verify"] {
        let run = user.run(&["analyze", "oci:layout", more]);
        run.fails(3, &["layer", "corrupt"]);
    }
}

#[test]
fn layers_that_images_share_are_read_once() {
    let user = user();
    print(&user, "oci:layout", &[]);
    let shared = entries(&user);
    let other = extended();
    write(&user, "other", &other);
    let expected = print(&user, "oci:other", &["--no-cache"]);
    let (new, base) = other.layers.split_last().unwrap();
    spoil(&user, "other", base);
    assert!(print(&user, "oci:other", &[]) == expected);
    let mut now = entries(&user);
    assert_eq!(now.len(), shared.len() + 1);
    now.retain(|path, _| !shared.contains_key(path));
    let name = now.keys().next().unwrap().display().to_string();
    assert!(name.contains(new.digest.hex()), "{name}");
    // Layers are known by their blobs, wherever those are: here an archive, through a pipe too.
    let archive = ImageFiles::oci_layout([other]).tar();
    fs_err::write(user.path("other.tar"), &archive).unwrap();
    print(&user, "other.tar", &[]);
    assert_eq!(entries(&user).len(), shared.len() + 1);
}

#[test]
fn without_the_cache_nothing_is_read_or_written() {
    let user = user();
    let first = print(&user, "oci:layout", &["--no-cache"]);
    assert!(!user.cache().exists());
    assert!(print(&user, "oci:layout", &[]) == first);
    let stored = entries(&user);
    for path in stored.keys() {
        fs_err::write(path, "spoilt").unwrap();
    }
    assert!(print(&user, "oci:layout", &["--no-cache"]) == first);
    assert!(entries(&user).values().all(|entry| entry == b"spoilt"), "left as they are");
}

#[test]
fn damaged_entries_are_noticed_and_made_anew() {
    let user = user();
    let first = print(&user, "oci:layout", &[]);
    let stored = entries(&user);
    for (path, whole) in &stored {
        let middle = whole.len() / 2;
        let mut flipped = whole.clone();
        flipped[middle] ^= 1;
        let other = stored.values().find(|other| *other != whole).unwrap();
        for damaged in [
            &flipped[..],
            &whole[..middle],
            &whole[1..],
            b"",
            b"garbage",
            other,
            &[whole.as_slice(), b"\0"].concat(),
        ] {
            fs_err::write(path, damaged).unwrap();
            assert!(print(&user, "oci:layout", &[]) == first);
            assert_eq!(entries(&user), stored, "made anew, the same");
        }
    }
    // One that cannot be read at all is passed over.
    let (path, _) = stored.first_key_value().unwrap();
    fs_err::remove_file(path).unwrap();
    fs_err::create_dir(path).unwrap();
    assert!(print(&user, "oci:layout", &[]) == first);
}

#[test]
fn a_key_that_is_lost_or_damaged_is_made_anew() {
    let user = user();
    let first = print(&user, "oci:layout", &[]);
    let key = user.cache().join("../../content.key");
    let (old, stored) = (fs_err::read(&key).unwrap(), entries(&user));
    // Without AES instructions the hash has no key.
    let keyed = fs_err::read_to_string("/proc/cpuinfo").unwrap().contains(" aes");
    for damage in [None, Some(&b""[..]), Some(&[7; 16]), Some(&[7; 17])] {
        match damage {
            None => fs_err::remove_file(&key).unwrap(),
            Some(bytes) => fs_err::write(&key, bytes).unwrap(),
        }
        assert!(print(&user, "oci:layout", &[]) == first);
        let now = entries(&user);
        assert_eq!(now.len(), stored.len());
        assert!(now.iter().all(|(path, entry)| (stored[path] != *entry) == keyed));
        assert!(print(&user, "oci:layout", &[]) == first);
        assert_eq!(entries(&user), now, "and used from then on");
    }
    // With the old key back, nothing that stands there is trusted.
    fs_err::write(&key, &old).unwrap();
    assert!(print(&user, "oci:layout", &[]) == first);
    assert_eq!(entries(&user), stored);
}

#[test]
fn the_cache_keeps_its_bound() {
    let user = user();
    let first = print(&user, "oci:layout", &["--cache-size", "0"]);
    assert_eq!(bytes(&user), 0);
    print(&user, "oci:layout", &[]);
    let (all, count) = (bytes(&user), entries(&user).len());
    for share in [all - 1, all / 2, 1] {
        let size = format!("{share}B");
        user.run(&["cache", "clear"]).text();
        assert!(print(&user, "oci:layout", &["--cache-size", &size]) == first);
        assert!(bytes(&user) <= share, "{} of {share}", bytes(&user));
        assert!(entries(&user).len() < count);
        assert!(print(&user, "oci:layout", &["--cache-size", &size]) == first);
        assert!(bytes(&user) <= share);
    }
    // A large cache shrinks when it is next used: all there, too little room for what is new, or
    // none at all, and also where the run then fails.
    let other = "oci:other";
    write(&user, "other", &extended());
    for (word, size) in [("oci:layout", all / 2), (other, 100), ("oci:layout", 0), (other, 0)] {
        user.run(&["cache", "clear"]).text();
        print(&user, "oci:layout", &[]);
        print(&user, word, &["--cache-size", &format!("{size}B")]);
        assert!(bytes(&user) <= size, "{word}: {} of {size}", bytes(&user));
    }
    print(&user, "oci:layout", &[]);
    spoil(&user, "other", &extended().layers);
    user.run(&["analyze", other, "--cache-size", "0"]).fails(3, &["layer"]);
    assert_eq!(bytes(&user), 0);
    // Who does without the cache leaves it as it is.
    print(&user, "oci:layout", &[]);
    print(&user, "oci:layout", &["--no-cache", "--cache-size", "0"]);
    assert_eq!(bytes(&user), all);
    // The oldest go first.
    user.run(&["cache", "clear"]).text();
    print(&user, "oci:layout", &[]);
    write(&user, "other", &extended());
    print(&user, "oci:other", &["--cache-size", &format!("{}B", all / 2)]);
    assert!(bytes(&user) <= all / 2);
    let new = extended().layers.last().unwrap().digest.hex().to_owned();
    assert!(names(&user.cache()).iter().any(|name| name.contains(&new)));
}

#[test]
fn many_processes_share_a_cache() {
    let user = user();
    write(&user, "other", &extended());
    let expected = ["oci:layout", "oci:other"].map(|word| print(&user, word, &["--no-cache"]));
    for round in 0..4 {
        let words = ["oci:layout", "oci:other"].into_iter().cycle().take(12);
        let children: Vec<_> = words
            .enumerate()
            .map(|(number, word)| {
                let analyze = ["analyze", word, "--format", "json"];
                // Some keep it small, so that entries go while others read them; one clears it.
                let command = match number % 4 {
                    3 if round % 2 == 1 => user.command(&["cache", "clear"]),
                    2 => user.command(&[&analyze[..], &["--cache-size", "2KiB"]].concat()),
                    _ => user.command(&analyze),
                };
                let mut command = command;
                (number, command.spawn().unwrap())
            })
            .collect();
        for (number, child) in children {
            let run = Run::wait(child);
            assert_eq!(run.stderr, "");
            let printed = run.bytes();
            if !printed.starts_with(b"removed") {
                assert!(printed == expected[number % 2], "round {round}, process {number}");
            }
        }
        crate::jettison::entries(&user.cache());
        let word = ["oci:layout", "oci:other"][round % 2];
        assert!(print(&user, word, &[]) == expected[round % 2]);
    }
}

#[test]
fn clear_removes_what_is_the_cache_s_alone() {
    let user = user();
    let cleared = |words: &str| {
        let text = user.run(&["cache", "clear"]).text();
        assert_eq!(text, format!("removed {words}\n"));
    };
    cleared("0 layer indexes, 0 B");
    print(&user, "oci:layout", &[]);
    let path = user.run(&["cache", "path"]).text();
    assert_eq!(Path::new(path.trim_end()), user.cache());
    let mode = |path: &Path| fs_err::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&user.cache()), 0o700, "names in images may be private");
    // What a process that was killed left, and what is somebody else's.
    fs_err::write(user.cache().join(".new-1-abc"), "half").unwrap();
    fs_err::write(user.cache().join("README"), "mine").unwrap();
    let count = image().layers.len() + 1;
    let text = user.run(&["cache", "clear"]).text();
    assert!(text.starts_with(&format!("removed {count} layer indexes, ")), "{text}");
    assert_eq!(names(&user.cache()), ["README"]);
    cleared("0 layer indexes, 0 B");
}

#[test]
fn a_cache_that_cannot_be_written_is_no_error() {
    let user = user();
    let expected = print(&user, "oci:layout", &["--no-cache"]);
    let run = |cache: &Path| {
        let mut command = user.command(&["analyze", "oci:layout", "--format", "json"]);
        let run = Run::of(command.env("XDG_CACHE_HOME", cache));
        assert_eq!(run.stderr, "");
        run.bytes()
    };
    fs_err::write(user.path("file"), "").unwrap();
    for cache in [&user.path("file"), Path::new("/proc/self/fdinfo"), Path::new("/dev/null")] {
        assert!(run(cache) == expected, "{}", cache.display());
    }
    // A relative path is no path, by the base directory specification: the home's is taken.
    assert!(run(Path::new("relative")) == expected);
    assert!(!user.path("relative").exists());
    let home = user.work().parent().unwrap().join(".cache/jettison/layers/v13");
    assert_eq!(names(&home).len(), image().layers.len());
}
