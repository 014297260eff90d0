//! Package databases and the lists beside them, in an image that has all of them: each parser gets
//! the same bytes. No input may panic or loop.

#![no_main]

use std::num::NonZeroUsize;

use jettison_analyzer::facts::Facts;
use jettison_analyzer::facts::filesystem::Filesystem;
use jettison_fuzz::image;
use jettison_testkit::image::{LayerBuilder, Meta};
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 21] = [
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d/base",
    "var/lib/dpkg/status.d/base.md5sums",
    "var/lib/dpkg/diversions",
    "var/lib/dpkg/info/a.list",
    "var/lib/apt/extended_states",
    "lib/apk/db/installed",
    "etc/apk/world",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/lib/python3/dist-packages/a-1.dist-info/METADATA",
    "usr/lib/python3/dist-packages/a-1.dist-info/RECORD",
    "usr/lib/python3/dist-packages/b.egg-info/PKG-INFO",
    "usr/lib/python3/dist-packages/b.egg-info/installed-files.txt",
    "app/package.json",
    "app/node_modules/a/package.json",
    "app/node_modules/a/node_modules/b/package.json",
    "usr/lib/node_modules/c/package.json",
    "usr/lib/ruby/gems/3.3.0/specifications/a-1.gemspec",
    "usr/lib/ruby/gems/3.3.0/specifications/default/b-1.gemspec",
    "app/Gemfile.lock",
    "app/a.jar",
];

fuzz_target!(|bytes: &[u8]| {
    // What lists may lead to.
    let layer = LayerBuilder::new()
        .symlink("bin", "usr/bin")
        .symlink("usr/bin/b", "/etc/alternatives/b")
        .symlink("etc/alternatives/b", "/bin/a")
        .file_with("usr/bin/a", bytes, Meta::mode(0o755))
        .file("usr/lib/python3/dist-packages/__pycache__/a.cpython-311.pyc", "x")
        .file("usr/lib/python3/dist-packages/a.py", "x")
        .file("usr/lib/ruby/3.3.0/b.rb", "x")
        .file("usr/lib/ruby/gems/3.3.0/gems/a-1/a.rb", "x");
    let layer = PATHS.iter().fold(layer, |layer, path| layer.file(path, bytes));
    let image = image::image(vec![image::streamed(layer.tar())]);
    let account = image::gathered(image).expect("its tar is whole");
    let facts = Facts::of(&Filesystem::new(&account), None, NonZeroUsize::MIN)
        .expect("nothing is left to be read");
    for at in 0..facts.packages.all.len() {
        assert!(facts.packages.dependants(at).len() < facts.packages.all.len());
    }
});
