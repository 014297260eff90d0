//! The same image has the same findings, however it comes and however often it is read.

use jettison_testkit::image::{Compression, ImageFiles};
use serde_json::Value;

use super::case::{findings, write};
use super::once::mixed;
use crate::jettison::{User, entries};

fn told(document: &Value) -> Value {
    document["findings"].clone()
}

#[test]
fn two_runs_print_the_same_bytes() {
    let user = User::new();
    let word = write(&user, "mixed.tar", mixed());
    for more in
        [&["--format", "json"][..], &["--advice", "full"], &["--unused", "--format", "json"]]
    {
        let run =
            |jobs: &str| user.run(&[&["analyze", &word, "--jobs", jobs], more].concat()).bytes();
        let first = run("1");
        for jobs in ["1", "2", "7"] {
            assert!(run(jobs) == first, "{more:?} --jobs {jobs}");
        }
    }
}

#[test]
fn every_form_of_an_image_has_the_same_findings() {
    let user = User::new();
    let word = write(&user, "mixed.tar", mixed());
    let expected = told(&findings(&user, &word));
    assert!(expected.as_array().unwrap().len() > 40);
    let compressions =
        [Compression::Gzip { level: 1 }, Compression::Zstd { level: 1 }, Compression::Plain];
    for compression in compressions {
        let image = mixed().compression(compression).build();
        ImageFiles::oci_layout([image.clone()]).write_directory(&user.path("layout")).unwrap();
        let uncached = ["--top", "100000", "--min-bytes", "0", "--no-cache"];
        assert_eq!(told(&user.analyze_with("oci:layout", &uncached)), expected, "without a cache");
        for run in ["the first time", "from the cache"] {
            assert_eq!(told(&findings(&user, "oci:layout")), expected, "{run}");
        }
        fs_err::remove_dir_all(user.path("layout")).unwrap();
        let all = ["analyze", "-", "--format", "json", "--top", "100000", "--min-bytes", "0"];
        for files in [
            ImageFiles::docker_archive(std::slice::from_ref(&image)),
            ImageFiles::oci_layout([image.clone()]),
        ] {
            assert_eq!(told(&user.run_with_input(&all, &files.tar()).json()), expected, "piped");
        }
    }
    assert!(!entries(&user.cache()).is_empty());
}

#[test]
fn a_cache_that_another_command_filled_serves_findings() {
    let user = User::new();
    let image = mixed().compression(Compression::Gzip { level: 1 }).build();
    ImageFiles::oci_layout([image]).write_directory(&user.path("layout")).unwrap();
    // What is not asked for is not looked at, and so not kept.
    user.run(&["analyze", "oci:layout", "--advice", "off"]).bytes();
    let from_cache = told(&findings(&user, "oci:layout"));
    let other = User::new();
    let word = write(&other, "mixed.tar", mixed());
    assert_eq!(from_cache, told(&findings(&other, &word)));
}
