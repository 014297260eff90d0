//! What an image that runs a program of every language reaches: each file has the same bytes, and
//! symlinks lead in circles. No input may panic or loop.

#![no_main]

use std::num::NonZeroUsize;

use jettison_analyzer::advice::base::catalogue::Catalogue;
use jettison_analyzer::advice::dockerfile::Dockerfile;
use jettison_analyzer::advice::suggestion::Kind;
use jettison_analyzer::advice::{Advice, Known};
use jettison_analyzer::facts::Facts;
use jettison_analyzer::facts::filesystem::Filesystem;
use jettison_analyzer::facts::profile::Profile;
use jettison_analyzer::image::Config;
use jettison_fuzz::image;
use jettison_testkit::image::{LayerBuilder, Meta};
use libfuzzer_sys::fuzz_target;

/// A shell that starts one interpreter after the other.
const CONFIG: &[u8] = br#"{
    "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []},
    "config": {
        "Env": ["PATH=/bin", "PYTHONPATH=/srv", "LD_LIBRARY_PATH=/srv:/loop", "LANG=de_DE.ISO-8859-1"],
        "WorkingDir": "/srv",
        "Entrypoint": ["/bin/tini", "--", "/srv/run.sh"],
        "Cmd": ["/bin/sh", "-c", "python3 a.py; node a.js; perl a.pl; ruby a.rb; php a.php; java -jar a.jar; supervisord; cron -f; ./a"],
        "Healthcheck": {"Test": ["CMD-SHELL", ". ./lib.sh && a"]}
    }
}"#;

const PROGRAMS: [&str; 13] = [
    "bin/tini",
    "bin/sh",
    "bin/python3",
    "bin/node",
    "bin/perl",
    "bin/ruby",
    "bin/php",
    "bin/java",
    "bin/supervisord",
    "bin/cron",
    "srv/run.sh",
    "srv/a",
    "lib/ld-linux-x86-64.so.2",
];
const FILES: [&str; 22] = [
    "srv/a.py",
    "srv/a.js",
    "srv/a.pl",
    "srv/a.rb",
    "srv/a.php",
    "srv/a.jar",
    "srv/lib.sh",
    "srv/package.json",
    "srv/node_modules/a/package.json",
    "srv/node_modules/a/index.js",
    "srv/vendor/composer/autoload_files.php",
    "usr/lib/python3.11/os.py",
    "usr/lib/python3/dist-packages/a/__init__.py",
    "usr/lib/python3/dist-packages/a-1.dist-info/entry_points.txt",
    "usr/lib/python3/dist-packages/x.pth",
    "usr/share/perl5/A.pm",
    "etc/ld.so.cache",
    "etc/ld.so.conf",
    "etc/supervisor/supervisord.conf",
    "etc/crontab",
    "etc/nsswitch.conf",
    "etc/app/a.conf",
];

fuzz_target!(|bytes: &[u8]| {
    let layer = LayerBuilder::new()
        .symlink("loop", "loop")
        .symlink("srv/here", ".")
        .symlink("srv/there", "../srv/there/x")
        .symlink("usr/bin", "../bin");
    let program =
        |layer: LayerBuilder, path: &&str| layer.file_with(*path, bytes, Meta::mode(0o755));
    let layer = PROGRAMS.iter().fold(layer, program);
    let layer = FILES.iter().fold(layer, |layer, path| layer.file(*path, bytes));
    let mut image = image::image(vec![image::streamed(layer.tar())]);
    image.config = Config::parse("the config", CONFIG).expect("it is well formed");
    let account = image::gathered(image).expect("its tar is whole");
    let mut profile = Profile::default();
    let _ = profile.add("the profile", bytes);
    let files = Filesystem::new(&account);
    let facts =
        Facts::of(&files, Some(&profile), NonZeroUsize::MIN).expect("nothing is left to be read");
    let sum: u64 = facts.unused.groups.iter().map(|group| group.bytes.0).sum();
    assert_eq!(sum, facts.unused.bytes);
    assert!(sum <= account.sizes.live.0);
    let catalogue = Catalogue::builtin();
    let known = Known { ignores: &[], file: None, catalogue: &catalogue, zstd: &[] };
    let advice = Advice::of(&files, &facts, known).expect("nothing is left to be read");
    assert!(advice.findings.bytes() <= account.sizes.files);
    assert!(advice.suggestions.iter().all(|one| one.saved <= account.sizes.files));
    for one in advice.suggestions.iter().filter(|one| one.kind == Kind::MultiStage) {
        Dockerfile::parse(&one.dockerfile).expect("what is written can be read");
    }
});
